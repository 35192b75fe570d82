package main

import (
	"testing"
	"time"

	"coldstorm/runtime/live/fleet"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// What a scenario says of fleets holds for those that run live, too.
func TestLiveFleetsHaveTheScenariosRules(t *testing.T) {
	fleets := workloads.LiveModels[2:] // without Lambda's own environments, and those that stand
	plain := map[workloads.Model]fleet.Rules{}
	for _, m := range fleets {
		plain[m] = rulesOf(m, workloads.Fleet{}, sim.Standing{PerNode: 2})
	}
	for _, tt := range []struct {
		name   string
		set    workloads.Fleet
		models []workloads.Model // for which it counts
	}{
		{"scaling", workloads.Fleet{Scaling: workloads.ScalingHighResolution}, []workloads.Model{workloads.ModelECSFargate, workloads.ModelECSEC2, workloads.ModelEC2}},
		{"steps", workloads.Fleet{Scaling: workloads.ScalingStep}, []workloads.Model{workloads.ModelECSFargate, workloads.ModelECSEC2, workloads.ModelEC2}},
		{"nodes", workloads.Fleet{Nodes: workloads.NodesClusterAutoscaler}, []workloads.Model{workloads.ModelEKSEC2}},
		{"spread", workloads.Fleet{Placement: workloads.PlacementSpread}, []workloads.Model{workloads.ModelECSEC2}},
		{"random", workloads.Fleet{Placement: workloads.PlacementRandom}, []workloads.Model{workloads.ModelECSEC2}},
		{"balancer", workloads.Fleet{Balancer: workloads.BalancerRoundRobin}, fleets},
		{"slow start", workloads.Fleet{Balancer: workloads.BalancerRoundRobin, SlowStart: time.Minute}, fleets},
		{"zones", workloads.Fleet{Zones: 3}, []workloads.Model{workloads.ModelECSEC2, workloads.ModelEKSEC2}},
	} {
		counts := map[workloads.Model]bool{}
		for _, m := range tt.models {
			counts[m] = true
		}
		for m, before := range plain {
			r := rulesOf(m, tt.set, sim.Standing{PerNode: 2})
			r.Launch, before.Launch = nil, nil
			if changed := !same(r, before); changed != counts[m] {
				t.Errorf("%s of %s: changed %v, want %v", tt.name, m, changed, counts[m])
			}
			if _, err := r.Plane(60); err != nil {
				t.Errorf("%s of %s: %v", tt.name, m, err)
			}
		}
	}
}

// A scenario's back-off comes by what stands.
func TestLiveFleetsBackOffAsTheirModelStands(t *testing.T) {
	own := plane.ServiceThrottle.With(time.Second, time.Minute, 0)
	for _, m := range workloads.LiveModels[2:] {
		if r := rulesOf(m, workloads.Fleet{}, sim.Standing{Backoff: own}); r.Backoff != own {
			t.Errorf("%s backs off by %+v", m, r.Backoff)
		}
	}
}

// So do the rules by which its units go.
func TestLiveFleetsDrainAsTheirModelStands(t *testing.T) {
	own := plane.DrainRules{Delay: 5 * time.Second}
	for _, m := range workloads.LiveModels[2:] {
		if r := rulesOf(m, workloads.Fleet{}, sim.Standing{Drain: own}); r.Drain != own {
			t.Errorf("%s drains by %+v", m, r.Drain)
		}
	}
}

func same(a, b fleet.Rules) bool {
	return a.Scaler == b.Scaler && a.Place == b.Place && a.Nodes == b.Nodes && a.RoundRobin == b.RoundRobin && a.SlowStart == b.SlowStart && a.Zones == b.Zones
}
