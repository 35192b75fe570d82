package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// mostSamples bounds the triggers that are kept one by one, of all storms and models
// together: some 800 MB.
const mostSamples = 2_000_000

// virtualStart is the stamp at which simulated storms start: 0 would be no time.
const virtualStart = results.Stamp(time.Second)

// each keeps the triggers of a storm on a model, as samples of a series that is
// named for both.
func (s *stormSimulation) each(storm string, m workloads.Model) func(sim.Answer) {
	series := storm + " " + string(m)
	return func(a sim.Answer) {
		x := results.Sample{
			Series: series, Seq: uint64(a.Seq), Outcome: a.Outcome, Reason: a.Reason,
			Intended: virtualStart.Add(a.At), Sent: virtualStart.Add(a.At), Done: virtualStart.Add(a.At + a.Latency),
			Evidence: results.Evidence{Start: cmp.Or(a.Start, results.StartUnknown)},
		}
		x.Phases = phasesOf(a)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.untold++; len(s.samples) < mostSamples {
			s.samples = append(s.samples, x)
			s.untold--
		}
	}
}

// phasesOf splits a latency: what a cold start took before init is sandbox, what
// another waited is queue.
func phasesOf(a sim.Answer) results.Phases {
	p := results.Phases{Invoke: a.Service, Init: a.Init}
	rest := max(0, a.Latency-a.Service-a.Init)
	if a.Start == results.StartCold {
		p.Sandbox = rest
	} else if a.Start != "" {
		p.Queue = rest
	}
	return p
}

// writeSamples writes samples.csv, by storm, model and arrival.
func (s *stormSimulation) writeSamples() error {
	if !s.options.samples {
		return nil
	}
	if s.untold > 0 {
		fmt.Fprintf(s.app.stderr, "samples.csv holds %s triggers, the most that is kept; %s more are in the histograms alone\n", thousands(len(s.samples)), thousands(s.untold))
	}
	slices.SortFunc(s.samples, func(a, b results.Sample) int {
		return cmp.Or(cmp.Compare(a.Series, b.Series), cmp.Compare(a.Seq, b.Seq))
	})
	return results.SaveSamples(s.dir, slices.Values(s.samples))
}
