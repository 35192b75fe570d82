package main

import (
	"cmp"
	"fmt"
	"time"

	"coldstorm/runtime/engine"
	"coldstorm/runtime/live/fleet"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// What a model of containers or instances is on this machine: its rules as they are, its
// units and nodes scaled down so that what stands at first fits.

const (
	// scalerTarget is the busy share of slots that scalers keep, as in projections.
	scalerTarget = 0.7
	// balancerTime is how long the load balancer waits for an answer (AWS: the default
	// idle timeout of an Application Load Balancer).
	balancerTime = 60 * time.Second
	// leastUnit is taken for the memory that a unit needs where less was seen.
	leastUnit = 64 << 20
)

// scaled is a model's deployment here, and what it is in words.
func (l *liveTarget) scaled(m workloads.Model, prof sim.Profile) (c engine.Containers, words string, err error) {
	p, o := l.scenario.Project, l.options.contained
	st, err := sim.Stands(sim.Config{Model: m, Function: l.scenario.Function, Profile: prof, Steady: p.Rate, Instance: p.Instance, Fleet: p.Fleet})
	if err != nil {
		return c, "", err
	}
	c = engine.Containers{Service: services[m], Serve: fleet.Serve(o.serve), Speed: o.speed, RequestTimeout: balancerTime, Rules: rulesOf(m, p.Fleet, st)}
	c.Health = fleet.Health{Every: p.HealthInterval, Unhealthy: p.Unhealthy}
	r := &c.Rules
	r.Slots = 1 // of a runtime that may have one loop of next
	if c.Serve == fleet.ServeHTTP {
		r.Slots = st.Slots
	}
	r.Min = (st.Min*st.Slots + r.Slots - 1) / r.Slots
	r.Max = max(r.Min, min(st.Max, l.unitsOfMemory()))
	if o.delays {
		c.Pull, c.Boot = st.UnitDelay, st.NodeDelay
	}
	share := fitted(&c, st, float64(l.run.Host.Cores), memoryShare*float64(availableMemory()))
	return c, scaledWords(c, st, share), nil
}

// services are those whose states a model's units go through, where they aren't ECS's.
var services = map[workloads.Model]fleet.Service{
	workloads.ModelEKSFargate: fleet.ServiceEKS, workloads.ModelEKSEC2: fleet.ServiceEKS, workloads.ModelEC2: fleet.ServiceEC2,
}

// unitsOfMemory is how many units this host's memory holds.
func (l *liveTarget) unitsOfMemory() int {
	each := int64(leastUnit)
	for _, peak := range l.peak {
		each = max(each, peak)
	}
	return int(memoryShare * float64(availableMemory()) / float64(each))
}

// rulesOf are those of a model, as the scenario sets them and as its projection has them,
// without its size.
func rulesOf(m workloads.Model, set workloads.Fleet, st sim.Standing) fleet.Rules {
	r := fleet.Rules{
		Launch: st.Launch, Backoff: st.Backoff, Drain: st.Drain, Scaler: cmp.Or(liveScalers[set.Scaling], fleet.ScalerTargetTracking), Target: scalerTarget, PerNode: st.PerNode, Timeout: balancerTime,
		RoundRobin: set.Balancer == workloads.BalancerRoundRobin, SlowStart: set.SlowStart,
	}
	switch m {
	case workloads.ModelEKSFargate:
		r.Scaler = fleet.ScalerHPA
	case workloads.ModelECSEC2:
		r.Place, r.Nodes, r.Zones = cmp.Or(livePlaces[set.Placement], fleet.PlaceBinPack), fleet.NodesCapacityProvider, set.Zones
	case workloads.ModelEKSEC2:
		r.Scaler, r.Place, r.Nodes, r.Zones = fleet.ScalerHPA, fleet.PlaceLeastAllocated, fleet.NodesKarpenter, set.Zones
		if set.Nodes == workloads.NodesClusterAutoscaler {
			r.Nodes = fleet.NodesClusterAutoscaler
		}
	}
	return r
}

// A scenario's words for rules, as live fleets have them.
var (
	liveScalers = map[string]fleet.Scaler{
		workloads.ScalingHighResolution: fleet.ScalerHighResolution, workloads.ScalingStep: fleet.ScalerStep,
	}
	livePlaces = map[string]fleet.Place{
		workloads.PlacementSpread: fleet.PlaceSpread, workloads.PlacementRandom: fleet.PlaceRandom,
	}
)

// scale is the factor from an instance or task of AWS's to what stands for it here.
type scale struct{ cpu, memory float64 }

// fitted sizes units and nodes by one factor for processors and one for memory, such that
// what stands at first fits into a host of so many cores and bytes: 1 if it does as it is.
func fitted(c *engine.Containers, st sim.Standing, cores, bytes float64) scale {
	n, vcpu, gb := c.Rules.Min, st.VCPU, st.GB
	if st.PerNode > 0 {
		n, vcpu, gb = (n+st.PerNode-1)/st.PerNode, st.NodeVCPU, st.NodeGB
	}
	s := scale{min(1, cores/(float64(n)*vcpu)), min(1, bytes/(float64(n)*gb*(1<<30)))}
	of := func(vcpu, gb float64) fleet.Size {
		return fleet.Size{CPUs: vcpu * s.cpu, MemoryBytes: int64(gb * s.memory * (1 << 30))}
	}
	switch {
	case st.PerNode > 0:
		c.Node, c.Unit = of(st.NodeVCPU, st.NodeGB), fleet.Size{CPUs: st.VCPU * s.cpu}
	case st.Instance != "":
		c.Node, c.UnitNode = of(st.NodeVCPU, st.NodeGB), true
	default:
		c.Unit = of(st.VCPU, st.GB)
	}
	return s
}

// scaledWords says what runs, and how it was scaled.
func scaledWords(c engine.Containers, st sim.Standing, s scale) string {
	what := fmt.Sprintf("%d..%d units of %g vCPU, %.3g GB", c.Rules.Min, c.Rules.Max, st.VCPU, st.GB)
	switch {
	case st.PerNode > 0:
		what += fmt.Sprintf(", %d on a node (%s)", st.PerNode, st.Instance)
	case st.Instance != "":
		what = fmt.Sprintf("%d..%d instances (%s, %g vCPU, %.3g GB)", c.Rules.Min, c.Rules.Max, st.Instance, st.NodeVCPU, st.NodeGB)
	}
	what += fmt.Sprintf(", each with %d requests at once; scaled to this machine: processors by %.3g, memory by %.3g; scalers and health checks %d times as fast as AWS's", c.Rules.Slots, s.cpu, s.memory, c.Speed)
	if c.Speed == 1 {
		what = what[:len(what)-len("1 times as fast as AWS's")] + "in real time"
	}
	if c.Pull == 0 && c.Boot == 0 {
		return what + "; image pulls and instance boots take what they take here, AWS's published times are not slept"
	}
	return fmt.Sprintf("%s; AWS's published times are slept: %v before a unit, %v before a node", what, c.Pull, c.Boot)
}
