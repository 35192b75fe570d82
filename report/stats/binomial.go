package stats

import "math"

// IntervalRanks returns the ranks, from 1, of the two order statistics of n
// independent samples between which the quantile q lies with at least the given
// confidence, whatever the distribution. The tails are held apart: each end is
// wrong with at most half of what the confidence leaves. ok is false where n is
// too small for such an end to exist on either side: below 6 samples for the
// median at 95 %, below 368 for p99.
func IntervalRanks(n int64, q, level float64) (low, high int64, ok bool) {
	if n < 1 || !(q > 0 && q < 1) || !(level > 0 && level < 1) {
		return 0, 0, false
	}
	tail := (1 - level) / 2
	// Low is the largest rank with P(B < low) <= tail, where B, the number of
	// samples below the quantile, is binomial(n, q). High mirrors it.
	low = lowerRank(n, q, tail)
	high = n + 1 - lowerRank(n, 1-q, tail)
	return low, high, low >= 1 && high <= n
}

// lowerRank returns the largest k with P(B < k) <= tail for B ~ binomial(n, q),
// 0 if there is none above 0.
func lowerRank(n int64, q, tail float64) int64 {
	mean, sd := float64(n)*q, math.Sqrt(float64(n)*q*(1-q))
	k := max(int64(mean-12*sd), 0) // below it lies less than 10⁻³⁰
	p := binomialPMF(n, k, q)
	odds := q / (1 - q)
	var sum float64
	for ; k <= n; k++ {
		sum += p // P(B <= k)
		if sum > tail {
			return k
		}
		p *= float64(n-k) / float64(k+1) * odds
	}
	return n
}

// binomialPMF returns P(B = k) for B ~ binomial(n, q), 0 < q < 1.
func binomialPMF(n, k int64, q float64) float64 {
	lg := func(x int64) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return math.Exp(lg(n) - lg(k) - lg(n-k) + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
}

// BinomialTail returns P(B >= k) for B ~ binomial(n, q): the exact one-sided p
// of k successes or more. It is 1 for k <= 0 and 0 for k > n.
func BinomialTail(n, k int64, q float64) float64 {
	switch {
	case k <= 0 || math.IsNaN(q):
		return 1
	case k > n || q <= 0:
		return 0
	case q >= 1:
		return 1
	}
	if float64(k) < float64(n)*q { // the short side keeps its digits
		return 1 - BinomialTail(n, n-k+1, 1-q)
	}
	p, sum, odds := binomialPMF(n, k, q), 0.0, q/(1-q)
	for ; k <= n && p > sum*1e-17; k++ {
		sum += p
		p *= float64(n-k) / float64(k+1) * odds
	}
	return min(sum, 1)
}
