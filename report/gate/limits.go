package gate

import (
	"coldstorm/results"
)

// Metric is what a gate looks at.
type Metric string

// The metrics. Latencies are those of the client, from the intended send, of
// each storm by itself; a storm that carries too few samples is left to the
// others. Errors are failures and timeouts over all storms together, with events that
// were tried again, throttles apart from them. Cost is what a million requests at the scenario's steady
// rate cost on Lambda.
const (
	ColdP50 Metric = "cold p50"
	ColdP90 Metric = "cold p90"
	WarmP50 Metric = "warm p50"
	WarmP99 Metric = "warm p99"
	Errors  Metric = "errors"
	Cost    Metric = "cost per million"
)

// Metrics lists every Metric in the order in which it is described.
var Metrics = []Metric{ColdP50, ColdP90, WarmP50, WarmP99, Errors, Cost}

// Off, as a limit, leaves a metric out.
const Off = -1

// Limits say what matters. The zero value has the defaults.
type Limits struct {
	// Effect is the smallest change that matters, metric by metric: 0.05 is
	// 5 %, of errors 0.001 is one in a thousand. Off leaves a metric out; one
	// that is absent, or 0, has its default.
	Effect map[Metric]float64
	// Minimum is how many samples of a storm each run must have. One that is
	// absent, or below 1, has its default.
	Minimum map[Metric]int
	// Alpha is the chance of a false alarm that is accepted over all metrics
	// together; 0: 0.01.
	Alpha float64
	// Lag is the largest schedule lag at p99, as a share of the median under
	// test, with which a latency still counts; 0: 0.1.
	Lag float64
	// Seed of resampling; 0: one that follows from the storms' schedules, so
	// that the same two runs always get the same verdict.
	Seed int64
	// Repeats of resampling; 0: 9,999 for a test, 2,000 for an interval, and
	// 10,000 where its end lies close to the limit.
	Repeats int
}

// throttleLimit is the difference in the share of throttled triggers beyond
// which what was served does not compare.
const throttleLimit = 0.005

// standard is one row of the defaults.
type standard struct {
	effect   float64
	minimum  int
	start    results.Start
	quantile float64
}

// standards holds the defaults. The limits of latencies follow from how far two
// runs of one version lie apart when they are measured in pairs; the minimum of
// warm p99 is what brings its interval to about 5 %.
var standards = map[Metric]standard{
	ColdP50: {0.05, 30, results.StartCold, 0.5},
	ColdP90: {0.10, 200, results.StartCold, 0.9},
	WarmP50: {0.05, 100, results.StartWarm, 0.5},
	WarmP99: {0.15, 2000, results.StartWarm, 0.99},
	Errors:  {0.001, 30, "", 0},
	Cost:    {0.02, 30, results.StartWarm, 0},
}

func (l Limits) effect(m Metric) float64 {
	if v := l.Effect[m]; v > 0 {
		return v
	}
	return standards[m].effect
}

func (l Limits) off(m Metric) bool { return l.Effect[m] < 0 }

func (l Limits) minimum(m Metric) int {
	if n := l.Minimum[m]; n > 0 {
		return n
	}
	return standards[m].minimum
}

func (l Limits) alpha() float64 {
	if l.Alpha > 0 && l.Alpha < 1 {
		return l.Alpha
	}
	return 0.01
}

func (l Limits) lag() float64 {
	if l.Lag > 0 {
		return l.Lag
	}
	return 0.1
}
