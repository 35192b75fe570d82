package main

import (
	"fmt"

	"coldstorm/runtime/engine"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// standing is the function on Lambda Managed Instances as they are on this machine:
// environments that stand, with the memory and processors that they have here as Lambda's,
// and their rules as they are.
func (l *liveTarget) standing(prof sim.Profile) (f engine.Function, on *liveFleet, words string, err error) {
	p, o := l.scenario.Project, l.options.contained
	f = l.deployable(l.scenario.Function)
	f.Concurrency, f.KeepAlive = 0, 0
	st, err := sim.Stands(sim.Config{Model: workloads.ModelLambdaManaged, Function: l.scenario.Function, Profile: prof, Steady: p.Rate, Instance: p.Instance})
	if err != nil {
		return f, nil, "", err
	}
	s := &live.Standing{Min: st.Min, Max: st.Max, PerNode: st.PerNode, Speed: o.speed}
	f.MaxConcurrency, f.Standing = st.Slots, s
	if n := o.perEnvironment; n > 0 {
		f.MaxConcurrency = n
		s.Min = (st.Min*st.Slots + n - 1) / n
	}
	fits := l.unitsOfMemory()
	s.Min = max(plane.ManagedLeast, min(s.Min, fits))
	s.Max = max(s.Min, min(s.Max, fits))
	return f, &liveFleet{model: workloads.ModelLambdaManaged, standing: s, places: f.MaxConcurrency, timeout: f.Timeout}, standingWords(f, st), nil
}

// standingWords says what runs.
func standingWords(f engine.Function, st sim.Standing) string {
	pace := "in real time"
	if f.Standing.Speed > 1 {
		pace = fmt.Sprintf("%d times as fast as AWS's", f.Standing.Speed)
	}
	return fmt.Sprintf("%d..%d environments of %d MB, where AWS has %.3g vCPU and %.3g GB, each with %d requests at once; their scaler looks %s; instances are this machine, and take no time to boot",
		f.Standing.Min, f.Standing.Max, f.MemoryMB, st.VCPU, st.GB, f.MaxConcurrency, pace)
}

// standingFleet is what the simulation of this host is told of a series on Managed Instances.
func (f *liveFleet) standingFleet() *sim.HostFleet {
	return &sim.HostFleet{
		Model: f.model, Plane: f.standing.Plane(f.places), Slots: f.places, Age: max(0, f.age), Gateway: f.timeout,
	}
}
