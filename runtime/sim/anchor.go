package sim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"coldstorm/report/stats"
	"coldstorm/workloads"
)

// Factor is the speed of one of this host's cores over one AWS vCPU, as
// Profile.CPUFactor has it, with what it was estimated from.
type Factor struct {
	Value       float64
	Interval    stats.Interval // 95 %, by bootstrap over both sides; none where there are too few
	Here, There int            // warm invocations measured here, and in REPORT lines
	MemoryMB    []int          // of the REPORT lines, ascending
}

// Errors of an estimate.
var (
	ErrNoReportLines = errors.New("no REPORT line of a warm invocation")
	ErrNoProcessor   = errors.New("the function's time is hardly processor time, so durations tell nothing of the processor's speed")
)

// The factors among which one is looked for, a tenth to ten times, in steps of 4 %.
const (
	lowestFactor = 0.1
	factorSteps  = 120
)

func factorAt(step float64) float64 { return lowestFactor * math.Pow(100, step/factorSteps) }

// Anchor estimates the factor from a user's own REPORT lines of the same function: the
// one with which the simulation gives the median of their durations, each size of
// memory counting as many times as it has lines. Only the processor part of what was measured is
// scaled by it, and under the quota of that size, so it is not the ratio of
// durations. Payloads should be those of the REPORT lines.
func (p *Profile) Anchor(lines []ReportLine, seed int64) (Factor, error) {
	if err := p.check(); err != nil {
		return Factor{}, err
	}
	a := anchor{}
	for _, pl := range p.Payloads {
		a.here += len(pl.Service)
	}
	for i := range lines {
		if l := &lines[i]; l.Warm() {
			a.add(l.MemoryMB, l.Duration, a.there)
			a.there++
		}
	}
	if a.there == 0 {
		return Factor{}, ErrNoReportLines
	}
	for i := range a.sizes {
		a.sizes[i].predict(p)
	}
	f := Factor{Here: a.here, There: a.there}
	for _, s := range a.sizes {
		f.MemoryMB = append(f.MemoryMB, s.memoryMB)
	}
	slices.Sort(f.MemoryMB)
	ones := slices.Repeat([]int{1}, max(a.here, a.there))
	if a.misses(factorSteps, ones[:a.here], ones[:a.there])-a.misses(0, ones[:a.here], ones[:a.there]) < math.Log(1.5) {
		return f, ErrNoProcessor
	}
	f.Value = a.solve(ones[:a.here], ones[:a.there])
	if math.IsNaN(f.Value) {
		return f, fmt.Errorf("no factor from %g to %g gives the durations of the REPORT lines: are they of this function, with this payload?", factorAt(0), factorAt(factorSteps))
	}
	f.Interval = stats.Bootstrap2(a.here, a.there, func(times []int) float64 {
		return a.solve(times[:a.here], times[a.here:])
	}, stats.Resampling{Seed: seed})
	return f, nil
}

// anchor is both sides of an estimate.
type anchor struct {
	here, there int
	sizes       []anchorSize
}

// anchorSize is the durations of one memory size: those of REPORT lines, and what
// was measured here as it would be there for each factor. Each is sorted.
type anchorSize struct {
	memoryMB int
	there    []numbered
	steps    [factorSteps + 1][]numbered
}

// numbered is a duration and the number of what it is of.
type numbered struct {
	took int64
	of   int
}

func byTime(a, b numbered) int { return int(min(max(a.took-b.took, -1), 1)) }

func (a *anchor) add(memoryMB int, d time.Duration, number int) {
	i := slices.IndexFunc(a.sizes, func(s anchorSize) bool { return s.memoryMB == memoryMB })
	if i < 0 {
		i = len(a.sizes)
		a.sizes = append(a.sizes, anchorSize{memoryMB: memoryMB})
	}
	a.sizes[i].there = append(a.sizes[i].there, numbered{int64(d), number})
}

// predict fills in what service times would be there.
func (s *anchorSize) predict(p *Profile) {
	slices.SortFunc(s.there, byTime)
	from := limit{p.Share, lambdaPeriod}
	to := limit{float64(s.memoryMB) / workloads.MBPerVCPU, lambdaPeriod}
	for step := range s.steps {
		var all []numbered
		for _, pl := range p.Payloads {
			for _, took := range rescale(pl.Service, pl.CPU, from, to, factorAt(float64(step))) {
				all = append(all, numbered{took, len(all)})
			}
		}
		slices.SortFunc(all, byTime)
		s.steps[step] = all
	}
}

// solve is the factor at which the medians are the same, or NaN. times says how
// often each invocation counts.
func (a *anchor) solve(here, there []int) float64 {
	low, high := 0, factorSteps
	below, above := a.misses(low, here, there), a.misses(high, here, there)
	if !(below <= 0 && above >= 0) {
		return math.NaN()
	}
	for high-low > 1 {
		middle := (low + high) / 2
		if miss := a.misses(middle, here, there); miss <= 0 {
			low, below = middle, miss
		} else {
			high, above = middle, miss
		}
	}
	if above == below {
		return factorAt(float64(low))
	}
	return factorAt(float64(low) + below/(below-above))
}

// misses is by how much the medians with a step's factor are above those of the
// REPORT lines, as a logarithm.
func (a *anchor) misses(step int, here, there []int) float64 {
	sum, weights := 0.0, 0.0
	for i := range a.sizes {
		s := &a.sizes[i]
		want, n := middle(s.there, there)
		got, m := middle(s.steps[step], here)
		if n > 0 && m > 0 {
			sum += float64(n) * math.Log(math.Max(got, 1)/math.Max(want, 1))
			weights += float64(n)
		}
	}
	return sum / weights
}

// middle is the median of sorted durations, each of which counts as many times as
// times says, and how many that are.
func middle(sorted []numbered, times []int) (median float64, n int) {
	for _, x := range sorted {
		n += times[x.of]
	}
	seen := 0
	for i, x := range sorted {
		if seen += times[x.of]; 2*seen > n {
			return float64(x.took), n
		} else if 2*seen == n { // between this and the next that counts
			for _, y := range sorted[i+1:] {
				if times[y.of] > 0 {
					return float64(x.took+y.took) / 2, n
				}
			}
		}
	}
	return 0, n
}

// String says the factor with its interval and source.
func (f Factor) String() string {
	s := fmt.Sprintf("%.2f", f.Value)
	if f.Interval.Known() {
		s += fmt.Sprintf(" (95 %% interval %.2f to %.2f)", f.Interval.Low, f.Interval.High)
	}
	return s + fmt.Sprintf(", from %d REPORT lines of warm invocations against %d measured here", f.There, f.Here)
}
