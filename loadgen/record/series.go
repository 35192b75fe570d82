package record

import (
	"maps"
	"slices"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// Series returns the series as reports show it, all but Generator, which only
// who fired the storm knows.
func (r *Recorder) Series() results.Series {
	out := results.Series{
		Name: r.Name, Shape: r.Shape, Seed: r.Seed, Arrivals: r.Arrivals,
		Counts:   r.Counts(),
		Latency:  map[results.Start]results.Quantiles{},
		Service:  map[results.Start]results.Quantiles{},
		Spectra:  map[results.Start]results.Spectrum{},
		Timeline: r.timeline(),
	}
	start, end := r.extent()
	out.Took = end.Sub(start)
	out.Skew = r.skew()
	for start, set := range r.served(results.Sample.Latency) {
		out.Latency[start] = stats.Summarise(set)
		out.Spectra[start] = stats.Spectrum(set)
	}
	for start, set := range r.served(service) {
		out.Service[start] = stats.Summarise(set)
	}
	out.Lag = stats.Summarise(r.pick(sent, results.Sample.Lag))
	out.Total = stats.Summarise(r.pick(cold, results.Sample.Total))
	out.Phases = r.phases()
	out.Breakdown = Breakdown(r.Samples())
	out.CPU = stats.Summarise(r.pick(func(s results.Sample) bool {
		return s.Outcome == results.OutcomeServed && s.Start == results.StartWarm && s.CPU > 0
	}, func(s results.Sample) time.Duration { return s.CPU }))
	r.use(&out)
	return out
}

func sent(s results.Sample) bool { return s.Sent != 0 }

func cold(s results.Sample) bool {
	return s.Outcome == results.OutcomeServed && s.Start == results.StartCold
}

func service(s results.Sample) time.Duration { return s.Phases.Invoke }

// pick returns value of the samples that match.
func (r *Recorder) pick(match func(results.Sample) bool, value func(results.Sample) time.Duration) []time.Duration {
	var out []time.Duration
	for s := range r.Samples() {
		if match(s) {
			out = append(out, value(s))
		}
	}
	return out
}

// served returns value of the served samples, each kind of start by itself. A
// value of zero did not happen, and is left out.
func (r *Recorder) served(value func(results.Sample) time.Duration) map[results.Start][]time.Duration {
	out := map[results.Start][]time.Duration{}
	for s := range r.Samples() {
		if s.Outcome != results.OutcomeServed {
			continue
		}
		if v := value(s); v != 0 {
			out[s.Start] = append(out[s.Start], v)
		}
	}
	return out
}

// phases returns the quantiles of each phase that any cold start has. A cold
// start without it counts as zero.
func (r *Recorder) phases() map[results.Phase]results.Quantiles {
	out := map[results.Phase]results.Quantiles{}
	for _, p := range results.PhaseNames {
		set := r.pick(cold, func(s results.Sample) time.Duration { return s.Phases.Get(p) })
		if slices.ContainsFunc(set, func(d time.Duration) bool { return d != 0 }) {
			out[p] = stats.Summarise(set)
		}
	}
	return out
}

// use sums up what the environments used.
func (r *Recorder) use(out *results.Series) {
	modes := map[string]bool{}
	for s := range r.Samples() {
		out.PeakMemory = max(out.PeakMemory, s.MaxMemory)
		out.BilledMS += int64(s.Billed / time.Millisecond)
		if s.Mode != "" {
			modes[s.Mode] = true
		}
	}
	out.Modes = slices.Sorted(maps.Keys(modes))
}

// extent returns when the first trigger was intended and when the last thing
// happened. Both are 0 if nothing was sent.
func (r *Recorder) extent() (start, end results.Stamp) {
	for s := range r.Samples() {
		if s.Intended != 0 && (start == 0 || s.Intended < start) {
			start = s.Intended
		}
		end = max(end, s.Sent, s.Done)
	}
	if end == 0 {
		return 0, 0
	}
	return start, end
}

// skew is first to last send of a series whose triggers were all intended at
// one time, and 0 for any other.
func (r *Recorder) skew() time.Duration {
	var at, first, last results.Stamp
	n := 0
	for s := range r.Samples() {
		if s.Sent == 0 {
			continue
		}
		if n++; n == 1 {
			at, first, last = s.Intended, s.Sent, s.Sent
		}
		if s.Intended != at {
			return 0
		}
		first, last = min(first, s.Sent), max(last, s.Sent)
	}
	return last.Sub(first)
}
