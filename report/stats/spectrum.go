package stats

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/results"
)

// pointsPerNine is how many points a spectrum has between p90 and p99, and in
// every nine: enough for a curve, and a hundredth of a drawing of all samples.
const pointsPerNine = 40

// Spectrum returns the percentile curve of samples, which may be in any order
// and are left as they are: about 40 points for each nine, the median, p90,
// p99 and so on among them. It stops at the last point that has a sample beyond
// it; where fewer than 10 are (Count > N-10), the curve is thin. Points that
// would repeat the same order statistic are left out.
func Spectrum(samples []time.Duration) results.Spectrum {
	sorted := slices.Sorted(slices.Values(samples))
	return spectrum(int64(len(sorted)), func(rank int64) (time.Duration, int64) {
		v := sorted[rank-1]
		return v, int64(sort.Search(len(sorted), func(i int) bool { return sorted[i] > v }))
	})
}

// SpectrumFromHistogram is Spectrum for a histogram of nanoseconds. A nil
// histogram is an empty one.
func SpectrumFromHistogram(h *hdrhistogram.Histogram) results.Spectrum {
	if h == nil || h.TotalCount() == 0 {
		return nil
	}
	type bucket struct{ to, count int64 } // count: of this bucket and all below
	var filled []bucket
	var total int64
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			total += bar.Count
			filled = append(filled, bucket{bar.To, total})
		}
	}
	return spectrum(total, func(rank int64) (time.Duration, int64) {
		b := filled[sort.Search(len(filled), func(i int) bool { return filled[i].count >= rank })]
		return time.Duration(b.to), b.count
	})
}

// spectrum walks the grid; at returns the order statistic of a rank and how
// many samples do not exceed it.
func spectrum(n int64, at func(rank int64) (time.Duration, int64)) results.Spectrum {
	var out results.Spectrum
	last := int64(0)
	for i := 0; ; i++ {
		q := gridQuantile(i)
		if ok, _ := Carries(q, n); !ok {
			return out
		}
		rank := Rank(q, n)
		if rank == last { // one point an order statistic, at the last q that it is the quantile of
			out[len(out)-1].Q = q
			continue
		}
		last = rank
		v, count := at(rank)
		out = append(out, results.SpectrumPoint{Q: q, Value: v, Count: count})
	}
}

// gridQuantile returns the quantile of point i: even steps on an axis where
// each nine takes the same room. The point nearest to the median is the median.
func gridQuantile(i int) float64 {
	if i == 12 { // 1-10^(-12/40) is 0.4988
		return 0.5
	}
	if i%pointsPerNine == 0 { // 0.9 and not 0.9000000000000001
		return 1 - 1/math.Pow10(i/pointsPerNine)
	}
	return 1 - math.Pow(10, -float64(i)/pointsPerNine)
}
