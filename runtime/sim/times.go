package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Times is a distribution of durations. The zero value is always 0.
type Times struct{ d dist }

// Percentile says that a share Q, in 0..1, of durations is not longer than
// Value.
type Percentile struct {
	Q     float64
	Value time.Duration
}

// Exactly is always d.
func Exactly(d time.Duration) Times { return Times{constant("stated", d)} }

// LogNormal is the log-normal distribution with a median and a 99th percentile,
// which must not be below it.
func LogNormal(p50, p99 time.Duration) (Times, error) {
	if p50 <= 0 || p99 < p50 {
		return Times{}, fmt.Errorf("no log-normal distribution has a p50 of %v and a p99 of %v", p50, p99)
	}
	return Times{logNormal("stated", p50, p99)}, nil
}

// Exponential is the exponential distribution of a mean.
func Exponential(mean time.Duration) Times { return Times{exponential("stated", mean)} }

// Percentiles is the distribution with these percentiles, which are sorted by Q.
// Between two of them the logarithm of a duration grows with Q. What lies below
// the first and above the last is as they are: no tail is invented.
func Percentiles(ps []Percentile) (Times, error) {
	if len(ps) == 0 {
		return Times{}, fmt.Errorf("a distribution without percentiles")
	}
	for i, p := range ps {
		switch {
		case p.Q < 0 || p.Q > 1 || math.IsNaN(p.Q):
			return Times{}, fmt.Errorf("percentile %v is not within 0..1", p.Q)
		case p.Value < 0:
			return Times{}, fmt.Errorf("p%g of %v is negative", 100*p.Q, p.Value)
		case i > 0 && (p.Q <= ps[i-1].Q || p.Value < ps[i-1].Value):
			return Times{}, fmt.Errorf("p%g of %v comes after p%g of %v", 100*p.Q, p.Value, 100*ps[i-1].Q, ps[i-1].Value)
		}
	}
	table := make([]int64, tableSteps+1)
	at := 0
	for i := range table {
		q := float64(i) / tableSteps
		for at+1 < len(ps) && ps[at+1].Q <= q {
			at++
		}
		table[i] = between(ps, at, q)
	}
	return Times{dist{name: "percentiles", table: table}}, nil
}

// between is the duration at q, which is not below percentile i unless that is
// the first.
func between(ps []Percentile, i int, q float64) int64 {
	if q <= ps[i].Q || i+1 == len(ps) {
		return int64(ps[i].Value)
	}
	a, b := math.Max(float64(ps[i].Value), 1), math.Max(float64(ps[i+1].Value), 1)
	share := (q - ps[i].Q) / (ps[i+1].Q - ps[i].Q)
	return int64(math.Round(a * math.Exp(share*math.Log(b/a))))
}

// tableSteps is the number of steps of equal probability into which a table
// divides a distribution; within one, all durations are as likely.
const (
	tableBits  = 8
	tableSteps = 1 << tableBits
)

// lookUp draws from a table.
func lookUp(table []int64, r *rand.Rand) int64 {
	u := r.Uint64()
	i := u >> (64 - tableBits)
	share := float64(u<<tableBits>>11) / (1 << 53)
	return table[i] + int64(share*float64(table[i+1]-table[i]))
}

// Mean is the distribution's mean.
func (t Times) Mean() time.Duration { return time.Duration(t.d.average()) }

// Samples are n durations that stand for the distribution: one of each n-th part
// of it, ascending. A log-normal or exponential tail ends with the middle of the
// last part.
func (t Times) Samples(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(t.d.quantile((float64(i) + 0.5) / float64(n)))
	}
	return out
}

// quantile is the inverse of the distribution function, for q in 0..1.
func (d *dist) quantile(q float64) int64 {
	switch {
	case d.samples != nil:
		return slices.Sorted(slices.Values(d.samples))[min(int(q*float64(len(d.samples))), len(d.samples)-1)]
	case d.table != nil:
		at := q * tableSteps
		i := min(int(at), tableSteps-1)
		return d.table[i] + int64((at-float64(i))*float64(d.table[i+1]-d.table[i]))
	case d.median > 0:
		return int64(d.median * math.Exp(d.sigma*math.Sqrt2*math.Erfinv(2*q-1)))
	case d.mean > 0:
		return int64(-d.mean * math.Log1p(-q))
	}
	return d.lo + int64(q*float64(d.hi-d.lo))
}
