package main

import (
	"errors"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// mbPerVCPU is the memory that gives a Lambda function one vCPU (AWS Lambda
// quotas).
const mbPerVCPU = 1769

// errNoProfile says that live measured too little to feed a simulation.
var errNoProfile = errors.New("too little was measured to project: it takes one cold and one warm start at least")

// profile is what the simulation is fed with: everything that live measured of
// the function in storms that didn't saturate the host.
func profile(sc workloads.Scenario, payloads []payload, series []measured, host results.Host, fn results.Function) (sim.Profile, error) {
	p := sim.Profile{CPUFactor: sc.Project.CPUFactor, PackageBytes: fn.PackageBytes}
	if host.Limits {
		p.Share = float64(sc.Function.MemoryMB) / mbPerVCPU
	}
	quiet := quietest(series)
	byPayload := map[string]*sim.Payload{}
	for _, pl := range payloads {
		byPayload[pl.Name] = &sim.Payload{Name: pl.Name, Weight: pl.Weight}
		p.RequestBytes = max(p.RequestBytes, int64(len(pl.Body)))
	}
	var answered, bytes int64
	for _, s := range quiet {
		for _, x := range s.samples {
			if x.Outcome != results.OutcomeServed {
				continue
			}
			answered++
			bytes += x.Bytes
			p.ResidentBytes = max(p.ResidentBytes, x.MaxMemory)
			addToProfile(&p, byPayload[x.Payload], x)
		}
	}
	if answered > 0 {
		p.ResponseBytes = bytes / answered
	}
	for _, pl := range payloads {
		if got := byPayload[pl.Name]; len(got.Service) > 0 {
			p.Payloads = append(p.Payloads, *got)
		}
	}
	if len(p.Init) == 0 || len(p.Payloads) == 0 {
		return p, errNoProfile
	}
	return p, nil
}

func addToProfile(p *sim.Profile, pl *sim.Payload, x results.Sample) {
	if pl == nil {
		return
	}
	switch x.Start {
	case results.StartCold:
		p.Init = append(p.Init, x.Phases.InitDuration())
		p.Launch = append(p.Launch, x.Phases.Sandbox+x.Phases.Rootfs)
		pl.First = append(pl.First, x.Phases.Invoke)
	case results.StartWarm:
		pl.Service = append(pl.Service, x.Phases.Invoke)
		if x.CPU > 0 {
			pl.CPU = append(pl.CPU, x.CPU)
		}
	}
	if len(pl.CPU) != len(pl.Service) {
		pl.CPU = nil // processor time of some is no pairing
	}
}

// quietest drops the storms during which the host's cores were busy, as their
// service times hold a wait for a core: all those above half, or, where none is
// below, all but the least busy.
func quietest(series []measured) []measured {
	var quiet []measured
	least := -1
	for i, s := range series {
		if s.Generator.HostCPUShare <= 0.75 {
			quiet = append(quiet, s)
		}
		if least < 0 || s.Generator.HostCPUShare < series[least].Generator.HostCPUShare {
			least = i
		}
	}
	if len(quiet) == 0 && least >= 0 {
		return series[least : least+1]
	}
	return quiet
}

// arrivals are the times of a schedule, for the simulation.
func arrivals(s interface {
	Len() int
	At(int) (time.Duration, bool)
}) []time.Duration {
	times := make([]time.Duration, 0, s.Len())
	for i := range s.Len() {
		at, _ := s.At(i)
		times = append(times, at)
	}
	return times
}
