package workloads

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	milli = time.Millisecond
	sec   = time.Second
)

// shapeCases has every shape as a file writes it, and what is read.
var shapeCases = []struct {
	yaml     string
	want     Storm
	triggers int
	length   time.Duration
}{
	{"shape: burst, n: 5", Storm{Shape: ShapeBurst, N: 5}, 5, 0},
	{"name: even, shape: constant, rate: 10/s, for: 2s", Storm{Name: "even", Shape: ShapeConstant, Rate: 10, For: 2 * sec}, 20, 2 * sec},
	{"shape: constant, rate: 10/s, for: 2s, arrivals: poisson", Storm{Shape: ShapeConstant, Rate: 10, For: 2 * sec, Poisson: true}, 20, 2 * sec},
	{"shape: ramp, from: 0, to: 10/s, for: 2s, arrivals: even", Storm{Shape: ShapeRamp, To: 10, For: 2 * sec}, 10, 2 * sec},
	{"shape: step, from: 2/s, to: 6/s, steps: 3, for: 3s", Storm{Shape: ShapeStep, From: 2, To: 6, Steps: 3, For: 3 * sec}, 12, 3 * sec},
	{
		"shape: spike, rate: 0, peak: 10/s, every: 5s, width: 1s, for: 10s",
		Storm{Shape: ShapeSpike, Peak: 10, Every: 5 * sec, Width: sec, For: 10 * sec},
		20, 10 * sec,
	},
	{
		"shape: wave, rate: 10/s, swing: 5/s, period: 2s, phase: 0.25, for: 4s",
		Storm{Shape: ShapeWave, Rate: 10, Swing: 5, Period: 2 * sec, Phase: 0.25, For: 4 * sec},
		40, 4 * sec,
	},
	{"shape: diurnal, low: 0, high: 1/h, for: 24h", Storm{Shape: ShapeDiurnal, High: 1.0 / 3600, Period: 24 * time.Hour, For: 24 * time.Hour}, 12, 24 * time.Hour},
	{"name: d, shape: diurnal, low: 0, high: 10/s, period: 4s, for: 4s", Storm{Name: "d", Shape: ShapeDiurnal, High: 10, Period: 4 * sec, For: 4 * sec}, 20, 4 * sec},
	{"shape: poisson, rate: 10/s, for: 2s", Storm{Shape: ShapePoisson, Rate: 10, For: 2 * sec}, 20, 2 * sec},
	{
		"shape: on-off, high: 40/s, low: 0, high_for: 1s, low_for: 3s, for: 8s",
		Storm{Shape: ShapeOnOff, High: 40, HighFor: sec, LowFor: 3 * sec, For: 8 * sec},
		80, 8 * sec,
	},
	{
		"shape: pareto, rate: 10/s, hurst: 0.8, sources: 3, high_for: 200ms, low_for: 1s, for: 2s",
		Storm{Shape: ShapePareto, Rate: 10, Hurst: 0.8, Sources: 3, HighFor: 200 * milli, LowFor: sec, For: 2 * sec},
		20, 2 * sec,
	},
	{
		"shape: trace, file: day.csv, format: azure2019, place: even, functions: 50, apart: true, since: 1h, for: 10m, time: 0.5, load: 2",
		Storm{
			Shape: ShapeTrace, File: "day.csv", Format: "azure2019", Place: "even", Functions: 50, Apart: true,
			Since: time.Hour, For: 10 * time.Minute, Time: 0.5, Load: 2,
		},
		1, 5 * time.Minute, // at least: how many is in the file
	},
	{"name: log, shape: trace, file: access.log", Storm{Name: "log", Shape: ShapeTrace, File: "access.log"}, 1, 0},
	{"shape: gap, n: 3, gap: 2s", Storm{Shape: ShapeGap, N: 3, Gap: 2 * sec}, 3, 4 * sec},
	{"shape: gaps, gaps: [1s, 5s]", Storm{Shape: ShapeGaps, Gaps: []time.Duration{sec, 5 * sec}}, 3, 6 * sec},
	{"shape: ladder, first: 1s, last: 4s, n: 3", Storm{Shape: ShapeLadder, First: sec, Last: 4 * sec, N: 3}, 4, 7 * sec},
	{"shape: sequence, n: 3", Storm{Shape: ShapeSequence, N: 3}, 3, 0},
	{"shape: loop, clients: 2, n: 10", Storm{Shape: ShapeLoop, Clients: 2, N: 10}, 10, 0},
	{
		"name: thinkers, shape: loop, clients: 2, n: 10, think: 50ms, thinking: exponential",
		Storm{Name: "thinkers", Shape: ShapeLoop, Clients: 2, N: 10, Think: 50 * milli, Exponential: true},
		10, 0,
	},
	{
		"shape: chain, parts: [{shape: burst, n: 2}, {shape: pause, for: 3s}, {shape: gap, n: 2, gap: 1s}]",
		Storm{Shape: ShapeChain, Parts: []Storm{{Shape: ShapeBurst, N: 2}, {Shape: ShapePause, For: 3 * sec}, {Shape: ShapeGap, N: 2, Gap: sec}}},
		4, 4 * sec,
	},
	{
		"shape: overlay, parts: [{shape: burst, n: 2}, {shape: gap, n: 2, gap: 1s}]",
		Storm{Shape: ShapeOverlay, Parts: []Storm{{Shape: ShapeBurst, N: 2}, {Shape: ShapeGap, N: 2, Gap: sec}}},
		4, sec,
	},
	{"shape: repeat, times: 3, every: 5s, of: {shape: burst, n: 2}", Storm{Shape: ShapeRepeat, Times: 3, Every: 5 * sec, Parts: []Storm{{Shape: ShapeBurst, N: 2}}}, 6, 10 * sec},
	{
		"name: again, shape: repeat, times: 3, of: {shape: gap, n: 2, gap: 1s}",
		Storm{Name: "again", Shape: ShapeRepeat, Times: 3, Parts: []Storm{{Shape: ShapeGap, N: 2, Gap: sec}}},
		6, 3 * sec,
	},
	{
		"shape: scale, time: 0.5, load: 1.5, of: {shape: poisson, rate: 5/s, for: 2s}",
		Storm{Shape: ShapeScale, Time: 0.5, Load: 1.5, Parts: []Storm{{Shape: ShapePoisson, Rate: 5, For: 2 * sec}}},
		15, sec,
	},
	{"shape: zipf, functions: 9, of: {shape: burst, n: 2}", Storm{Shape: ShapeZipf, Functions: 9, Exponent: 1, Parts: []Storm{{Shape: ShapeBurst, N: 2}}}, 2, 0},
	{
		"name: alike, shape: zipf, functions: 9, exponent: 0, of: {shape: burst, n: 2}",
		Storm{Name: "alike", Shape: ShapeZipf, Functions: 9, Parts: []Storm{{Shape: ShapeBurst, N: 2}}},
		2, 0,
	},
	{
		"shape: cold, share: 7%, of: {shape: zipf, functions: 2, of: {shape: burst, n: 2}}",
		Storm{Shape: ShapeCold, Share: 0.07, Parts: []Storm{{Shape: ShapeZipf, Functions: 2, Exponent: 1, Parts: []Storm{{Shape: ShapeBurst, N: 2}}}}},
		2, 0,
	},
}

func TestEveryShapeIsReadWithItsTriggersAndItsLength(t *testing.T) {
	var seen []Shape
	for _, c := range shapeCases {
		s, err := Parse("shape.yaml", []byte("function: {path: f}\nstorms: [{"+c.yaml+", warm: 4}]\n"))
		if err != nil {
			t.Errorf("%s: %v", c.yaml, err)
			continue
		}
		got := s.Storms[0]
		if c.want.Name == "" {
			c.want.Name = string(c.want.Shape)
		}
		c.want.Warm, c.want.Fresh = 4, true
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.yaml, diff)
		}
		if got.Triggers() != c.triggers || got.Length() != c.length {
			t.Errorf("%s: %d triggers in %v, want %d in %v", c.yaml, got.Triggers(), got.Length(), c.triggers, c.length)
		}
		for seen = append(seen, got.Shape); len(got.Parts) > 0; got = got.Parts[0] {
			for _, p := range got.Parts {
				seen = append(seen, p.Shape)
			}
		}
	}
	slices.Sort(seen)
	sameWords(t, "cases", words(slices.Compact(seen)), words(Shapes))
}
