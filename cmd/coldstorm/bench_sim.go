package main

import (
	"context"
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
	var t benchTable
	for cores := 1; cores <= min(2, runtime.NumCPU()); cores++ {
		row, err := benchFunctions(ctx, cores, max(3, rounds/20))
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, row)
	}
	one := t.Rows[0].Rate
	t.Goals = append(t.Goals, benchGoal{
		What: "simulated invocations a second on one core", Want: "at least " + thousands(simGoal), Got: thousands(int(one)), Met: one >= simGoal,
	})
	if len(t.Rows) > 1 {
		t.Goals = append(t.Goals, atLeast("two cores over one", 1.8, t.Rows[1].Rate/one))
	}
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
	t.Notes = []string{
		"the whole of sim.Run is timed: plane, durations, histograms, usage and timeline; published elsewhere: SimFaaS 21,000 a second",
		"the day is one of 46,000 functions and 1,000,000,000 triggers at 60 rounds, and a part of both with fewer; heap is the largest that was seen, of which what stays is the memory of a function times their number",
	}
	return t, nil
}

// benchFunctions simulates a function on each of some cores at a time.
func benchFunctions(ctx context.Context, cores, rounds int) (benchRow, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
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
	row := benchRow{Contender: fmt.Sprintf("Run, %d core", cores)}
	for range rounds {
		if ctx.Err() != nil {
			break
		}
		errs := make([]error, cores)
		var wg sync.WaitGroup
		began := time.Now()
		for i := range cores {
			wg.Go(func() {
				own := c
				own.Seed += int64(i)
				_, errs[i] = sim.Run(own)
			})
		}
		wg.Wait()
		row.Rates = append(row.Rates, float64(cores*triggers)/time.Since(began).Seconds())
		if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
			return row, errs[i]
		}
	}
	if len(row.Rates) > 0 {
		sorted := slices.Sorted(slices.Values(row.Rates))
		row.Rate = sorted[len(sorted)/2]
	}
	return row, nil
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
