package plane

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// planes are compositions that every property has to hold for.
func planes() map[string]func() (Plane, world) {
	lambda := func(r LambdaRules) func() (Plane, world) {
		return func() (Plane, world) {
			return NewLambda(r), world{slots: max(1, r.Slots), lambda: true, limit: r.Concurrency}
		}
	}
	fleet := func(r FleetRules, s func() Scaler, n func() NodeScaler) func() (Plane, world) {
		return func() (Plane, world) {
			r := r
			if s != nil {
				r.Scaler = s()
			}
			if n != nil {
				r.Nodes = n()
			}
			return NewFleet(r), world{slots: r.Slots, perNode: r.PerNode, lingers: r.Drain.Delay > 0}
		}
	}
	hpa := func() Scaler { return &HPA{} }
	track := func() Scaler { return &TargetTracking{Delay: -1, Cooldown: time.Minute} }
	quick := func() Scaler { return &TargetTracking{PerTarget: 30, Delay: -1, Cooldown: time.Second} }
	karpenter := func() NodeScaler { return &Karpenter{} }
	provider := func() NodeScaler { return &CapacityProvider{} }
	return map[string]func() (Plane, world){
		"lambda":                  lambda(LambdaRules{Concurrency: 20, KeepAlive: 5 * time.Second}),
		"lambda, none kept":       lambda(LambdaRules{Concurrency: 20}),
		"lambda, all kept":        lambda(LambdaRules{Concurrency: 20, KeepAlive: -1, LeastRecent: true}),
		"lambda, slow scale":      lambda(LambdaRules{Concurrency: 20, KeepAlive: time.Second, ScaleOutBurst: 3, ScaleOutRate: 0.5}),
		"lambda, few a second":    lambda(LambdaRules{Concurrency: 50, KeepAlive: time.Minute, RequestRate: 5}),
		"lambda-provisioned":      lambda(LambdaRules{Concurrency: 20, KeepAlive: 5 * time.Second, Provisioned: 5, Warm: 3}),
		"lambda-snapstart":        lambda(LambdaRules{Concurrency: 20, KeepAlive: 5 * time.Second, Restore: true}),
		"lambda, several":         lambda(LambdaRules{Concurrency: 30, KeepAlive: time.Second, Slots: 3, Lifetime: 20 * time.Second}),
		"lambda, several, spread": lambda(LambdaRules{Concurrency: 30, KeepAlive: 5 * time.Second, Slots: 4, LeastRecent: true, Provisioned: 2, Warm: 1, ScaleOutBurst: 3, ScaleOutRate: 0.5}),
		"ecs-fargate":             fleet(FleetRules{Slots: 2, Min: 2, Max: 30, Launch: []Rate{FargateLaunch, ServiceLaunch}}, track, nil),
		"eks-fargate":             fleet(FleetRules{Slots: 3, Min: 1, Max: 30, Launch: []Rate{{Burst: 2, PerSecond: 0.1}}}, hpa, nil),
		"ecs-ec2":                 fleet(FleetRules{Slots: 2, Min: 3, Max: 30, Place: BinPack, PerNode: 4}, quick, provider),
		"eks-ec2":                 fleet(FleetRules{Slots: 2, Min: 1, Max: 30, Place: LeastAllocated, PerNode: 2}, hpa, karpenter),
		"eks-ec2, cluster autoscaler": fleet(FleetRules{Slots: 2, Min: 1, Max: 30, Place: LeastAllocated, PerNode: 4}, hpa, func() NodeScaler {
			return &ClusterAutoscaler{Unused: 30 * time.Second, AfterAdd: 20 * time.Second}
		}),
		"ecs, steps":                         fleet(FleetRules{Slots: 2, Min: 2, Max: 30}, func() Scaler { return steps() }, nil),
		"ecs, deregistration delay":          fleet(FleetRules{Slots: 2, Min: 2, Max: 30, Drain: DrainRules{Delay: 2 * time.Second}}, quick, nil),
		"ecs on nodes, deregistration delay": fleet(FleetRules{Slots: 2, Min: 3, Max: 30, Place: BinPack, PerNode: 4, Drain: DrainRules{Delay: 20 * time.Second}}, quick, provider),
		"ecs, at another speed":              fleet(FleetRules{Slots: 2, Min: 2, Max: 30, Drain: DrainRules{Delay: time.Second, Grace: 2 * time.Second}}, quick, nil),
		"eks, termination grace": fleet(FleetRules{
			Slots: 2, Min: 1, Max: 30, Place: LeastAllocated, PerNode: 2, Drain: DrainRules{Grace: time.Second}, Health: HealthCheck{Replace: true},
		}, hpa, karpenter),
		"ec2": fleet(FleetRules{Slots: 4, Min: 2, Max: 10, RoundRobin: true, Queue: 5}, track, nil),
		"lambda, prewarmed": func() (Plane, world) {
			h := &Hybrid{Range: 20 * time.Second, Bin: 100 * time.Millisecond, Varied: 0.5}
			return NewPrewarmed(LambdaRules{Concurrency: 20}, h), world{slots: 1, limit: 20}
		},
		"three zones, at random": fleet(FleetRules{
			Slots: 2, Min: 3, Max: 30, PerNode: 2, Random: true, Zones: 3, RoundRobin: true, SlowStart: 30 * time.Second,
			Backoff: Backoff{Least: time.Second, Most: 5 * time.Second, Reset: time.Minute},
		}, quick, karpenter),
		"lambda-managed": func() (Plane, world) {
			r := FleetRules{Slots: 3, Max: 30, PerNode: 2, Scaler: &Managed{Interval: time.Second, Hold: 20 * time.Second}}
			return NewManaged(r), world{slots: r.Slots, perNode: r.PerNode}
		},
		"fixed":          fleet(FleetRules{Slots: 2, Min: 2, Queue: -1}, nil, nil),
		"fixed on nodes": fleet(FleetRules{Slots: 2, Min: 5, PerNode: 2, Place: Spread, Timeout: 3 * time.Second}, nil, nil),
	}
}

