package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/record"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/image"
	"coldstorm/workloads"
)

// liveTarget is the deployed function as storms see it.
type liveTarget struct {
	*runner
	engine    *engine.Engine
	snapStart bool // deploy restores it
	image     image.Image
	log       string           // function.log
	dropped   bool             // the function's files were dropped from the page cache after deploy
	bound     int              // environments that the host's memory allows, of what is deployed; 0 if that is no bound
	view      *stormView       // of the storm that was fired last
	peak      map[string]int64 // by payload: highest memory of an environment after its first invocation, bytes
}

// deploy discards every environment and deploys the function with the storm's
// settings.
func (l *liveTarget) deploy(st workloads.Storm) error {
	f := stormFunction(l.scenario.Function, st)
	l.bound = l.fitting(st, f)
	d := l.deployable(f)
	d.SnapStart = l.snapStart
	if l.bound > 0 {
		d.Concurrency, d.RequestRate = l.bound, -1 // this host's bound is none of Lambda's quotas
	}
	if err := l.engine.Deploy(d); err != nil {
		return fmt.Errorf("deploy for storm %s: %w", st.Name, err)
	}
	return l.dropPages()
}

// deployable is the function as the engine takes it.
func (l *liveTarget) deployable(f workloads.Function) engine.Function {
	return engine.Function{
		Image: l.image, Name: f.Name, MemoryMB: f.MemoryMB, Timeout: f.Timeout, Env: f.Env,
		NoFreeze: !f.Freeze, Concurrency: f.Concurrency, KeepAlive: f.KeepAlive,
	}
}

// fitting is the number of environments that this host holds at once where a
// burst may ask for more, and 0 where it holds enough: by its memory, and by the
// files that a process may open. Each environment of a burst serves about one
// trigger, so its first invocation tells its need of memory.
func (l *liveTarget) fitting(st workloads.Storm, f workloads.Function) int {
	n := l.crowd(st)
	if n == 0 {
		return 0
	}
	want := n
	if f.Concurrency > 0 {
		want = min(want, f.Concurrency)
	}
	fits, why := (openFiles()-n-filesSpare)/filesEach, "open files (ulimit -n)"
	var each int64
	for _, p := range chosen(l.payloads, st.Payloads) {
		each = max(each, l.peak[p.Name])
	}
	if each > 0 {
		if n := int(float64(availableMemory()) * memoryShare / float64(each)); n < fits {
			fits, why = n, fmt.Sprintf("memory (%d MB each)", each>>20)
		}
	}
	if fits = max(1, fits); want <= fits {
		return 0
	}
	l.note(results.LevelWarn, st.Name, "at most %d environments at once: this host has no %s for the %d that the storm may ask for; what is beyond is throttled",
		fits, why, want)
	return fits
}

// crowd is how many triggers a storm sends at once: of one with bursts, the most
// within a second.
func (l *liveTarget) crowd(st workloads.Storm) int {
	if !st.Has(workloads.ShapeBurst) {
		return 0
	}
	schedule, err := scheduleOf(l.scenario, st)
	if err != nil {
		return 0 // which firing it will say
	}
	return storm.Peak(schedule, time.Second)
}

const (
	// memoryShare of what is available may be taken by environments: the rest is
	// for what they need beyond their first invocation, and for the host.
	memoryShare = 0.75
	// filesEach is what an environment keeps open in the engine, beside the
	// connection of each trigger and filesSpare of its own.
	filesEach, filesSpare = 8, 128
)

// storm fires one storm of the scenario and keeps what came of it.
func (l *liveTarget) storm(ctx context.Context, st workloads.Storm) error {
	schedule, err := scheduleOf(l.scenario, st)
	if err != nil {
		return err
	}
	c := copiesFor(l.scenario.Function.Name, schedule)
	if st.Fresh || st.KeepAlive != nil || st.Concurrency != nil || c.several() {
		if err := l.deploy(st); err != nil {
			return err
		}
		if err := l.deployCopies(st, c); err != nil {
			return err
		}
	}
	for _, name := range c.warm {
		if st.Warm == 0 {
			break // a storm that is stopped before it begins is measured all the same: as unsent
		}
		if err := l.warmUp(ctx, st, name); err != nil || ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
	}
	detach, err := l.attach(ctx, st)
	if err != nil {
		return err
	}
	m, err := l.fireSchedule(ctx, st, schedule, func(a *drive.Attack) { l.route(a, c) })
	derr := detach()
	if err != nil {
		return err
	}
	l.judgeShare(m)
	l.series = append(l.series, m)
	l.judge(m)
	if derr != nil { // what was measured until then is kept
		return fmt.Errorf("storm %s: end its event source: %w", st.Name, derr)
	}
	return nil
}

