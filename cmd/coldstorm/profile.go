package main

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// errNoProfile says that live measured too little to feed a simulation.
var errNoProfile = errors.New("too little was measured: it takes one cold and one warm start at least")

// profile is what the simulation is fed with: what live measured of the
// function in storms during which the host was quiet. busy is the busiest share of the host's
// cores, 0..1, during a storm that it took figures from.
func profile(sc workloads.Scenario, payloads []payload, quiet []measured, host results.Host, fn results.Function) (p sim.Profile, busy float64, err error) {
	var samples []results.Sample
	for _, s := range quiet {
		samples = slices.AppendSeq(samples, s.recorder.Samples())
		busy = max(busy, s.Generator.HostCPUShare)
	}
	p = sim.ProfileOf(samples)
	if len(p.Init) == 0 || len(p.Payloads) == 0 {
		return p, busy, errNoProfile
	}
	p.CPUFactor, p.PackageBytes = sc.Project.CPUFactor, fn.PackageBytes
	if host.Limits {
		p.Share = float64(sc.Function.MemoryMB) / workloads.MBPerVCPU
	}
	p.Payloads = weighted(p.Payloads, payloads)
	p.RequestBytes = meanBytes(payloads)
	return p, busy, nil
}

// meanBytes is the mean size of an event, by the payloads' weights.
func meanBytes(payloads []payload) int64 {
	var bytes, weights int64
	for _, pl := range payloads {
		bytes += int64(pl.Weight) * int64(len(pl.Body))
		weights += int64(pl.Weight)
	}
	return bytes / max(weights, 1)
}

// weighted gives measured payloads the scenario's weights, in its order.
func weighted(got []sim.Payload, payloads []payload) []sim.Payload {
	var out []sim.Payload
	for _, pl := range payloads {
		if i := slices.IndexFunc(got, func(g sim.Payload) bool { return g.Name == pl.Name }); i >= 0 {
			got[i].Weight = pl.Weight
			out = append(out, got[i])
		}
	}
	return out
}

// only keeps those payloads of a profile that a storm fires.
func only(p sim.Profile, names []string) sim.Profile {
	if len(names) == 0 {
		return p
	}
	all := p.Payloads
	p.Payloads = nil
	for _, pl := range all {
		if slices.Contains(names, pl.Name) {
			p.Payloads = append(p.Payloads, pl)
		}
	}
	if len(p.Payloads) == 0 { // none of them was measured while the host was quiet
		p.Payloads = all
	}
	return p
}

// quietShare is the busy share of the host's cores up to which service times
// hold no wait for a core that is worth speaking of.
const quietShare = 0.75

// quietest are the storms during which the host was quiet. Where they hold no
// cold start, no warm start, or none with one of the payloads, the least busy of
// the others that do join them.
func quietest(series []measured) []measured {
	sorted := slices.Clone(series)
	slices.SortStableFunc(sorted, func(a, b measured) int {
		return cmp.Compare(a.Generator.HostCPUShare, b.Generator.HostCPUShare)
	})
	var quiet []measured
	held := map[string]bool{}
	for _, s := range sorted {
		if s.restored || s.fleet != nil || !s.storm.Trigger.Direct() {
			continue
		}
		fresh := false
		for kind := range s.kinds() {
			fresh = fresh || !held[kind]
			held[kind] = true
		}
		if fresh || s.Generator.HostCPUShare <= quietShare {
			quiet = append(quiet, s)
		}
	}
	return quiet
}

// kinds are what a simulation can learn from a storm: the starts and the
// payloads that were served.
func (m measured) kinds() map[string]bool {
	kinds := map[string]bool{}
	for x := range m.recorder.Samples() {
		if x.Outcome == results.OutcomeServed {
			kinds["start "+string(x.Start)] = true
			kinds["payload "+x.Payload] = true
		}
	}
	return kinds
}

// arrivals are the times of a schedule, for the simulation.
func arrivals(s interface {
	Len() int
	At(int) (time.Duration, bool)
},
) []time.Duration {
	times := make([]time.Duration, 0, s.Len())
	for i := range s.Len() {
		at, _ := s.At(i)
		times = append(times, at)
	}
	return times
}
