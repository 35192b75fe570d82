package sim

import (
	"slices"
	"time"

	"coldstorm/results"
)

// ProfileOf makes a profile of served samples: init, launch and first service
// times of those that were cold, service and processor times of those that were
// warm, a payload for each name, weighted by how many samples had it. Hand it
// samples of single triggers: what contention a storm had would be projected onto
// AWS, where there is none. Share, InitShare, CPUFactor, PackageBytes and
// RequestBytes stay for the caller to set.
//
// Warm invocations of environments that have served few are kept apart where there are
// enough of both. A cold sample's processor time is that of init and invocation together, so
// InitCPU stays empty. A payload that was only sent cold is taken to be as slow
// when warm. Processor times are used where every warm sample of a payload has
// one.
func ProfileOf(samples []results.Sample) Profile {
	var p Profile
	index := map[string]int{}
	var bytes, served int64
	for i := range samples {
		s := &samples[i]
		if s.Outcome != results.OutcomeServed || s.Start == results.StartUnknown || s.Start == "" {
			continue
		}
		served++
		bytes += s.Bytes
		p.ResidentBytes = max(p.ResidentBytes, s.MaxMemory)
		n, ok := index[s.Payload]
		if !ok {
			n = len(p.Payloads)
			index[s.Payload] = n
			p.Payloads = append(p.Payloads, Payload{Name: s.Payload})
		}
		p.Payloads[n].Weight++
		p.add(&p.Payloads[n], s)
	}
	for i := range p.Payloads {
		p.Payloads[i].settle()
	}
	if served > 0 {
		p.ResponseBytes = bytes / served
	}
	return p
}

func (p *Profile) add(pl *Payload, s *results.Sample) {
	if s.Start == results.StartWarm && s.Evidence.Served > 0 && s.Evidence.Served <= youngest {
		pl.Young = append(pl.Young, s.Phases.Invoke)
		pl.YoungCPU = append(pl.YoungCPU, s.CPU)
		return
	}
	if s.Start != results.StartCold {
		pl.Service = append(pl.Service, s.Phases.Invoke)
		pl.CPU = append(pl.CPU, s.CPU)
		return
	}
	p.Init = append(p.Init, s.Phases.InitDuration())
	p.Launch = append(p.Launch, s.Phases.Sandbox+s.Phases.Rootfs)
	pl.First = append(pl.First, s.Phases.Invoke)
}

// settle drops what is not known of a payload.
func (pl *Payload) settle() {
	if len(pl.Young) < leastYoung || len(pl.Service) < leastYoung {
		pl.Service, pl.CPU = append(pl.Service, pl.Young...), append(pl.CPU, pl.YoungCPU...)
		pl.Young, pl.YoungCPU = nil, nil
	}
	if slices.Contains(pl.YoungCPU, 0) {
		pl.YoungCPU = nil
	}
	if slices.Contains(pl.CPU, 0) {
		pl.CPU = nil
	}
	if len(pl.Service) == 0 {
		pl.Service = slices.Clone[[]time.Duration](pl.First)
	}
}
