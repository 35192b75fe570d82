package stats

import (
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/results"
)

// Histograms of durations hold 1 ns to 900 s, the longest that Lambda lets an
// invocation run, in three digits. The lowest value must be 1 ns: in units of
// 1,000 ns short times are off by percents.
const (
	Lowest  = time.Nanosecond
	Highest = 900 * time.Second
	digits  = 3
)

// NewHistogram returns an empty histogram of nanoseconds, from Lowest to Highest.
func NewHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(int64(Lowest), int64(Highest), digits)
}

// Exact is how many durations a Set keeps as they are.
const Exact = 100_000

// Set gathers durations in bounded memory. Up to Exact of them are kept, 8 bytes
// each, and every figure is of order statistics; beyond, they are in a histogram
// (254 kB) whose values are at most 1/1,024 above what was added, and never below.
// Count, extremes and mean are exact always. The zero value is empty and ready.
type Set struct {
	// Clamped is how many durations the histogram could not hold: those above Highest
	// count as Highest, and those below 0 as 0.
	Clamped int

	n        int64
	sum      float64 // nanoseconds
	min, max time.Duration
	values   []time.Duration
	sorted   bool
	h        *hdrhistogram.Histogram // nil while values are kept
}

// Add takes a duration in.
func (s *Set) Add(d time.Duration) {
	if s.n == 0 || d < s.min {
		s.min = d
	}
	if s.n == 0 || d > s.max {
		s.max = d
	}
	s.n++
	s.sum += float64(d)
	if s.h != nil {
		s.record(d)
		return
	}
	s.values, s.sorted = append(s.values, d), false
	if len(s.values) > Exact {
		s.spill()
	}
}

// spill moves the values into a histogram.
func (s *Set) spill() {
	s.h = NewHistogram()
	for _, d := range s.values {
		s.record(d)
	}
	s.values = nil
}

func (s *Set) record(d time.Duration) {
	if d > Highest || d < 0 {
		s.Clamped++
		d = min(max(d, 0), Highest)
	}
	_ = s.h.RecordValue(int64(d)) // it is within the range
}

// Merge takes in what another set gathered, which is left as it is.
func (s *Set) Merge(o *Set) {
	if o.n == 0 {
		return
	}
	if s.n == 0 {
		s.min, s.max = o.min, o.max
	}
	s.min, s.max = min(s.min, o.min), max(s.max, o.max)
	s.n, s.sum, s.Clamped = s.n+o.n, s.sum+o.sum, s.Clamped+o.Clamped
	s.values, s.sorted = append(s.values, o.values...), false
	if s.h == nil && (o.h != nil || len(s.values) > Exact) {
		s.spill()
	}
	if s.h == nil {
		return
	}
	for _, d := range s.values {
		s.record(d)
	}
	s.values = nil
	if o.h != nil {
		s.h.Merge(o.h)
	}
}

// N returns how many durations there are.
func (s *Set) N() int { return int(s.n) }

// Min and Max return the extremes, Mean the mean: all 0 of none.
func (s *Set) Min() time.Duration { return s.min }

// Max returns the longest.
func (s *Set) Max() time.Duration { return s.max }

// Mean returns the mean.
func (s *Set) Mean() time.Duration {
	if s.n == 0 {
		return 0
	}
	return time.Duration(math.Round(s.sum / float64(s.n)))
}

// Quantile returns the quantile q, and whether the set has enough samples to
// carry it. It is 0 where it has not.
func (s *Set) Quantile(q float64) (d time.Duration, ok bool) {
	if ok, _ = Carries(q, s.n); !ok {
		return 0, false
	}
	return s.at(Rank(q, s.n)), true
}

// at returns the order statistic of a rank. None is beyond the extremes.
func (s *Set) at(rank int64) time.Duration {
	if s.h != nil {
		return min(max(atRank(s.h, rank), s.min), s.max)
	}
	if !s.sorted {
		slices.Sort(s.values)
		s.sorted = true
	}
	return s.values[rank-1]
}

// Summarise returns the quantiles that the set carries.
func (s *Set) Summarise() results.Quantiles {
	if s.n == 0 {
		return results.Quantiles{}
	}
	q := summarise(s.n, s.at)
	q.Min, q.Max, q.Mean = s.min, s.max, s.Mean()
	return q
}

// Spectrum returns the percentile curve.
func (s *Set) Spectrum() results.Spectrum {
	if s.h != nil {
		return SpectrumFromHistogram(s.h)
	}
	return Spectrum(s.values)
}
