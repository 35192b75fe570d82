package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/record"
	"coldstorm/loadgen/storm"
	"coldstorm/loadgen/target"
	"coldstorm/results"
	"coldstorm/workloads"
)

// stormer fires storms at an endpoint. The run that it writes is a runner's.
type stormer struct {
	*runner
	o        stormOptions
	storms   []plannedStorm
	targets  []target.Target
	reports  []drive.Report // a storm each
	answered bool           // something was
}

// stormer checks everything that can be checked before anything is fired.
func (o *stormOptions) stormer(a *app, args []string) (*stormer, error) {
	sc, err := o.scenarioOf()
	if err != nil {
		return nil, err
	}
	s := &stormer{o: *o, runner: newRunner(a, sc, runOptions{out: o.out})}
	if s.storms, err = o.plan(sc); err != nil {
		return nil, err
	}
	if s.targets, err = o.aims(a.stdin, args); err != nil {
		return nil, err
	}
	if o.scenario != "" && o.body == "" && len(args) == 1 {
		if s.payloads, err = loadPayloads(sc); err != nil {
			return nil, exitError{code: exitUsage, err: err}
		}
	}
	if o.completions != "" {
		if _, err := o.stream(s.targets[0].URL); err != nil {
			return nil, err
		}
	}
	if o.timeout <= 0 || o.connections < 1 {
		return nil, usageError("", "--timeout %v, --connections %d: both are above 0", o.timeout, o.connections)
	}
	return s, o.checkOutput()
}

// aims are the targets: the URL, or a list.
func (o *stormOptions) aims(stdin io.Reader, args []string) ([]target.Target, error) {
	body, err := o.bodyFile()
	if err != nil {
		return nil, err
	}
	switch {
	case len(args) > 1:
		return nil, usageError("list more than one on stdin: 'GET URL', a line each", "storm takes one URL, not %d", len(args))
	case len(args) == 1 && o.targets != "":
		return nil, usageError("", "a URL and --targets exclude each other")
	case len(args) == 1:
		return o.aim(args[0], body)
	}
	if o.method != "" {
		return nil, usageError("each target has its own", "--method goes with a URL")
	}
	if o.targets == "" || o.targets == "-" || o.targets == "stdin" {
		if f, ok := stdin.(*os.File); ok && isTerminal(f) {
			return nil, usageError("coldstorm storm http://localhost:8080/, or a list: echo 'GET http://localhost:8080/' | coldstorm storm", "storm: no URL")
		}
		return list("stdin", stdin, body, http.Header(o.header))
	}
	f, err := os.Open(o.targets)
	if err != nil {
		return nil, usageError("", "--targets: %w", err)
	}
	defer f.Close()
	return list(o.targets, f, body, http.Header(o.header))
}

func list(name string, r io.Reader, body []byte, header http.Header) ([]target.Target, error) {
	all, err := target.Read(r, body, header)
	if errors.Is(err, target.ErrNone) {
		return nil, usageError("a URL is an argument: coldstorm storm http://localhost:8080/", "%s holds no targets", name)
	} else if err != nil {
		return nil, usageError("targets are lines 'GET URL' with headers, and @FILE for a body, below; or JSON, one a line", "%s: %w", name, err)
	}
	return all, nil
}

// aim is the one target of a URL.
func (o *stormOptions) aim(to string, body []byte) ([]target.Target, error) {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError("such as http://localhost:8080/", "%q is no URL of an endpoint", to)
	}
	method := o.method
	if method == "" {
		method = http.MethodGet
		if body != nil || o.scenario != "" || o.completions != "" {
			method = http.MethodPost
		}
	}
	return []target.Target{{Method: method, URL: to, Header: http.Header(o.header), Body: body}}, nil
}

func (o *stormOptions) bodyFile() ([]byte, error) {
	if o.body == "" {
		return nil, nil
	}
	body, err := os.ReadFile(o.body)
	if err != nil {
		return nil, usageError("", "--body: %w", err)
	}
	return body, nil
}

// do fires and reports. What was measured is kept whatever happens after.
func (s *stormer) do(ctx context.Context) error {
	s.begin()
	if err := s.folders(); err != nil {
		return err
	}
	defer s.removeWork()
	defer func() { s.lock.Close() }()
	s.progress = newProgress(s.app.stderr)
	defer s.progress.Close()
	calibrate(ctx, &s.run.Host, s.note)
	for i, st := range s.storms {
		s.progress.Say("storm %d of %d: %s, %s", i+1, len(s.storms), st.name, storm.Describe(st.schedule))
		if err := s.fire(ctx, st); err != nil {
			s.removeFolder()
			return exitError{code: exitUsage, err: err}
		}
		if ctx.Err() != nil {
			s.run.Status = results.StatusAborted
			break
		}
	}
	s.run.Took = time.Since(s.run.Started)
	s.verdict()
	err := errors.Join(s.write(), s.writeOutput())
	os.Remove(filepath.Join(s.dir, underWay))
	s.progress.Close()
	if terr := s.text(); err == nil {
		err = terr
	}
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return exitError{code: exitInterrupted, err: fmt.Errorf("interrupted; what was measured is in %s", s.dir)}
	case !s.answered:
		return exitError{code: exitInvalid, err: errors.New("no trigger was answered"), hint: "is the endpoint up? the errors are in the report above"}
	}
	return nil
}

