package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/report/cost"
	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// storms simulates the storms of a scenario on its models.
func (o *simulateOptions) storms(ctx context.Context, a *app, args []string) error {
	var from kept
	var err error
	if o.profile != "" {
		if from, err = find(o.profile); err != nil {
			return err
		}
	}
	sc, err := o.scenario(args, from)
	if err != nil {
		return err
	}
	prof, err := o.profileFor(sc, from)
	if err != nil {
		return err
	}
	lines, err := readReportLines(o.reportLines)
	if err != nil {
		return err
	}
	r, err := o.simulation(a, sc)
	if err != nil {
		return err
	}
	defer r.removeWork()
	defer func() { r.lock.Close() }()
	defer r.progress.Close()
	prof.Payloads, prof.RequestBytes = o.payloads(r, prof.Payloads), meanBytes(r.payloads)
	r.note(results.LevelInfo, "", "nothing was run: every figure is simulated, from %s: %s", o.source(from), describeTimes(prof))
	if o.profile != "" {
		r.anchor(&prof, lines)
		if why := extrapolated(sc.Function, from.run.Host); why != "" {
			r.note(results.LevelWarn, "", "%s", why)
		}
	}
	s := newStormSimulation(ctx, r, prof, o)
	s.all()
	return r.finish(ctx, s.writeHlogs, s.writeSamples)
}

// scenario is the one that is named, or that of the profile's run, or the bundled
// one, with the flags applied.
func (o *simulateOptions) scenario(args []string, from kept) (sc workloads.Scenario, err error) {
	switch {
	case len(args) == 1:
		sc, err = loadScenario(args[0])
	case o.profile != "" && from.manifest.ScenarioYAML != "":
		if sc, err = workloads.Parse(from.run.Scenario, []byte(from.manifest.ScenarioYAML)); err != nil {
			return sc, usageError("name a scenario", "the scenario of run %s: %w", from.run.ID, err)
		}
	default:
		sc = workloads.Default()
	}
	if err != nil {
		return sc, exitError{code: exitUsage, err: err}
	}
	o.apply(&sc)
	return sc, nil
}

// profileFor is what the function takes.
func (o *simulateOptions) profileFor(sc workloads.Scenario, from kept) (sim.Profile, error) {
	if o.profile != "" {
		p, err := keptProfile(from)
		if err != nil {
			return p, usageError("a run with cold and warm starts, measured under limits", "the profile of run %s: %w", from.run.ID, err)
		}
		return p, nil
	}
	if o.service == "" || o.init == "" {
		return sim.Profile{}, usageError("--profile RUN takes what a run measured; or state both: --service 50ms --init 200ms", "what the function takes has to be told")
	}
	service, err := parseTimes(o.service)
	if err != nil {
		return sim.Profile{}, usageError(timesHint, "--service: %w", err)
	}
	initial, err := parseTimes(o.init)
	if err != nil {
		return sim.Profile{}, usageError(timesHint, "--init: %w", err)
	}
	return statedProfile(service, initial, float64(sc.Function.MemoryMB)/workloads.MBPerVCPU, sim.InitVCPU), nil
}

// keptProfile is what a run's folder says that its function takes, from storms during
// which the host was quiet, or from all if those have no cold or no warm start.
func keptProfile(k kept) (sim.Profile, error) {
	if why := withheld(k.run.Host, workloads.Function{MemoryMB: k.run.Function.MemoryMB}); why != "" {
		return sim.Profile{}, errors.New(why)
	}
	quiet, byEvents := map[string]bool{}, map[string]bool{}
	for _, s := range k.run.Series {
		quiet[s.Name] = s.Generator.HostCPUShare <= quietShare
		byEvents[s.Name] = s.Trigger != "" || len(s.Way) > 0 // by run, or by storm --completions
	}
	var some, all []results.Sample
	for _, s := range k.samples {
		if s.Start == results.StartRestored || byEvents[s.Series] {
			continue
		}
		all = append(all, s)
		if quiet[s.Series] {
			some = append(some, s)
		}
	}
	p := sim.ProfileOf(some)
	if len(p.Init) == 0 || len(p.Payloads) == 0 || !slices.ContainsFunc(some, func(s results.Sample) bool { return s.Start == results.StartWarm }) {
		p = sim.ProfileOf(all)
	}
	if len(p.Init) == 0 || len(p.Payloads) == 0 {
		return p, errNoProfile
	}
	p.PackageBytes = k.run.Function.PackageBytes
	if k.run.Host.Limits {
		p.Share = float64(k.run.Function.MemoryMB) / workloads.MBPerVCPU
	}
	return p, nil
}

// payloads gives measured payloads the scenario's weights, where they have the
// scenario's names.
func (o *simulateOptions) payloads(r *runner, got []sim.Payload) []sim.Payload {
	if own := weighted(got, r.payloads); len(own) > 0 {
		return own
	}
	return got
}

