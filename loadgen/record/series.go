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
		Counts:    r.Counts(),
		Latency:   map[results.Start]results.Quantiles{},
		Service:   map[results.Start]results.Quantiles{},
		Spectra:   map[results.Start]results.Spectrum{},
		Phases:    map[results.Phase]results.Quantiles{},
		Breakdown: Breakdown(r.Samples()),
	}
	g := gathering{latency: map[results.Start]*stats.Set{}, service: map[results.Start]*stats.Set{}, modes: map[string]bool{}}
	for s := range r.Samples() {
		g.add(&s)
	}
	out.Took, out.Skew = g.end.Sub(g.extent()), g.skew()
	for start, set := range g.latency {
		out.Latency[start], out.Spectra[start] = set.Summarise(), set.Spectrum()
	}
	for start, set := range g.service {
		out.Service[start] = set.Summarise()
	}
	out.Lag, out.Total, out.CPU = g.lag.Summarise(), g.total.Summarise(), g.cpu.Summarise()
	for i, p := range results.PhaseNames {
		if g.phases[i].Max() != 0 || g.phases[i].Min() != 0 {
			out.Phases[p] = g.phases[i].Summarise()
		}
	}
	out.PeakMemory, out.BilledMS, out.Modes = g.peak, g.billed, slices.Sorted(maps.Keys(g.modes))
	out.Timeline = r.timeline(g.extent(), g.end)
	return out
}

// Rounded reports whether quantiles of the series come from histograms, as there
// are too many samples for exact ones (see stats.Set).
func (r *Recorder) Rounded() bool { return r.Len() > stats.Exact }

// gathering is what one pass over the samples gives.
type gathering struct {
	latency, service map[results.Start]*stats.Set // of served triggers
	lag              stats.Set                    // of those sent
	total            stats.Set                    // of cold starts
	cpu              stats.Set                    // of warm ones
	phases           [16]stats.Set                // of cold starts, in the order of PhaseNames; one that a start lacks counts as zero

	start, end results.Stamp // first intended, and last thing that happened

	sent        int
	at          results.Stamp // the one intended send, if spread is false
	first, last results.Stamp
	spread      bool

	peak, billed int64
	modes        map[string]bool
}

func (g *gathering) add(s *results.Sample) {
	if s.Intended != 0 && (g.start == 0 || s.Intended < g.start) {
		g.start = s.Intended
	}
	g.end = max(g.end, s.Sent, s.Done)
	if s.Sent != 0 {
		g.lag.Add(s.Lag())
		g.burst(s)
	}
	g.peak = max(g.peak, s.MaxMemory)
	g.billed += int64(s.Billed / time.Millisecond)
	if s.Mode != "" {
		g.modes[s.Mode] = true
	}
	if s.Outcome == results.OutcomeServed {
		g.served(s)
	}
}

// served takes in what only served triggers tell. A time of zero did not happen,
// and is left out.
func (g *gathering) served(s *results.Sample) {
	put(g.latency, s.Start, s.Latency())
	put(g.service, s.Start, service(s))
	if s.Start == results.StartWarm && s.CPU > 0 {
		g.cpu.Add(s.CPU)
	}
	if s.Start != results.StartCold {
		return
	}
	g.total.Add(s.Total())
	for i, p := range results.PhaseNames {
		g.phases[i].Add(s.Phases.Get(p))
	}
}

func put(sets map[results.Start]*stats.Set, start results.Start, d time.Duration) {
	if d == 0 {
		return
	}
	set := sets[start]
	if set == nil {
		set = &stats.Set{}
		sets[start] = set
	}
	set.Add(d)
}

// burst follows the sends of a series whose triggers were all intended at once.
func (g *gathering) burst(s *results.Sample) {
	if g.sent++; g.sent == 1 {
		g.at, g.first = s.Intended, s.Sent
	}
	g.spread = g.spread || s.Intended != g.at
	g.first, g.last = min(g.first, s.Sent), max(g.last, s.Sent)
}

// skew is first to last send of a series whose triggers were all intended at
// one time, and 0 for any other.
func (g *gathering) skew() time.Duration {
	if g.spread {
		return 0
	}
	return g.last.Sub(g.first)
}

// extent is when the first trigger was intended; 0 if nothing was sent.
func (g *gathering) extent() results.Stamp {
	if g.end == 0 {
		return 0
	}
	return g.start
}

func cold(s *results.Sample) bool {
	return s.Outcome == results.OutcomeServed && s.Start == results.StartCold
}

func service(s *results.Sample) time.Duration { return s.Phases.Invoke }
