package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// simGoal is how many invocations are to be simulated a second on one core.
const simGoal = 5_000_000

// benchSim times the simulation of a Lambda function at 10,000 triggers a
// second of 100 ms each: 1,000 environments, on one core and, a function on each, on two. Then
// comes a day of a trace of many functions: all of Azure's at 60 rounds, and in
// proportion with fewer.
func benchSim(ctx context.Context, rounds int) (benchTable, error) {
	t := benchTable{Notes: []string{
		"the whole of sim.Run is timed: plane, durations, histograms, usage and timeline; published elsewhere: SimFaaS 21,000 a second",
		"the day is one of 46,000 functions and 1,000,000,000 triggers at 60 rounds, and a part of both with fewer; heap is the largest that was seen, of which what stays is the memory of a function times their number",
	}}
	cores := min(2, runtime.NumCPU())
	parallel, err := benchFunctions(ctx, cores, max(3, rounds/20))
	if err != nil {
		return t, err
	}
	t.parallel(parallel)
	day, err := benchDay(ctx, min(1, float64(rounds)/60), min(2, runtime.NumCPU()))
	if err != nil {
		return t, err
	}
	t.Rows = append(t.Rows, day)
	if rounds >= 60 {
		took := time.Duration(day.Figures[2].Value)
		t.Goals = append(t.Goals, benchGoal{
			What: "a day of Azure's size", Want: fmt.Sprintf("at most %d minutes", azureMinutes),
			Got: span(took), Met: took <= azureMinutes*time.Minute,
		})
	}
	return t, nil
}

// parallel adds the rows of functions that were simulated on one core and on more,
// and the goals of both.
func (t *benchTable) parallel(by []speed) {
	for i, s := range by {
		t.Rows = append(t.Rows, benchRow{Contender: fmt.Sprintf("Run, %d core(s)", i+1), Rate: middleOf(s.wall), Rates: s.wall})
		t.Notes = append(t.Notes, fmt.Sprintf("Run, %d core(s): %s a second of processor time, whatever else this machine does", i+1, thousands(int(middleOf(s.processor)))))
	}
	one := t.Rows[0].Rate
	t.Goals = append(t.Goals, benchGoal{
		What: "simulated invocations a second on one core", Want: "at least " + thousands(simGoal), Got: thousands(int(one)), Met: one >= simGoal,
	})
	if last := len(by) - 1; last > 0 {
		t.Goals = append(t.Goals, atLeast(fmt.Sprintf("%d cores over one", last+1), 0.9*float64(last+1), t.Rows[last].Rate/one))
	}
}

func middleOf(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(v))[len(v)/2]
}

// speed is invocations a second in each round, of the clock and of processor time.
type speed struct{ wall, processor []float64 }

// benchFunctions simulates a function on one core, and one on each of up to so many
// cores at a time, in turn.
func benchFunctions(ctx context.Context, cores, rounds int) ([]speed, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	const triggers, rate = 2_000_000, 10_000
	c := sim.Config{
		Model: workloads.ModelLambda,
		Function: workloads.Function{
			MemoryMB: workloads.MBPerVCPU, Timeout: 30 * time.Second, KeepAlive: 5 * time.Minute, Concurrency: 2000,
		},
		Profile: sim.Profile{
			Init:     []time.Duration{50 * time.Millisecond},
			Payloads: []sim.Payload{{Service: []time.Duration{80 * time.Millisecond, 100 * time.Millisecond, 120 * time.Millisecond}}},
		},
		Seed: 1, Warm: 1000,
	}
	for i := range triggers {
		c.Arrivals = append(c.Arrivals, time.Duration(float64(i)/rate*1e9))
	}
	out := make([]speed, cores)
	for range rounds {
		for i := range out {
			if ctx.Err() != nil {
				return out, nil
			}
			runtime.GOMAXPROCS(i + 1)
			used, began := processorTime(), time.Now()
			if err := together(c, i+1); err != nil {
				return out, err
			}
			done := float64((i + 1) * triggers)
			out[i].wall = append(out[i].wall, done/time.Since(began).Seconds())
			out[i].processor = append(out[i].processor, done/(processorTime()-used).Seconds())
		}
	}
	return out, nil
}

// together runs a storm n times at a time, each with a seed of its own.
func together(c sim.Config, n int) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			own := c
			own.Seed += int64(i)
			_, errs[i] = sim.Run(own)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// processorTime is what this process has used of the processor.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// highest keeps the largest heap that was seen.
func highest(peak *atomic.Uint64) {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	now := s[0].Value.Uint64()
	for old := peak.Load(); now > old && !peak.CompareAndSwap(old, now); old = peak.Load() {
	}
}
