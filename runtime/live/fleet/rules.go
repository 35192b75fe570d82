package fleet

import (
	"cmp"
	"fmt"
	"time"

	"coldstorm/runtime/plane"
)

// Rules are those of plane.FleetRules as data, so that they cross a process's boundary:
// scalers and placers by their names. Zero values are plane.FleetRules', but for Timeout.
type Rules struct {
	Slots int `json:"slots,omitempty"`
	Min   int `json:"min,omitempty"`
	Max   int `json:"max,omitempty"`
	Queue int `json:"queue,omitempty"`
	// Timeout is how long a request may wait, in real time at any speed.
	Timeout time.Duration `json:"timeout_ns,omitempty"`

	RoundRobin bool          `json:"round_robin,omitempty"`
	SlowStart  time.Duration `json:"slow_start_ns,omitempty"` // on the rules' clock
	Zones      int           `json:"zones,omitempty"`
	Launch     []plane.Rate  `json:"launch,omitempty"`
	// Backoff is that of units which die; its zero value is plane.CrashLoop, as a unit that
	// dies at once would be started without end.
	Backoff plane.Backoff `json:"backoff,omitzero"`
	// Drain is how units go that are no longer wanted: its Delay on the rules' clock, its
	// bounds on what a unit may finish in real time at any speed.
	Drain plane.DrainRules `json:"drain,omitzero"`

	Scaler Scaler  `json:"scaler,omitempty"`
	Target float64 `json:"target,omitempty"` // the scaler's; 0 is its default

	Place   Place      `json:"place,omitempty"`
	PerNode int        `json:"per_node,omitempty"`
	Nodes   NodeScaler `json:"nodes,omitempty"`
}

// Scaler names what decides on the number of units.
type Scaler string

// The scalers; the zero value keeps Min.
const (
	ScalerNone           Scaler = ""
	ScalerTargetTracking Scaler = "target-tracking"
	ScalerHighResolution Scaler = "high-resolution" // target tracking on metrics of 20 s
	ScalerStep           Scaler = "step"            // plane.OurSteps
	ScalerHPA            Scaler = "hpa"
)

// Place names what chooses a unit's node.
type Place string

// The placers; of the zero value units have no nodes.
const (
	PlaceNone           Place = ""
	PlaceBinPack        Place = "binpack"
	PlaceSpread         Place = "spread"
	PlaceLeastAllocated Place = "least-allocated"
	PlaceRandom         Place = "random"
)

// NodeScaler names what decides on the number of nodes.
type NodeScaler string

// The node scalers; the zero value keeps those that Min needs.
const (
	NodesNone              NodeScaler = ""
	NodesCapacityProvider  NodeScaler = "capacity-provider"
	NodesKarpenter         NodeScaler = "karpenter"
	NodesClusterAutoscaler NodeScaler = "cluster-autoscaler"
)

// Plane makes the state machine of the rules, whose clock passes speed times as fast as
// its executor's.
func (r Rules) Plane(speed int) (plane.Plane, error) {
	speed = max(speed, 1)
	p := plane.FleetRules{
		Slots: r.Slots, Min: r.Min, Max: r.Max, Queue: r.Queue, RoundRobin: r.RoundRobin, SlowStart: r.SlowStart, Zones: r.Zones, Launch: r.Launch, PerNode: r.PerNode,
		Backoff: cmp.Or(r.Backoff, plane.CrashLoop),
	}
	if p.Timeout = r.Timeout; p.Timeout == 0 {
		p.Timeout = defaultTimeout
	}
	p.Timeout *= time.Duration(speed)
	p.Drain = plane.DrainRules{Delay: r.Drain.Delay, Grace: cmp.Or(r.Drain.Grace, r.Drain.Delay) * time.Duration(speed)}
	switch r.Scaler {
	case ScalerNone:
	case ScalerTargetTracking:
		p.Scaler = &plane.TargetTracking{Target: r.Target}
	case ScalerHighResolution:
		p.Scaler = &plane.TargetTracking{Target: r.Target, Period: plane.HighResolution}
	case ScalerStep:
		p.Scaler = plane.OurSteps(r.Target)
	case ScalerHPA:
		p.Scaler = &plane.HPA{Target: r.Target}
	default:
		return nil, fmt.Errorf("no scaler is called %q", r.Scaler)
	}
	switch r.Place {
	case PlaceNone:
	case PlaceBinPack:
		p.Place = plane.BinPack
	case PlaceSpread:
		p.Place = plane.Spread
	case PlaceLeastAllocated:
		p.Place = plane.LeastAllocated
	case PlaceRandom:
		p.Place, p.Random = plane.BinPack, true
	default:
		return nil, fmt.Errorf("no placement is called %q", r.Place)
	}
	switch r.Nodes {
	case NodesNone:
	case NodesCapacityProvider:
		p.Nodes = &plane.CapacityProvider{}
	case NodesKarpenter:
		p.Nodes = &plane.Karpenter{}
	case NodesClusterAutoscaler:
		p.Nodes = &plane.ClusterAutoscaler{}
	default:
		return nil, fmt.Errorf("no scaler of nodes is called %q", r.Nodes)
	}
	return plane.AtSpeed(plane.NewFleet(p), speed), nil
}
