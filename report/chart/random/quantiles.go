package random

import (
	"math"
	"slices"
	"time"

	"coldstorm/results"
)

// Quantiles summarises ds by the rules of results.Quantiles.
func Quantiles(ds []time.Duration) results.Quantiles {
	n := len(ds)
	if n == 0 {
		return results.Quantiles{}
	}
	ds = slices.Sorted(slices.Values(ds))
	q := results.Quantiles{N: n, Min: ds[0], Max: ds[n-1], P50: at(ds, 0.5), Mean: mean(ds)}
	if n >= 10 {
		q.P90 = at(ds, 0.9)
		q.P50Low, q.P50High = interval(ds, 0.5)
	}
	if n >= 100 {
		q.P99 = at(ds, 0.99)
	}
	if n >= 1000 {
		q.P99Low, q.P99High = interval(ds, 0.99)
	}
	q.Thin = n < 1000
	return q
}

// at returns the smallest value that a share q of the sorted ds doesn't exceed.
func at(ds []time.Duration, q float64) time.Duration {
	return ds[min(len(ds)-1, max(0, int(math.Ceil(q*float64(len(ds))))-1))]
}

func interval(ds []time.Duration, q float64) (lo, hi time.Duration) {
	n := float64(len(ds))
	half := 1.96 * math.Sqrt(q*(1-q)/n)
	return at(ds, q-half), at(ds, q+half)
}

func mean(ds []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range ds {
		sum += d
	}
	return sum / time.Duration(len(ds))
}

// Spectrum returns some forty points for each nine that ds can carry.
func Spectrum(ds []time.Duration) results.Spectrum {
	ds = slices.Sorted(slices.Values(ds))
	var out results.Spectrum
	for i := 0; ; i++ {
		q := 1 - math.Pow(10, -float64(i)/20)
		if (1-q)*float64(len(ds)) < 1 {
			break
		}
		v := at(ds, q)
		out = append(out, results.SpectrumPoint{Q: q, Value: v, Count: int64(math.Ceil(q * float64(len(ds))))})
	}
	if len(ds) > 0 {
		out = append(out, results.SpectrumPoint{Q: 1, Value: ds[len(ds)-1], Count: int64(len(ds))})
	}
	return out
}
