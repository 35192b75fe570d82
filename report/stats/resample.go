package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Resampling says how often and from which seed.
type Resampling struct {
	Seed    int64   // of a PCG generator: the same seed gives the same figure
	Repeats int     // 0: 9,999 for a test, 2,000 for an interval
	Level   float64 // confidence of an interval; 0: Level
}

func (r Resampling) repeats(normal int) int {
	if r.Repeats > 0 {
		return r.Repeats
	}
	return normal
}

func (r Resampling) random() *rand.Rand {
	return rand.New(rand.NewPCG(uint64(r.Seed), 0x636f6c6473746f72)) // any constant
}

// Interval is a confidence interval. Its zero value, with Level 0, is none.
type Interval struct {
	Low, High float64
	Level     float64
}

// Known reports whether there is an interval.
func (i Interval) Known() bool { return i.Level > 0 }

// HalfWidth returns half the distance between its ends.
func (i Interval) HalfWidth() float64 { return (i.High - i.Low) / 2 }

// MinUnits is the number of independent units below which a bootstrap interval
// would promise more than it holds.
const MinUnits = 10

// Bootstrap returns the percentile bootstrap interval of a statistic over n
// independent units (pairs, rounds): stat gets how many times each unit was
// drawn. Draws for which stat is not a finite number are left out; there is no
// interval with fewer than MinUnits units, or if a twentieth of the draws is
// left out.
func Bootstrap(n int, stat func(times []int) float64, r Resampling) Interval {
	return bootstrap(r, stat, n)
}

// Bootstrap2 is Bootstrap for two independent sets of n and m units, each drawn
// for itself: times holds the first set's units and then the second's.
func Bootstrap2(n, m int, stat func(times []int) float64, r Resampling) Interval {
	return bootstrap(r, stat, n, m)
}

func bootstrap(r Resampling, stat func(times []int) float64, sets ...int) Interval {
	total := 0
	for _, n := range sets {
		if n < MinUnits {
			return Interval{}
		}
		total += n
	}
	rng, times := r.random(), make([]int, total)
	repeats := r.repeats(2000)
	draws := make([]float64, 0, repeats)
	for range repeats {
		clear(times)
		from := 0
		for _, n := range sets {
			for range n {
				times[from+rng.IntN(n)]++
			}
			from += n
		}
		if v := stat(times); !math.IsNaN(v) && !math.IsInf(v, 0) {
			draws = append(draws, v)
		}
	}
	if len(draws)*20 < repeats*19 || len(draws) == 0 {
		return Interval{}
	}
	slices.Sort(draws)
	level := r.Level
	if level <= 0 || level >= 1 {
		level = Level
	}
	at := func(q float64) float64 { return draws[Rank(q, int64(len(draws)))-1] }
	return Interval{Low: at((1 - level) / 2), High: at((1 + level) / 2), Level: level}
}

// P holds the one-sided p values of a test in both directions. Neither is ever
// 0: the labels as they were are one of the labellings.
type P struct {
	Slower float64 // of head being slower, as much or more, by chance
	Faster float64
}

// Swap is the randomization test over n units (pairs, rounds), each of which
// has a base and a head: stat gets for which units the two labels are swapped,
// and returns the statistic, larger where head is slower. With few enough units
// every labelling is tried, and p is exact; else Repeats random ones are.
// A statistic that is not a number counts against a finding. With n = 0 both p
// are 1.
func Swap(n int, stat func(swapped []bool) float64, r Resampling) P {
	if n < 1 {
		return P{1, 1}
	}
	swapped := make([]bool, n)
	t := tally{observed: stat(swapped)}
	if repeats := r.repeats(9999); n < 30 && 1<<n <= repeats+1 {
		for bits := 1; bits < 1<<n; bits++ {
			for i := range swapped {
				swapped[i] = bits>>i&1 == 1
			}
			t.add(stat(swapped))
		}
	} else {
		rng := r.random()
		for range repeats {
			for i := range swapped {
				swapped[i] = rng.Uint64()&1 == 1
			}
			t.add(stat(swapped))
		}
	}
	return t.p()
}

// Permute is the randomization test for two independent sets of n base and m
// head units, where nothing pairs one with another: stat gets which of the n+m
// units, base's first, are labelled head. With an empty set both p are 1.
func Permute(n, m int, stat func(head []bool) float64, r Resampling) P {
	if n < 1 || m < 1 {
		return P{1, 1}
	}
	head := make([]bool, n+m)
	for i := n; i < n+m; i++ {
		head[i] = true
	}
	t, rng := tally{observed: stat(head)}, r.random()
	for range r.repeats(9999) {
		rng.Shuffle(len(head), func(i, j int) { head[i], head[j] = head[j], head[i] })
		t.add(stat(head))
	}
	return t.p()
}

// tally counts labellings whose statistic reaches the observed one.
type tally struct {
	observed       float64
	n, above, less int
}

func (t *tally) add(v float64) {
	t.n++
	// Sums in another order differ in the last digits; they are ties.
	slack := 1e-12 * math.Abs(t.observed)
	if !(v < t.observed-slack) {
		t.above++
	}
	if !(v > t.observed+slack) {
		t.less++
	}
}

func (t *tally) p() P {
	return P{
		Slower: float64(1+t.above) / float64(1+t.n),
		Faster: float64(1+t.less) / float64(1+t.n),
	}
}
