package stats

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/results"
)

// Level is the confidence of every interval that does not name another.
const Level = 0.95

// Rank returns the rank, from 1, of the order statistic that is the quantile q
// of n samples: the smallest k with k/n >= q. It is held within 1..n; a NaN
// counts as 0. With n < 1 it is 0.
func Rank(q float64, n int64) int64 {
	if n < 1 {
		return 0
	}
	if !(q > 0) {
		return 1
	}
	// 0.07*100 is 7.000000000000001: without the slack its rank would be 8.
	k := int64(math.Ceil(q * float64(n) * (1 - 1e-12)))
	return min(max(k, 1), n)
}

// Quantile returns the quantile q of samples in ascending order, 0 for none.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[Rank(q, int64(len(sorted)))-1]
}

// Carries reports whether n samples carry the quantile q, and whether they do
// so thinly. A quantile above the median needs 10 samples beyond it, or, thinly,
// one. The median and what is below it need one sample.
func Carries(q float64, n int64) (ok, thin bool) {
	if q <= 0.5 {
		return n > 0, false
	}
	beyond := (1 - q) * float64(n) * (1 + 1e-12)
	return beyond >= 1, beyond >= 1 && beyond < 10
}

// Summarise returns the quantiles of samples, which may be in any order and
// are left as they are.
func Summarise(samples []time.Duration) results.Quantiles {
	if len(samples) == 0 {
		return results.Quantiles{}
	}
	sorted := slices.Sorted(slices.Values(samples))
	var sum float64 // nanoseconds; an int64 overflows at 10⁸ samples of a minute
	for _, d := range sorted {
		sum += float64(d)
	}
	n := int64(len(sorted))
	q := summarise(n, func(rank int64) time.Duration { return sorted[rank-1] })
	q.Min, q.Max = sorted[0], sorted[n-1]
	q.Mean = time.Duration(math.Round(sum / float64(n)))
	return q
}

// FromHistogram returns the quantiles of a histogram of nanoseconds, each
// within the histogram's resolution. A nil histogram is an empty one.
func FromHistogram(h *hdrhistogram.Histogram) results.Quantiles {
	if h == nil || h.TotalCount() == 0 {
		return results.Quantiles{}
	}
	n := h.TotalCount()
	q := summarise(n, func(rank int64) time.Duration { return atRank(h, rank) })
	q.Min, q.Max = time.Duration(h.Min()), time.Duration(h.Max())
	q.Mean = time.Duration(math.Round(h.Mean()))
	return q
}

// atRank returns the order statistic of the given rank. The histogram rounds a
// percentile to the nearest rank, type 1 rounds up: handing it the percentile
// of the rank itself makes both the same.
func atRank(h *hdrhistogram.Histogram, rank int64) time.Duration {
	return time.Duration(h.ValueAtPercentile(100 * float64(rank) / float64(h.TotalCount())))
}

// summarise fills in everything that follows from order statistics.
func summarise(n int64, at func(rank int64) time.Duration) results.Quantiles {
	out := results.Quantiles{N: int(n)}
	show := func(q float64) time.Duration {
		ok, thin := Carries(q, n)
		if !ok {
			return 0
		}
		out.Thin = out.Thin || thin
		return at(Rank(q, n))
	}
	out.P50, out.P90, out.P99 = show(0.5), show(0.9), show(0.99)
	if low, high, ok := IntervalRanks(n, 0.5, Level); ok {
		out.P50Low, out.P50High = at(low), at(high)
	}
	if low, high, ok := IntervalRanks(n, 0.99, Level); ok {
		out.P99Low, out.P99High = at(low), at(high)
	}
	return out
}
