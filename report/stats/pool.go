package stats

import (
	"math"
	"slices"
	"time"
)

// Pool holds the samples of several units (rounds, blocks), sorted once, so
// that the quantile of any choice of units costs a walk and not a sort. It is
// what the tests and intervals of quantiles resample.
type Pool struct {
	value []time.Duration // ascending
	unit  []int32         // of each value
	size  []int           // samples of each unit

	// The values are cut into chunks, and in[c*units+u] counts those of unit u
	// in chunk c: a walk skips the chunks below the rank.
	chunk int
	in    []int32
}

// NewPool returns the pool of the given units. A unit may be empty.
func NewPool(units [][]time.Duration) *Pool {
	type entry struct {
		v time.Duration
		u int32
	}
	var all []entry
	p := &Pool{size: make([]int, len(units))}
	for u, samples := range units {
		p.size[u] = len(samples)
		for _, v := range samples {
			all = append(all, entry{v, int32(u)})
		}
	}
	slices.SortFunc(all, func(a, b entry) int {
		if a.v != b.v {
			if a.v < b.v {
				return -1
			}
			return 1
		}
		return int(a.u) - int(b.u)
	})
	p.value, p.unit = make([]time.Duration, len(all)), make([]int32, len(all))
	// A walk costs n/chunk·units to skip and up to chunk to find: least here.
	p.chunk = max(1, int(math.Sqrt(float64(len(all)*len(units)))))
	p.in = make([]int32, (len(all)/p.chunk+1)*len(units))
	for i, e := range all {
		p.value[i], p.unit[i] = e.v, e.u
		p.in[i/p.chunk*len(units)+int(e.u)]++
	}
	return p
}

// Quantile returns the quantile q of the samples of all units, those of unit u
// taken times[u] times; 0 if that leaves none.
func (p *Pool) Quantile(times []int, q float64) time.Duration {
	var n int64
	for u, k := range times {
		n += int64(k) * int64(p.size[u])
	}
	if n == 0 {
		return 0
	}
	left := Rank(q, n)
	for from := 0; from < len(p.value); from += p.chunk {
		c := from / p.chunk * len(p.size)
		var here int64
		for u, k := range p.in[c : c+len(p.size)] {
			here += int64(k) * int64(times[u])
		}
		if left > here {
			left -= here
			continue
		}
		for i := from; ; i++ {
			if left -= int64(times[p.unit[i]]); left <= 0 {
				return p.value[i]
			}
		}
	}
	return 0
}
