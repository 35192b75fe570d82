package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// dist is a distribution of durations. The zero value is always 0.
type dist struct {
	name    string // and its source, for a reader of the code
	samples []int64
	table   []int64 // quantiles in tableSteps equal steps
	median  float64 // of a log-normal
	sigma   float64
	mean    float64 // of an exponential
	lo, hi  int64   // of a uniform, or a constant with lo == hi
}

// z99 is the standard normal's 0.99 quantile.
const z99 = 2.3263478740408408

// logNormal is the log-normal distribution with these percentiles.
func logNormal(name string, p50, p99 time.Duration) dist {
	return dist{name: name, median: float64(p50), sigma: math.Log(float64(p99)/float64(p50)) / z99}
}

func uniform(name string, lo, hi time.Duration) dist {
	return dist{name: name, lo: int64(lo), hi: int64(hi)}
}

func constant(name string, d time.Duration) dist { return uniform(name, d, d) }

func exponential(name string, mean time.Duration) dist {
	return dist{name: name, mean: float64(mean)}
}

// measured draws from samples, each as likely as any other. It invents no tail
// beyond the longest sample.
func measured(name string, samples []int64) dist { return dist{name: name, samples: samples} }

func (d *dist) draw(r *rand.Rand) int64 {
	switch {
	case d.samples != nil:
		if len(d.samples) == 1 {
			return d.samples[0]
		}
		return d.samples[r.IntN(len(d.samples))]
	case d.table != nil:
		return lookUp(d.table, r)
	case d.median > 0:
		return int64(d.median * math.Exp(d.sigma*r.NormFloat64()))
	case d.mean > 0:
		return int64(d.mean * r.ExpFloat64())
	case d.hi > d.lo:
		return d.lo + r.Int64N(d.hi-d.lo+1)
	}
	return d.lo
}

// average is the distribution's mean in nanoseconds.
func (d *dist) average() float64 {
	switch {
	case d.samples != nil:
		return averageOf(d.samples)
	case d.table != nil:
		return (averageOf(d.table)*(tableSteps+1) - float64(d.table[0]+d.table[tableSteps])/2) / tableSteps
	case d.median > 0:
		return d.median * math.Exp(d.sigma*d.sigma/2)
	case d.mean > 0:
		return d.mean
	}
	return float64(d.lo+d.hi) / 2
}

func averageOf(samples []int64) float64 {
	if len(samples) == 0 {
		return 0
	}
	sum := 0.0
	for _, s := range samples {
		sum += float64(s)
	}
	return sum / float64(len(samples))
}
