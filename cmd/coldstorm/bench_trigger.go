package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/image"
	"coldstorm/runtime/trigger"
	"coldstorm/workloads"
)

// triggerRate is that of a trigger's storm, in events a second: what two cores
// sustain with every kind.
const triggerRate = 50

// triggerPatience is how long an event may take.
const triggerPatience = time.Minute

// benchTrigger publishes a storm to each kind of event source, and follows its
// events by the control stream.
func benchTrigger(ctx context.Context, o benchOptions) (t benchTable, err error) {
	dir, err := os.MkdirTemp("", "coldstorm-bench-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755)
	eng, err := triggeredHello(ctx, dir)
	if err != nil {
		return t, err
	}
	defer func() {
		if cerr := eng.Close(); err == nil {
			err = cerr
		}
	}()
	publish := eng.URL() + "/coldstorm/publish/"
	for _, x := range []*triggerStorm{
		{name: "asynchronous", url: eng.InvokeURL("hello"), header: http.Header{"X-Amz-Invocation-Type": {"Event"}}},
		{name: "queue", url: publish + "orders"},
		{name: "bucket", url: publish + "photos"},
		{name: "schedule", url: publish + "daily"},
	} {
		x.schedule = storm.Constant{Rate: triggerRate, For: time.Duration(max(o.rounds/3, 1)) * time.Second}
		if err := x.fire(ctx, eng.URL()); err != nil {
			return t, fmt.Errorf("%s: %w", x.name, err)
		}
		rows, note := x.rows()
		t.Rows, t.Notes = append(t.Rows, rows...), append(t.Notes, note)
	}
	t.Notes = append(t.Notes, fmt.Sprintf("the function is the bundled hello; %d events a second, warm starts alone; the queue has batches of 10 and no window", triggerRate))
	return t, nil
}

// triggeredHello is an engine with the bundled hello and a source of each kind.
func triggeredHello(ctx context.Context, dir string) (*engine.Engine, error) {
	fn, err := unpack("hello", dir)
	if err != nil {
		return nil, err
	}
	img, err := image.Open(fn, filepath.Join(dir, "store"))
	if err != nil {
		return nil, err
	}
	photos := filepath.Join(dir, "photos")
	if err := os.Mkdir(photos, 0o755); err != nil {
		return nil, err
	}
	eng, err := engine.Start(ctx, engine.Config{Pool: poolSize, Account: &engine.Account{Copies: dir}})
	if err != nil {
		return nil, err
	}
	err = eng.Add(engine.Function{Name: "hello", Image: img, MemoryMB: workloads.MBPerVCPU, Timeout: 30 * time.Second})
	for _, x := range []trigger.Source{
		{Queue: &trigger.Queue{Name: "orders", Function: "hello"}},
		{Bucket: &trigger.Bucket{Name: "photos", Folder: photos, Function: "hello"}},
		{Schedule: &trigger.Schedule{Name: "daily", Expression: "rate(1 day)", Function: "hello"}},
	} {
		if err == nil {
			err = eng.Trigger(x)
		}
	}
	if err != nil {
		eng.Close()
		return nil, err
	}
	return eng, nil
}

// triggerStorm is a storm at one source.
type triggerStorm struct {
	name, url string
	header    http.Header
	schedule  storm.Schedule

	mu       sync.Mutex
	report   drive.Report
	ids      map[uint64]string // by position
	samples  map[uint64]results.Sample
	complete map[string]trigger.Completion // by id
}

// fire publishes the storm at the endpoint, and waits until all that was taken in
// is done with.
func (x *triggerStorm) fire(ctx context.Context, endpoint string) error {
	x.ids, x.samples, x.complete = map[uint64]string{}, map[uint64]results.Sample{}, map[string]trigger.Completion{}
	ctx, cancel := context.WithTimeout(ctx, x.schedule.Duration()+triggerPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/coldstorm/completions", nil)
	if err != nil {
		return err
	}
	stream, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer stream.Body.Close()
	fired := make(chan int, 1)
	go func() {
		x.report, err = drive.Attack{
			URL: x.url, Header: x.header, Schedule: x.schedule, Timeout: triggerPatience,
			Payloads: []drive.Payload{{Body: []byte(`{"name":"bench"}`)}},
			Answered: func(seq uint64, h http.Header) {
				x.mu.Lock()
				defer x.mu.Unlock()
				x.ids[seq] = cmp.Or(h.Get(trigger.TriggerHeader), h.Get("X-Amzn-Requestid"))
			},
		}.Fire(ctx, func(s results.Sample) { x.samples[s.Seq] = s })
		published := 0
		for _, s := range x.samples {
			if s.Outcome == results.OutcomeServed {
				published++
			}
		}
		fired <- published
	}()
	lines, want := json.NewDecoder(stream.Body), x.schedule.Len()
	for len(x.complete) < want {
		var c trigger.Completion
		if derr := lines.Decode(&c); derr != nil {
			<-fired
			return fmt.Errorf("%d of %d events are done with: %w", len(x.complete), want, cmp.Or(context.Cause(ctx), derr))
		}
		x.complete[c.Trigger] = c
	}
	if published := <-fired; err == nil && published < want {
		err = fmt.Errorf("%d of %d events were taken in", published, want)
	}
	return err
}

// rows are the parts of the way of events that met a warm environment, and the
// note says what became of the others.
func (x *triggerStorm) rows() (rows []benchRow, note string) {
	var names []string
	took := map[string][]time.Duration{}
	add := func(name string, d time.Duration) {
		if _, known := took[name]; !known {
			names = append(names, name)
		}
		took[name] = append(took[name], d)
	}
	cold, failed := 0, 0
	for seq, s := range x.samples {
		c := x.complete[x.ids[seq]]
		e, err := results.ParseEvidence(c.Evidence)
		switch {
		case err != nil || c.Outcome != results.OutcomeServed:
			failed++
			continue
		case e.Start != results.StartWarm:
			cold++
			continue
		}
		add("intended send to publish", c.Publish.Sub(s.Intended))
		for _, p := range c.Parts() {
			add(p.Name, p.Took)
		}
		add("intended send to done", c.Done.Sub(s.Intended))
	}
	for _, name := range names {
		q := stats.Summarise(took[name])
		rows = append(rows, benchRow{Contender: x.name + ": " + name, Figures: []benchFigure{
			{Name: "n", Value: float64(q.N)},
			{Name: "p50", Unit: unitNS, Value: float64(q.P50), None: q.P50 == 0},
			{Name: "p99", Unit: unitNS, Value: float64(q.P99), None: q.P99 == 0},
			{Name: "max", Unit: unitNS, Value: float64(q.Max)},
		}})
	}
	return rows, fmt.Sprintf("%s: %d events, of which %d met a cold start and %d failed; sends were %s late at p50 (accuracy %s)",
		x.name, len(x.samples), cold, failed, span(x.report.Lag.P50), x.report.Accuracy)
}
