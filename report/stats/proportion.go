package stats

import "math"

// TwoProportions returns the exact one-sided p (Fisher) of head failing b times
// or more in m when base failed a times in n, if both fail alike. Counts that
// can't be give 1.
func TwoProportions(a, n, b, m int64) float64 {
	if a < 0 || b < 0 || a > n || b > m || n+m == 0 {
		return 1
	}
	// Of all a+b failures, how many fall to head is hypergeometric.
	fail, all := a+b, n+m
	lg := func(n, k int64) float64 { // log of n over k
		x, _ := math.Lgamma(float64(n + 1))
		y, _ := math.Lgamma(float64(k + 1))
		z, _ := math.Lgamma(float64(n - k + 1))
		return x - y - z
	}
	sum := 0.0
	for k := b; k <= min(fail, m); k++ {
		if fail-k > n {
			continue
		}
		sum += math.Exp(lg(m, k) + lg(n, fail-k) - lg(all, fail))
	}
	return min(sum, 1)
}

// DifferenceInterval returns the 95 % interval of head's share b/m less base's
// share a/n (Newcombe's method 10, from Wilson's intervals of both). There is
// none without samples on both sides.
func DifferenceInterval(a, n, b, m int64) Interval {
	if n < 1 || m < 1 {
		return Interval{}
	}
	p, pl, pu := wilson(a, n)
	r, rl, ru := wilson(b, m)
	return Interval{
		Low:   r - p - math.Hypot(r-rl, pu-p),
		High:  r - p + math.Hypot(ru-r, p-pl),
		Level: 0.95,
	}
}

// wilson returns a share with Wilson's score interval at 95 %.
func wilson(k, n int64) (p, low, high float64) {
	const z = 1.959963984540054
	p = float64(k) / float64(n)
	centre := float64(2*k) + z*z
	half := z * math.Sqrt(z*z+4*float64(k)*(1-p))
	return p, (centre - half) / (2 * (float64(n) + z*z)), (centre + half) / (2 * (float64(n) + z*z))
}