func TestEveryTriggerIsAnsweredOnceAndNoLimitIsBroken(t *testing.T) {
	for name, make := range planes() {
		for _, faults := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, faults %v", name, faults), func(t *testing.T) {
				for seed := range uint64(12) {
					p, w := make()
					w.t, w.p, w.rng, w.faults = t, p, rand.New(rand.NewPCG(seed, 1)), faults
					w.run(600, float64(2+10*(seed%4)), 40*time.Minute)
					if t.Failed() {
						t.Fatalf("with seed %d", seed)
					}
				}
			})
		}
	}
}

func TestSameEventsGiveSameActions(t *testing.T) {
	for name, make := range planes() {
		var logs [2][]Action
		for i := range logs {
			p, w := make()
			w.t, w.p, w.rng, w.faults = t, p, rand.New(rand.NewPCG(9, 9)), true
			w.run(400, 20, time.Minute)
			logs[i] = w.log
		}
		if !slices.Equal(logs[0], logs[1]) {
			t.Errorf("%s: two runs differ", name)
		}
	}
}

// An executor may be late or wrong: events of units and nodes that are unknown,
// gone or in another state change nothing that would make the plane panic or
// count below zero.
func FuzzNonsense(f *testing.F) {
	f.Add([]byte{1, 0, 1, 2, 1, 0, 3, 1, 0})
	f.Add([]byte("no event of these is true"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all := planes()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			p, _ := all[name]()
			at := time.Duration(0)
			for i := 0; i+2 < len(data); i += 3 {
				at += time.Duration(data[i+2]) * time.Second / 4
				p.Handle(Event{
					Kind: Kind(data[i]%10) + 1, At: at,
					Trigger: Trigger(i), Unit: Unit(data[i+1]%16) - 1, Node: Node(data[i+1]%8) - 1,
				}, nil)
				if c := p.Census(); min(c.Starting, c.Idle, c.Busy, c.Queued, c.Nodes) < 0 {
					t.Fatalf("%s: census %+v after event %d", name, c, i/3)
				}
			}
		}
	})
}
