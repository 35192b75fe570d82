package stats

import (
	"math"
	"time"
)

// Round is a block of samples of each arm, taken beside each other. A pair is a
// round with one sample each.
type Round struct{ Base, Head []time.Duration }

// Ratio compares the quantile Q of head with that of base over all rounds.
type Ratio struct {
	Q          float64
	Base, Head time.Duration // the quantiles; 0 without samples
	Ratio      float64       // head over base; 0 where either is not positive
	Interval   Interval      // of Ratio, resampling rounds
	P          P             // labels swapped inside rounds
}

// CompareRounds compares the quantile q of both arms: a bootstrap over rounds
// for the interval, a randomization test that swaps labels inside rounds.
func CompareRounds(rounds []Round, q float64, r Resampling) Ratio {
	n := len(rounds)
	units := make([][]time.Duration, 2*n) // base's rounds, then head's
	for i, round := range rounds {
		units[i], units[n+i] = round.Base, round.Head
	}
	pool := NewPool(units)
	base, head := make([]int, 2*n), make([]int, 2*n)
	choose := func(times func(i int) (int, bool)) float64 {
		for i := range n {
			k, swap := times(i)
			b, h := i, n+i
			if swap {
				b, h = h, b
			}
			base[b], base[h], head[h], head[b] = k, 0, k, 0
		}
		return logRatio(pool.Quantile(base, q), pool.Quantile(head, q))
	}
	out := Ratio{Q: q, P: P{1, 1}}
	log := choose(func(int) (int, bool) { return 1, false })
	out.Base, out.Head = pool.Quantile(base, q), pool.Quantile(head, q)
	if math.IsNaN(log) {
		return out
	}
	out.Ratio = math.Exp(log)
	out.P = Swap(n, func(swapped []bool) float64 {
		return choose(func(i int) (int, bool) { return 1, swapped[i] })
	}, r)
	out.Interval = Bootstrap(n, func(times []int) float64 {
		return math.Exp(choose(func(i int) (int, bool) { return times[i], false }))
	}, r)
	return out
}

// CompareBlocks is CompareRounds for two arms that were not measured beside
// each other, each as blocks of neighbouring samples: the blocks of an arm are
// resampled for themselves, and labels are permuted over all blocks. Drift
// between the two measurements can't be told from a difference of the arms.
func CompareBlocks(base, head [][]time.Duration, q float64, r Resampling) Ratio {
	n, m := len(base), len(head)
	units := make([][]time.Duration, 0, n+m)
	pool := NewPool(append(append(units, base...), head...))
	b, h := make([]int, n+m), make([]int, n+m)
	compare := func() float64 { return logRatio(pool.Quantile(b, q), pool.Quantile(h, q)) }
	label := func(head []bool) float64 {
		for i, is := range head {
			b[i], h[i] = 1, 0
			if is {
				b[i], h[i] = 0, 1
			}
		}
		return compare()
	}
	observed := make([]bool, n+m)
	for i := n; i < n+m; i++ {
		observed[i] = true
	}
	out := Ratio{Q: q, P: P{1, 1}}
	log := label(observed)
	out.Base, out.Head = pool.Quantile(b, q), pool.Quantile(h, q)
	if math.IsNaN(log) {
		return out
	}
	out.Ratio = math.Exp(log)
	out.P = Permute(n, m, label, r)
	out.Interval = Bootstrap2(n, m, func(times []int) float64 {
		clear(b)
		clear(h)
		copy(b, times[:n])
		copy(h[n:], times[n:])
		return math.Exp(compare())
	}, r)
	return out
}

// logRatio returns log(head/base), NaN where either is not positive.
func logRatio(base, head time.Duration) float64 {
	if base <= 0 || head <= 0 {
		return math.NaN()
	}
	return math.Log(float64(head) / float64(base))
}
