package sim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// replay is a trace that is being simulated. Whatever its workers share they add
// up in whole numbers, which come to the same in any order; all else is kept for
// each function and added up in theirs.
type replay struct {
	ctx       context.Context
	config    TraceConfig
	taken     atomic.Int64 // functions that have a worker
	functions []FunctionOutcome
	done      []bool
	workers   []*worker
}

// worker simulates one function after the other in the same memory.
type worker struct {
	*replay
	machine machine
	latency [startKinds]tally // of the function under way
	total   [startKinds]tally
	grid    *timeline
	causes  map[results.Cause]int
	reasons map[string]int
	counts  results.Counts
	last    int64
	err     error
}

const outcomeBytes = int(unsafe.Sizeof(FunctionOutcome{}))

func newReplay(ctx context.Context, c TraceConfig) *replay {
	r := &replay{ctx: ctx, config: c, functions: make([]FunctionOutcome, c.Functions), done: make([]bool, c.Functions)}
	for range min(c.Workers, c.Functions) {
		w := &worker{replay: r, grid: newGrid(c.Span, c.Every), causes: map[results.Cause]int{}, reasons: map[string]int{}}
		w.machine = *newMachine(nil, timing{}, 0, newBook(&billing{}))
		r.workers = append(r.workers, w)
	}
	return r
}

// all simulates every function, and returns the first error by the functions'
// order, or why it was ended.
func (r *replay) all() error {
	var wg sync.WaitGroup
	for _, w := range r.workers {
		wg.Go(w.work)
	}
	wg.Wait()
	for _, w := range r.workers {
		if w.err != nil {
			return w.err
		}
	}
	return context.Cause(r.ctx)
}

func (w *worker) work() {
	for w.err == nil && w.ctx.Err() == nil {
		n := int(w.taken.Add(1)) - 1
		if n >= w.config.Functions {
			return
		}
		if w.config.Order != nil {
			n = w.config.Order[n]
		}
		w.err = w.function(n)
	}
}

// function simulates function n.
func (w *worker) function(n int) error {
	t, err := w.config.Function(n)
	if err != nil {
		return fmt.Errorf("function %d: %w", n, err)
	}
	b := newBook(&billing{lambda: true})
	b.line, b.latency, b.end = w.grid, w.latency, int64(w.config.Span)
	b.keep = 0
	seed := w.config.Seed ^ int64(uint64(n+1)*0x9e3779b97f4a7c15) // another for each function
	m := &w.machine
	m.renew(plane.NewLambda(w.config.rules()), w.config.timing(&t), seed, b)
	in := &inflow{worker: w, from: t.Arrivals}
	times := newBatched(in)
	if err := m.run(&times, int64(w.config.Span)); err != nil {
		return fmt.Errorf("function %d, %s: %w", n, t.Name, err)
	}
	in.report(1)
	w.close(n, &t, b)
	return nil
}

// close keeps what a function came to.
func (w *worker) close(n int, t *Tenant, b *book) {
	b.close(&w.machine, int64(w.config.Span))
	w.grid.rest()
	w.grid.again()
	f := &w.functions[n]
	*f = FunctionOutcome{
		Name: t.Name, MemoryMB: billedMB(t.MemoryMB), Offered: int64(b.counts.Offered),
		Refused: int64(b.counts.Offered - b.counts.Served), Peak: b.alive.peak,
		Busy: float64(b.busy) / 1e9, Alive: b.alive.total / 1e9, ran: b.bill.ran,
	}
	w.latency = b.latency
	f.Warm = w.latency[startWarm].digest()
	cold := &w.latency[startCold]
	if w.latency[startRestored].n > 0 {
		cold = &w.latency[startRestored]
	}
	f.Cold = cold.digest()
	for i := range w.latency {
		w.total[i].merge(&w.latency[i])
		w.latency[i].clear()
	}
	w.add(b)
	w.done[n] = true
}

