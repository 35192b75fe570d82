package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/record"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// benchResults is how many results a round records, and durations a mixture has.
const benchResults = 1_000_000

// benchRecord measures what recording a result takes, and how far quantiles are off.
func benchRecord(ctx context.Context, o benchOptions) (t benchTable, err error) {
	dir, err := os.MkdirTemp("", "coldstorm-bench-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	for _, c := range []struct {
		name   string
		memory int
		sample func(i int) results.Sample
	}{
		{"start unknown", 0, plainSample},
		{"evidence, 1 % cold", 0, provedSample},
		{"the same, 1 MiB in memory", 1 << 20, provedSample},
	} {
		var rounds []recordRound
		for range max(3, o.rounds/20) {
			if ctx.Err() != nil {
				return t, nil
			}
			rounds = append(rounds, recordMillion(dir, c.memory, c.sample))
		}
		r := medianBy(rounds, func(r recordRound) time.Duration { return r.each })
		t.Rows = append(t.Rows, benchRow{Contender: c.name, Figures: []benchFigure{
			{Name: "a result", Unit: unitNS, Value: float64(r.each)},
			{Name: "allocations", Unit: unitRatio, Value: r.allocs},
			{Name: "bytes of it", Value: r.size},
			{Name: "heap of 1,000,000", Unit: unitBytes, Value: r.heap},
			{Name: "file", Unit: unitBytes, Value: r.file},
		}})
		t.Goals = append(t.Goals, atMost("allocations a result, "+c.name, 0.01, r.allocs))
	}
	for _, m := range mixtures {
		row, worst := benchMixture(m)
		t.Rows = append(t.Rows, row)
		t.Goals = append(t.Goals, benchGoal{What: "quantiles, " + m.name, Want: "at most 0.1 % off", Got: fmt.Sprintf("%.3f %%", 100*worst), Met: worst <= 0.001})
	}
	t.Notes = append(t.Notes,
		"results are packed; what they take beyond 32 MiB, or what is said, goes to a file; the heap is what 1,000,000 of them leave of it, buffers included, after a collection",
		"quantiles are of 1,000,000 latencies each, ours from the histogram that holds more than 100,000; their errors are against order statistics, with sign")
	return t, nil
}

// recordRound is a million results, recorded.
type recordRound struct {
	each             time.Duration
	allocs           float64 // each
	size, heap, file float64 // bytes; size of each
}

func recordMillion(dir string, memory int, sample func(int) results.Sample) recordRound {
	r := record.Recorder{Memory: memory, Folder: dir}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var took time.Duration
	batch := make([]results.Sample, 0, 1000) // made outside of the time
	for i := 0; i < benchResults; i += cap(batch) {
		batch = batch[:0]
		for k := range cap(batch) {
			batch = append(batch, sample(i+k))
		}
		began := time.Now()
		for k := range batch {
			r.Add(batch[k])
		}
		took += time.Since(began)
	}
	inMemory, file := r.Bytes()
	runtime.ReadMemStats(&after)
	allocs := after.Mallocs - before.Mallocs
	runtime.GC()
	runtime.ReadMemStats(&after)
	out := recordRound{
		each: took / benchResults, allocs: float64(allocs) / benchResults,
		size: float64(inMemory+file) / benchResults, heap: float64(after.HeapAlloc) - float64(before.HeapAlloc), file: float64(file),
	}
	runtime.KeepAlive(&r)
	return out
}

// plainSample is of an endpoint that tells nothing, at 10,000 a second.
func plainSample(i int) results.Sample {
	at := results.Stamp(1e9 + i*100_000)
	return results.Sample{
		Series: "storm", Seq: uint64(i), Intended: at, Sent: at + results.Stamp(300+i%7919), Done: at + results.Stamp(250_000+i%99_991),
		Outcome: results.OutcomeServed, Status: 200, Bytes: 512, Evidence: results.Evidence{Start: results.StartUnknown},
	}
}

var benchEnvironments = func() (names [64]string) {
	for i := range names {
		names[i] = fmt.Sprintf("environment-%d", i)
	}
	return names
}()

// provedSample is one with evidence, of one of 64 environments; each hundredth is a
// cold start, with its moments.
func provedSample(i int) results.Sample {
	s := plainSample(i)
	s.Evidence = results.Evidence{
		Environment: benchEnvironments[i%64], Served: i / 64, Start: results.StartWarm, Received: s.Sent + 60_000, Responded: s.Done - 60_000,
		Billed: time.Millisecond, MaxMemory: 40<<20 + int64(i%64)<<12, CPU: time.Duration(100_000 + i%9973),
	}
	s.Phases.Invoke, s.Phases.Transport = time.Duration(s.Responded-s.Received), 120_000
	if i%100 == 0 {
		s.Start, s.Cause, s.Mode = results.StartCold, results.CauseScaleOut, "pooled"
		s.Phases.Sandbox, s.Phases.FunctionInit = 900_000, 30_000_000
		for m := range s.Moments {
			s.Moments[m] = s.Sent.Add(time.Duration(m+1) * 100 * time.Microsecond)
		}
	}
	return s
}

// mixture is a distribution of latencies, in nanoseconds.
type mixture struct {
	name string
	draw func(*rand.Rand) float64
}

var mixtures = []mixture{
	{"1 % cold", bimodal(0.01)},
	{"10 % cold", bimodal(0.10)},
	{"lognormal", func(r *rand.Rand) float64 { return 2e6 * math.Exp(r.NormFloat64()) }},
	{"Pareto of 1.2", func(r *rand.Rand) float64 { return 1e6 * math.Pow(1-r.Float64(), -1/1.2) }},
}

// bimodal is warm starts of about 2 ms, and a share of cold ones of about 180 ms.
func bimodal(cold float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 {
		if r.Float64() < cold {
			return 180e6 * math.Exp(0.2*r.NormFloat64())
		}
		return 2e6 * math.Exp(0.3*r.NormFloat64())
	}
}

// benchMixture holds quantiles against exact ones, ours and vegeta's.
func benchMixture(m mixture) (row benchRow, worst float64) {
	r := rand.New(rand.NewPCG(1, 1))
	all := make([]time.Duration, benchResults)
	var set stats.Set
	for i := range all {
		all[i] = min(time.Duration(m.draw(r)), stats.Highest)
		set.Add(all[i])
	}
	qs := []float64{0.5, 0.9, 0.99, 0.999, 0.9999}
	digest := drive.StockQuantiles(all, qs)
	slices.Sort(all)
	row.Contender = "quantiles of " + m.name
	for i, q := range qs {
		want := float64(stats.Quantile(all, q))
		got, _ := set.Quantile(q)
		off := float64(got)/want - 1
		worst = max(worst, math.Abs(off))
		name := fmt.Sprintf("p%v", 100*q)
		row.Figures = append(row.Figures,
			benchFigure{Name: name, Unit: unitSigned, Value: 100 * off},
			benchFigure{Name: "t-digest's", Unit: unitSigned, Value: 100 * (float64(digest[i])/want - 1)})
	}
	return row, worst
}