// warmUp makes the storm's number of environments of a function ready.
func (l *liveTarget) warmUp(ctx context.Context, st workloads.Storm, function string) error {
	warm := workloads.Storm{Name: "warm-up of " + st.Name, Shape: workloads.ShapeBurst, N: st.Warm, Payloads: st.Payloads}
	m, err := l.fire(ctx, warm, func(a *drive.Attack) { a.URL, a.Payloads = l.engine.InvokeURL(function), l.events(st) })
	if err != nil || ctx.Err() != nil {
		return err
	}
	if m.Counts.Cold < st.Warm {
		l.note(results.LevelWarn, st.Name, "%d environments were made ready, of %d asked for: of the invocations that were to make them, %d met one that was ready already, %d failed and %d were throttled",
			m.Counts.Cold, st.Warm, m.Counts.Warm, m.Counts.Failed+m.Counts.TimedOut, m.Counts.Throttled)
	}
	return nil
}

// judge notes what a reader must know of a storm.
func (l *liveTarget) judge(m measured) {
	l.recorded(m.recorder)
	if m.Generator.Limited {
		l.note(results.LevelWarn, m.Name, "this machine was the bottleneck: %s", m.Generator.Why)
	}
	if !m.Counts.Accounted() {
		l.note(results.LevelSpoil, m.Name, "%d triggers are not accounted for", m.Counts.Offered-m.Counts.Served-m.Counts.Throttled-m.Counts.Failed-m.Counts.TimedOut-m.Counts.Unsent)
	}
	l.judgeTransport(m)
}

// judgeTransport says why transport is long where it is. A local cold start's is
// to stay under 2 ms: it is what no phase explains.
func (l *liveTarget) judgeTransport(m measured) {
	t := m.Phases[results.PhaseTransport]
	worst, name := t.P99, "p99"
	if worst == 0 {
		worst, name = t.P90, "p90"
	}
	if m.storm.Shape != workloads.ShapeSequence || worst <= 2*time.Millisecond {
		return
	}
	l.note(results.LevelWarn, m.Name, "transport of cold starts is %s at %s (%s at p50), over 2 ms: it holds the sending of events of %s over loopback, and waits for one of %d cores, %.0f %% busy, that generator, engine and function share",
		span(worst), name, span(t.P50), size(meanBytes(chosen(l.payloads, m.storm.Payloads))), l.run.Host.Cores, 100*m.Generator.HostCPUShare)
}

// censusEvery is how often the engine counts environments during a storm.
const censusEvery = 100 * time.Millisecond

// fire fires a storm at what is deployed and records it. options change the
// attack before it begins.
func (l *liveTarget) fire(ctx context.Context, st workloads.Storm, options ...func(*drive.Attack)) (measured, error) {
	schedule, err := scheduleOf(l.scenario, st)
	if err != nil {
		return measured{}, err
	}
	return l.fireSchedule(ctx, st, schedule, options...)
}

// fireSchedule is fire with a schedule of its own.
func (l *liveTarget) fireSchedule(ctx context.Context, st workloads.Storm, schedule storm.Schedule, options ...func(*drive.Attack)) (measured, error) {
	m := measured{storm: st, schedule: schedule, bound: l.bound, Status: results.StatusComplete, recorder: &record.Recorder{
		Name: st.Name, Shape: storm.Describe(schedule), Seed: l.scenario.Seed, Arrivals: storm.Hash(schedule), Folder: l.dir,
	}}
	cached := l.pages()
	view := newStormView(st.Name, schedule)
	l.view = view
	l.progress.Show(view.lines)
	defer l.progress.Show(nil)
	stop, err := l.engine.Watch(censusEvery, view.census)
	if err != nil {
		return m, fmt.Errorf("storm %s: %w", st.Name, err)
	}
	attack := drive.Attack{
		URL: l.engine.InvokeURL(l.scenario.Function.Name), Payloads: fired(chosen(l.payloads, st.Payloads)), Schedule: schedule,
		Seed: l.scenario.Seed, Series: st.Name, Timeout: l.scenario.Function.Timeout + 30*time.Second,
	}
	for _, set := range options {
		set(&attack)
	}
	add := func(x results.Sample) {
		m.recorder.Add(x)
		view.sample(x)
	}
	var events *follower
	if !st.Trigger.Direct() {
		if events, err = l.publish(ctx, st, &attack, add); err != nil {
			stop()
			return m, err
		}
		add = events.sample
	}
	used := watchUse()
	report, err := attack.Fire(ctx, add)
	if events != nil {
		events.wait(ctx, patience(st.Trigger, l.scenario.Function.Timeout))
		report = report.Against(events.latencies, events.last)
	}
	stop()
	for _, u := range used() {
		m.recorder.AddUse(u)
	}
	if err != nil {
		return m, fmt.Errorf("storm %s: %w", st.Name, err)
	}
	for _, c := range view.censuses() {
		m.recorder.AddCensus(c)
	}
	if report.Stopped {
		m.Status = results.StatusAborted
	}
	m.Series = m.recorder.Series()
	m.PageCache = cached
	m.Took, m.Skew, m.Generator = max(m.Took, report.Took), report.Skew, report.Generator
	if events != nil {
		m.Trigger, m.Invocations, m.ColdStarts, m.Way = st.Trigger.String(), len(events.invocations), events.coldStarts, events.parts()
		l.judgeEvents(m, events)
	}
	return m, nil
}
