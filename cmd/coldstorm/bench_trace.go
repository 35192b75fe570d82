package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"coldstorm/runtime/sim"
)

// population is a day of functions as "Serverless in the Wild" (ATC'20) describes
// those of Azure (facts recalled from the paper): 45 % are invoked once an hour or less, 81 % once a
// minute or less, which a log-normal distribution of rates meets; average service times are log-normal with
// mu -0.38 and sigma 2.36 (of seconds), here within 1 ms to 60 s; arrivals are
// Poisson. The highest rates are cut where their sum becomes what is asked for.
type population struct {
	rates []float64 // triggers a second
	seed  uint64
}

const (
	rateMedian, rateSigma    = 1.67 / 3600, 4.08
	serviceMu, serviceSigma  = -0.38, 2.36
	shortest, longestService = 0.001, 60.0 // seconds
)

func newPopulation(functions, triggers int, span time.Duration, seed uint64) population {
	r := rand.New(rand.NewPCG(seed, 1))
	p := population{rates: make([]float64, functions), seed: seed}
	for i := range p.rates {
		p.rates[i] = rateMedian * math.Exp(rateSigma*r.NormFloat64())
	}
	want := float64(triggers) / span.Seconds()
	low, high := 0.0, slices.Max(p.rates)
	for range 100 { // bisection of the highest rate
		most, sum := (low+high)/2, 0.0
		for _, rate := range p.rates {
			sum += min(rate, most)
		}
		if sum < want {
			low = most
		} else {
			high = most
		}
	}
	for i := range p.rates {
		p.rates[i] = min(p.rates[i], high)
	}
	return p
}

// order is the functions by their rates, the highest first.
func (p population) order() []int {
	order := make([]int, len(p.rates))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.rates[b], p.rates[a]) })
	return order
}

func (p population) tenant(i int, span time.Duration) (sim.Tenant, error) {
	r := rand.New(rand.NewPCG(p.seed, uint64(i)+2))
	mean := min(max(math.Exp(serviceMu+serviceSigma*r.NormFloat64()), shortest), longestService) * 1e9
	at := func(share float64) time.Duration { return time.Duration(share * mean) }
	service, err := sim.Percentiles([]sim.Percentile{
		{Q: 0, Value: at(0.2)},
		{Q: 0.01, Value: at(0.25)},
		{Q: 0.25, Value: at(0.6)},
		{Q: 0.5, Value: at(0.85)},
		{Q: 0.75, Value: at(1.2)},
		{Q: 0.99, Value: at(3)},
		{Q: 1, Value: at(6)},
	})
	return sim.Tenant{
		Name: strconv.Itoa(i), MemoryMB: 128 << r.IntN(3), Service: service, Init: sim.Exactly(100 * time.Millisecond),
		Arrivals: &poissonArrivals{rng: r, mean: 1e9 / p.rates[i], end: float64(span)},
	}, err
}

// poissonArrivals is a Poisson stream until end; times are in nanoseconds.
type poissonArrivals struct {
	rng           *rand.Rand
	mean, at, end float64
}

func (p *poissonArrivals) Next(buf []time.Duration) int {
	for i := range buf {
		if p.at += p.mean * p.rng.ExpFloat64(); p.at >= p.end {
			p.at = p.end
			return i
		}
		buf[i] = time.Duration(p.at)
	}
	return len(buf)
}

// The size of Azure's trace of 2019, a day of it.
const (
	azureFunctions = 46_000
	azureTriggers  = 1_000_000_000
	azureMinutes   = 3 // in which it is to be simulated on two cores
)

// benchDay times the simulation of a day of a trace, the share-th part of Azure's
// functions and triggers, on as many cores as workers.
func benchDay(ctx context.Context, share float64, workers int) (benchRow, error) {
	const span = 24 * time.Hour
	functions := max(1, int(share*azureFunctions))
	p := newPopulation(functions, int(share*azureTriggers), span, 1)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
	var peak atomic.Uint64
	c := sim.TraceConfig{
		Functions: functions, Order: p.order(), Span: span, KeepAlive: 10 * time.Minute, Seed: 1, Workers: workers,
		Function: func(i int) (sim.Tenant, error) { return p.tenant(i, span) },
		Progress: func(int, int) { highest(&peak) },
	}
	runtime.GC()
	cpu, began := processorTime(), time.Now()
	o, err := sim.Trace(ctx, c)
	took, used := time.Since(began), processorTime()-cpu
	if err != nil {
		return benchRow{}, err
	}
	bytes := 0
	for i := range o.Functions {
		bytes += o.Functions[i].Bytes()
	}
	return benchRow{Contender: fmt.Sprintf("a day on %d cores", workers), Figures: []benchFigure{
		{Name: "functions", Value: float64(functions)},
		{Name: "triggers", Value: float64(o.Counts.Offered)},
		{Name: "took", Unit: unitNS, Value: float64(took)},
		{Name: "per second", Unit: unitSecond, Value: float64(o.Counts.Offered) / took.Seconds()},
		{Name: "per core second", Unit: unitSecond, Value: float64(o.Counts.Offered) / used.Seconds()},
		{Name: "heap", Unit: unitBytes, Value: float64(peak.Load())},
		{Name: "a function", Unit: unitBytes, Value: float64(bytes) / float64(functions)},
		{Name: "cold", Unit: unitPercent, Value: 100 * float64(o.Counts.Cold) / float64(max(o.Counts.Served, 1))},
	}}, nil
}
