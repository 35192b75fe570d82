package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"coldstorm/report/stats"
	"coldstorm/runtime/sim"
)

// timesHint says how a distribution of times is stated.
const timesHint = "50ms, lognormal:50ms,400ms (p50, p99), exponential:50ms (mean), or percentiles: p0=10ms,p50=50ms,p99=400ms"

// parseTimes reads a distribution of durations: see timesHint.
func parseTimes(s string) (sim.Times, error) {
	name, rest, named := strings.Cut(s, ":")
	switch {
	case strings.HasPrefix(s, "p") && strings.Contains(s, "="):
		return parsePercentiles(s)
	case !named:
		d, err := positive(s)
		return sim.Exactly(d), err
	case name == "lognormal":
		a, b, _ := strings.Cut(rest, ",")
		p50, err := positive(a)
		p99, err2 := positive(b)
		if err := errors.Join(err, err2); err != nil {
			return sim.Times{}, err
		}
		return sim.LogNormal(p50, p99)
	case name == "exponential":
		d, err := positive(rest)
		return sim.Exponential(d), err
	}
	return sim.Times{}, fmt.Errorf("no distribution is named %q", name)
}

func parsePercentiles(s string) (sim.Times, error) {
	var ps []sim.Percentile
	for _, part := range strings.Split(s, ",") {
		name, value, _ := strings.Cut(part, "=")
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(name), "p"), 64)
		if err != nil || !strings.HasPrefix(strings.TrimSpace(name), "p") {
			return sim.Times{}, fmt.Errorf("%q is no percentile such as p50=50ms", part)
		}
		d, err := positive(value)
		if err != nil {
			return sim.Times{}, err
		}
		ps = append(ps, sim.Percentile{Q: q / 100, Value: d})
	}
	return sim.Percentiles(ps)
}

// mostStated bounds a stated duration: Lambda runs an invocation for 15 minutes at
// most.
const mostStated = 24 * time.Hour

// positive reads a duration that is not negative.
func positive(s string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil {
		return 0, fmt.Errorf("%q is no duration such as 50ms", s)
	}
	if d < 0 || d > mostStated {
		return 0, fmt.Errorf("%v is not within 0..%v", d, mostStated)
	}
	return d, nil
}

// statedSamples is how many durations stand for a stated distribution: enough for
// its p99.9.
const statedSamples = 2000

// statedProfile is a profile of times that a person states. They are taken to be
// those of the function on Lambda, at the memory that it is given there: they are
// scaled for the models that give it another share of a processor.
func statedProfile(service, initial sim.Times, share, initShare float64) sim.Profile {
	return sim.Profile{
		Init:     initial.Samples(statedSamples),
		Payloads: []sim.Payload{{Service: service.Samples(statedSamples)}},
		Share:    share, InitShare: initShare,
	}
}

// describeTimes says what a profile holds, for a reader.
func describeTimes(p sim.Profile) string {
	var service []time.Duration
	for _, pl := range p.Payloads {
		service = append(service, pl.Service...)
	}
	s, i := stats.Summarise(service), stats.Summarise(p.Init)
	return fmt.Sprintf("service time p50 %s (n=%d), init p50 %s (n=%d)", span(s.P50), s.N, span(i.P50), i.N)
}