// add adds a function's counts to those of the worker.
func (w *worker) add(b *book) {
	addCounts(&w.counts, b.counts)
	for k, v := range b.causes {
		w.causes[k] += v
	}
	for k, v := range b.reasons {
		w.reasons[k] += v
	}
	w.last = max(w.last, b.last)
}

func addCounts(to *results.Counts, from results.Counts) {
	to.Offered += from.Offered
	to.Served += from.Served
	to.Throttled += from.Throttled
	to.Failed += from.Failed
	to.TimedOut += from.TimedOut
	to.Cold += from.Cold
	to.Warm += from.Warm
	to.Ready += from.Ready
}

// inflow is the arrivals of one function, which end with the trace's span or when
// the replay is to end.
type inflow struct {
	*worker
	from Arrivals
	told int // triggers that have been reported
	sent int // handed out
}

// reportEvery is how many triggers pass between two reports: some tens of
// milliseconds.
const reportEvery = 1 << 18

// Next is that of from, within the span.
func (a *inflow) Next(buf []time.Duration) int {
	if a.sent-a.told >= reportEvery {
		a.report(0)
	}
	if a.ctx.Err() != nil {
		return 0
	}
	n := a.from.Next(buf)
	for n > 0 && buf[n-1] >= a.config.Span { // they never decrease
		n--
	}
	a.sent += n
	return n
}

// report tells who wants to know of the triggers since it was last told.
func (a *inflow) report(functions int) {
	if a.config.Progress != nil {
		a.config.Progress(a.sent-a.told, functions)
	}
	a.told = a.sent
}

// outcome adds up what the workers and the functions came to.
func (r *replay) outcome() TraceOutcome {
	o := TraceOutcome{Outcome: Outcome{
		Model: r.config.Model, Notes: Notes(r.config.Model),
		Latency: map[results.Start]results.Quantiles{}, Spectra: map[results.Start]results.Spectrum{},
	}}
	var latency [startKinds]tally
	grid := newGrid(r.config.Span, r.config.Every)
	causes, reasons := map[results.Cause]int{}, map[string]int{}
	for _, w := range r.workers {
		addCounts(&o.Counts, w.counts)
		for i := range latency {
			latency[i].merge(&w.total[i])
		}
		for k, v := range w.causes {
			causes[k] += v
		}
		for k, v := range w.reasons {
			reasons[k] += v
		}
		for i := range grid.points {
			addPoint(&grid.points[i], &w.grid.points[i])
		}
		o.Recover = max(o.Recover, time.Duration(w.last))
	}
	if len(causes) > 0 {
		o.Counts.Causes = causes
	}
	if len(reasons) > 0 {
		o.Counts.Reasons = reasons
	}
	o.latencies(&latency)
	o.Timeline = grid.points
	for _, p := range o.Timeline {
		o.Peak = max(o.Peak, p.Starting+p.Idle+p.Busy)
	}
	r.tenants(&o)
	return o
}

// tenants adds up what is kept of each function, in their order.
func (r *replay) tenants(o *TraceOutcome) {
	o.Usage = results.Usage{Model: string(r.config.Model), Architecture: "x86_64", Window: r.config.Span}
	alive := 0.0
	for i := range r.functions {
		if !r.done[i] {
			continue
		}
		f := &r.functions[i]
		f.usage(&o.Usage)
		alive += f.Alive
		o.Idle += max(0, f.Alive-f.Busy) * float64(f.MemoryMB) / 1024
	}
	o.Mean = alive / r.config.Span.Seconds()
	o.Functions = r.functions
	if slices.Contains(r.done, false) {
		o.Functions = nil
		for i, f := range r.functions {
			if r.done[i] {
				o.Functions = append(o.Functions, f)
			}
		}
	}
	o.Config = fmt.Sprintf("%d functions, each with environments of its own, 1 request at once; kept alive %v idle", len(o.Functions), r.config.KeepAlive)
}

// addPoint adds an interval of one timeline to the same of another.
func addPoint(to, from *results.TimelinePoint) {
	count(to, from)
	to.InFlight += from.InFlight
	to.Starting += from.Starting
	to.Idle += from.Idle
	to.Busy += from.Busy
}