func (o *simulateOptions) source(from kept) string {
	if o.profile != "" {
		return "what run " + from.run.ID + " measured"
	}
	return "times that were stated"
}

// stormSimulation simulates models, some at a time.
type stormSimulation struct {
	*runner
	ctx     context.Context
	options *simulateOptions
	project projector
	rows    []results.Projection // by the scenario's models
	begun   []bool
	logs    []hlog
	samples []results.Sample
	untold  int          // samples that were not kept
	mu      sync.Mutex   // of logs and samples
	arrived atomic.Int64 // triggers of storms, on all models
	models  atomic.Int64 // done
}

func newStormSimulation(ctx context.Context, r *runner, prof sim.Profile, o *simulateOptions) *stormSimulation {
	s := &stormSimulation{runner: r, ctx: ctx, options: o}
	s.project = projector{
		scenario: r.scenario, payloads: r.payloads, profile: prof, book: r.book,
		wanted: open, arrivals: s.arrivals, scale: o.scale, keep: s.keep,
	}
	if o.samples {
		s.project.each = s.each
	}
	s.rows, s.begun = make([]results.Projection, len(r.scenario.Models)), make([]bool, len(r.scenario.Models))
	return s
}

// open is every storm but those that wait for answers: their triggers depend on what is
// simulated.
func open(st workloads.Storm) bool {
	return !st.Has(workloads.ShapeSequence, workloads.ShapeLoop)
}

// all simulates every model, and puts those that were done into the run.
func (s *stormSimulation) all() {
	began := time.Now()
	s.progress.Say("simulating %d compute models", len(s.rows))
	s.progress.Show(func() []string {
		return []string{fmt.Sprintf("simulated: %d of %d models, %s triggers, %s a second", s.models.Load(), len(s.rows), thousands(int(s.arrived.Load())), thousands(int(float64(s.arrived.Load())/time.Since(began).Seconds())))}
	})
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(s.options.workers, len(s.rows)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(s.rows) || s.ctx.Err() != nil {
					return
				}
				s.model(i)
			}
		})
	}
	wg.Wait()
	s.progress.Show(nil)
	var curves []cost.Curve
	for i, row := range s.rows {
		if !s.begun[i] {
			continue
		}
		s.run.Projections = append(s.run.Projections, row)
		if row.Offered {
			curves = append(curves, cost.Curve{Model: row.Model, Points: row.Curve})
		}
	}
	s.run.BreakEven = cost.BreakEven(curves)
	s.tellCopies(open)
	s.tellSources(open)
}

// model simulates one; what an interruption cut short is not kept.
func (s *stormSimulation) model(i int) {
	m := s.scenario.Models[i]
	row, err := s.project.one(m)
	if s.ctx.Err() != nil {
		return
	}
	if err != nil { // of this model alone, such as an instance that does not hold the function
		row = results.Projection{Model: string(m), Withheld: true, Reason: err.Error()}
	}
	s.rows[i], s.begun[i] = row, true
	s.models.Add(1)
}

// arrivals are a schedule's, scaled and counted, until the simulation is to end.
func (s *stormSimulation) arrivals(schedule storm.Schedule) sim.Arrivals {
	return &scaled{ctx: s.ctx, from: schedule, scale: s.options.scale, n: int(math.Round(float64(schedule.Len()) * s.options.scale)), count: &s.arrived}
}

// scaled is a schedule of which as many triggers are made, or left, as scale says,
// in the same time: between two triggers of the schedule they are at equal distances.
type scaled struct {
	ctx   context.Context
	from  storm.Schedule
	scale float64
	i, n  int
	count *atomic.Int64
}

func (s *scaled) Next(buf []time.Duration) int {
	if s.ctx.Err() != nil {
		return 0
	}
	n := min(len(buf), s.n-s.i)
	for j := range n {
		buf[j] = s.at(s.i + j)
	}
	s.i += n
	s.count.Add(int64(n))
	return n
}

func (s *scaled) at(i int) time.Duration {
	if s.scale == 1 {
		at, _ := s.from.At(i)
		return at
	}
	k, on := placed(i, s.scale, s.from.Len())
	a, _ := s.from.At(k)
	b, more := s.from.At(k + 1)
	if !more {
		b = max(a, s.from.Duration())
	}
	return a + time.Duration(on*float64(b-a))
}

// keep keeps the histograms of a storm on a model for its histogram log.
func (s *stormSimulation) keep(storm string, o sim.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, hlog{name: storm + " " + string(o.Model), outcome: o})
}

// writeHlogs writes a histogram log for each storm on each model.
func (s *stormSimulation) writeHlogs() error {
	for _, l := range s.logs {
		if err := results.Replace(filepath.Join(s.dir, fileName(l.name)+".hlog"), l.write); err != nil {
			return err
		}
	}
	return nil
}
