package stats

import (
	"math"
	"slices"
)

// KS returns the Kolmogorov-Smirnov distance, 0..1, between samples and a
// cumulative distribution; 0 without samples. NaNs are left out.
func KS(samples []float64, cdf func(x float64) float64) float64 {
	sorted := finite(samples)
	n, d := float64(len(sorted)), 0.0
	for i, x := range sorted {
		f := cdf(x)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d
}

// KS2 returns the Kolmogorov-Smirnov distance between two sets of samples; 0 if
// either is empty. NaNs are left out.
func KS2(a, b []float64) float64 {
	a, b = finite(a), finite(b)
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	i, j, d := 0, 0, 0.0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] <= x { // ties move both
			i++
		}
		for j < len(b) && b[j] <= x {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return d
}

// KSLimit returns the distance that n samples of the distribution itself exceed
// with probability alpha (asymptotic, good from n = 35). For two sets, n is
// their harmonic size n·m/(n+m).
func KSLimit(n, alpha float64) float64 {
	if !(n > 0) || !(alpha > 0 && alpha < 1) {
		return 1
	}
	return min(1, math.Sqrt(-math.Log(alpha/2)/2)/math.Sqrt(n))
}

func finite(samples []float64) []float64 {
	out := make([]float64, 0, len(samples))
	for _, x := range samples {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}
