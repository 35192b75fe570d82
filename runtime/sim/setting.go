package sim

import (
	"cmp"
	"fmt"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// This file turns a scenario's words for the rules of fleets into those rules.

// tracking is the scaler of ECS services and Auto Scaling groups.
func (c Config) tracking() func() plane.Scaler {
	return func() plane.Scaler {
		switch c.Fleet.Scaling {
		case workloads.ScalingHighResolution:
			return &plane.TargetTracking{Target: target, Period: plane.HighResolution}
		case workloads.ScalingStep:
			return plane.OurSteps(target)
		}
		return &plane.TargetTracking{Target: target}
	}
}

// nodeScaling is what adds nodes for pods.
func (c Config) nodeScaling() func() plane.NodeScaler {
	return func() plane.NodeScaler {
		if c.Fleet.Nodes == workloads.NodesClusterAutoscaler {
			return &plane.ClusterAutoscaler{}
		}
		return &plane.Karpenter{}
	}
}

// nodeStart is how long such a node takes: the Cluster Autoscaler asks an Auto Scaling
// group for it.
func (c Config) nodeStart() dist {
	if c.Fleet.Nodes == workloads.NodesClusterAutoscaler {
		return ecsNode
	}
	return karpenterNode
}

// backoff is a service's own, with the times that the scenario sets. Nothing dies in a
// projection: it is what Standing hands to a live fleet.
func (c Config) backoff(own plane.Backoff) plane.Backoff {
	return own.With(c.Fleet.RestartBackoff, c.Fleet.RestartBackoffMax, c.Fleet.RestartBackoffReset)
}

// targets is how the units of ECS services and Auto Scaling groups go: both wait for the
// target group's deregistration delay.
func (c Config) targets() plane.DrainRules {
	return plane.DrainRules{Delay: cmp.Or(c.Fleet.DeregistrationDelay, plane.DeregistrationDelay)}
}

// pods is how pods go: told to end when they are deleted, while the load balancer
// deregisters them, they have their grace period for what they hold.
func (c Config) pods() plane.DrainRules { return plane.DrainRules{Grace: c.stopTimeout()} }

// stopTimeout is how long a process has, once it was told to end, until it is killed.
func (c Config) stopTimeout() time.Duration {
	return cmp.Or(c.Fleet.StopTimeout, plane.TerminationGrace)
}

// placement sets how tasks are placed on instances.
func (c Config) placement(r *plane.FleetRules) {
	switch c.Fleet.Placement {
	case workloads.PlacementSpread:
		r.Place = plane.Spread
	case workloads.PlacementRandom:
		r.Random = true
	}
	if r.Place == nil {
		r.Place = plane.BinPack
	}
}

// warmPool adds a warm pool to an Auto Scaling group, and returns it in words.
func (c Config) warmPool(mo *model, r *plane.FleetRules) string {
	if c.Fleet.WarmPool == 0 {
		return ""
	}
	state := c.Fleet.WarmPoolState
	switch mo.billing.warmPool = true; state {
	case workloads.WarmPoolRunning:
		mo.timing.prepared, mo.timing.running, mo.billing.poolRuns = ec2Running, true, true
	case workloads.WarmPoolHibernated:
		mo.timing.prepared, mo.timing.running = ec2Hibernated, true
	default:
		state, mo.timing.prepared = workloads.WarmPoolStopped, ec2Stopped
	}
	r.WarmPool = plane.WarmPool{Capacity: r.Min + c.Fleet.WarmPool, Prepare: time.Duration(ec2Boot.median)}
	if !c.cached() {
		r.WarmPool.Prepare += c.pull(0)
	}
	return fmt.Sprintf(", %d %s in a warm pool", c.Fleet.WarmPool, state)
}