// begin fills in what is known of the run before it.
func (s *stormer) begin() {
	s.run = results.Run{
		Schema: results.Schema, Status: results.StatusComplete, Started: time.Now().UTC(),
		Scenario: s.scenario.Name, Command: commandLine(), Host: describeHost(),
	}
	s.scenario.Storms = nil
	s.note(results.LevelInfo, "", "a storm at %s: nothing is known of its function, its limits or its price but what its answers tell", s.aimed())
}

// aimed names what is fired at.
func (s *stormer) aimed() string {
	first := s.targets[0].Method + " " + s.targets[0].URL
	if s.o.socket != "" {
		first += " by " + s.o.socket
	}
	if n := len(s.targets); n > 1 {
		return fmt.Sprintf("%s targets, the first %s", thousands(n), first)
	}
	return first
}

// attack is the storm as the generator takes it.
func (s *stormer) attack(st plannedStorm) drive.Attack {
	a := drive.Attack{
		Socket: s.o.socket, Schedule: st.schedule, Seed: s.o.seed, Series: st.name, Timeout: s.o.timeout, Connections: s.o.connections, HTTP2: s.o.http2 || s.o.h2c,
	}
	if s.payloads != nil {
		t := s.targets[0]
		a.URL, a.Method, a.Header, a.Payloads = t.URL, t.Method, t.Header, fired(chosen(s.payloads, st.payloads))
	} else {
		for _, t := range s.targets {
			a.Targets = append(a.Targets, drive.Target(t))
		}
	}
	if s.o.insecure {
		a.TLS = &tls.Config{InsecureSkipVerify: true} // asked for
	}
	return a
}

// fire fires one storm and records it.
func (s *stormer) fire(ctx context.Context, st plannedStorm) error {
	m := measured{
		storm: workloads.Storm{Name: st.name}, schedule: st.schedule, Status: results.StatusComplete,
		recorder: &record.Recorder{Name: st.name, Shape: storm.Describe(st.schedule), Seed: s.o.seed, Arrivals: storm.Hash(st.schedule), Folder: s.dir},
	}
	view := newStormView(st.name, st.schedule)
	s.progress.Show(view.lines)
	defer s.progress.Show(nil)
	add := func(x results.Sample) {
		m.recorder.Add(x)
		view.sample(x)
		s.answered = s.answered || x.Status != 0
	}
	attack, events, err := s.followed(ctx, s.attack(st), add)
	if err != nil {
		return err
	}
	if events != nil {
		add = events.sample
	}
	used := watchUse()
	report, err := attack.Fire(ctx, add)
	if events != nil {
		events.wait(ctx, s.o.timeout)
		report = report.Against(events.latencies, events.last)
	}
	for _, u := range used() {
		m.recorder.AddUse(u)
	}
	if err != nil {
		return fmt.Errorf("storm %s: %w", st.name, err)
	}
	if report.Stopped {
		m.Status = results.StatusAborted
	}
	m.Series = m.recorder.Series()
	m.Took, m.Skew, m.Generator = max(m.Took, report.Took), report.Skew, report.Generator
	if events != nil {
		m.Way = events.parts()
		s.judgeEvents(m.Name, events)
	}
	s.series, s.reports = append(s.series, m), append(s.reports, report)
	return nil
}

// followed has an attack's events followed to their end, if they are to be.
func (s *stormer) followed(ctx context.Context, a drive.Attack, record func(results.Sample)) (drive.Attack, *follower, error) {
	if s.o.completions == "" {
		return a, nil, nil
	}
	stream, err := s.o.stream(s.targets[0].URL)
	if err != nil {
		return a, nil, err
	}
	events, err := follow(context.WithoutCancel(ctx), stream, record)
	if err != nil {
		return a, nil, err
	}
	a.Answered = events.answered
	return a, events, nil
}

func (s *stormer) judgeEvents(name string, f *follower) {
	if f.unnamed > 0 {
		s.note(results.LevelWarn, name, "%d answers named no event: these triggers end with the answer to their publishing", f.unnamed)
	}
	if f.elsewhere > 0 {
		s.note(results.LevelWarn, name, "the stamps of %d completions are of another clock than this machine's: these triggers end when their completion came here, and the parts of their way are not known", f.elsewhere)
	}
}

// verdict notes what a reader must know of the storms.
func (s *stormer) verdict() {
	for i, m := range s.series {
		s.recorded(m.recorder)
		if m.Generator.Limited {
			s.note(results.LevelWarn, m.Name, "this machine was the bottleneck: %s", m.Generator.Why)
		}
		if n := s.reports[i].BadEvidence; n > 0 {
			s.note(results.LevelWarn, m.Name, "the evidence of %d answers could not be read: their start is unknown", n)
		}
	}
	if !s.answered {
		s.run.Status = results.StatusInvalid
		s.note(results.LevelSpoil, "", "no trigger was answered")
	}
}
