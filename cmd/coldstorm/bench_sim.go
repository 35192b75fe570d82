package main

import (
	"context"
	"runtime"
	"slices"
	"time"

	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// benchSim times the simulation of a Lambda function at 10,000 triggers a
// second of 100 ms each: 1,000 environments, on one core.
func benchSim(ctx context.Context, rounds int) (benchTable, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
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
	row := benchRow{Contender: "coldstorm"}
	for range max(3, rounds/20) {
		if ctx.Err() != nil {
			break
		}
		began := time.Now()
		if _, err := sim.Run(c); err != nil {
			return benchTable{}, err
		}
		row.Rates = append(row.Rates, triggers/time.Since(began).Seconds())
	}
	if len(row.Rates) > 0 {
		sorted := slices.Sorted(slices.Values(row.Rates))
		row.Rate = sorted[len(sorted)/2]
	}
	return benchTable{
		Rows:  []benchRow{row},
		Notes: []string{"the whole of sim.Run is timed: plane, durations, histograms, usage and timeline; published elsewhere: SimFaaS 21,000 a second"},
	}, nil
}
