package main

import (
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/sim"
)

// around is what triggers cost on this host beyond the phases of their environments.
type around struct {
	overhead []time.Duration // transport, of each trigger
	beside   sim.Beside
}

// aroundOf takes it from storms during which the host was quiet, of which prof was made.
// What others used of the host before the first storm, they are taken to have used in each;
// a storm that filled the host all the same tells nothing of work beside it.
func aroundOf(quiet []measured, prof sim.Profile, h results.Host) (a around) {
	var spent []sim.Spent
	for _, m := range quiet {
		samples := slices.Collect(m.recorder.Samples())
		for _, x := range samples {
			if x.Outcome == results.OutcomeServed {
				a.overhead = append(a.overhead, x.Phases.Transport)
			}
		}
		if m.Generator.HostCPUShare > quietShare {
			continue
		}
		spent = append(spent, sim.Spent{
			Triggers: len(samples), Ends: m.ends(), Work: prof.Work(samples),
			CPU: time.Duration((m.Generator.HostCPUShare - h.Others) * float64(h.Cores) * float64(m.Took)),
		})
	}
	a.beside = sim.BesideOf(spent)
	return a
}

// ends is how many environments ended during a storm: those that started, but for what
// was left when it was over.
func (m measured) ends() int {
	n := m.Counts.Cold
	if len(m.Timeline) > 0 {
		if p := m.Timeline[len(m.Timeline)-1]; p.Starting >= 0 && p.Idle >= 0 && p.Busy >= 0 {
			n -= p.Starting + p.Idle + p.Busy
		}
	}
	return max(n, 0)
}
