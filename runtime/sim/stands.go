package sim

import (
	"fmt"
	"time"

	"coldstorm/runtime/plane"
)

// Standing is what a container or instance model stands for under a Config: what is
// deployed before the first trigger, and the bounds of its scaler. It is what a live
// fleet of the same model is made of.
type Standing struct {
	VCPU, GB float64 // of a unit
	Slots    int     // requests in a unit at once, as many as its vCPUs serve
	Min, Max int     // units
	Launch   []plane.Rate
	Backoff  plane.Backoff
	Drain    plane.DrainRules
	PerNode  int     // units on a node; 0: they have none
	Instance string  // type of a node, or of a unit that is one
	NodeVCPU float64 // of it
	NodeGB   float64
	Words    string // all of it

	// UnitDelay and NodeDelay are means of AWS's published times before a unit's init and
	// a node's first unit.
	UnitDelay, NodeDelay time.Duration
}

// Stands works that out, as Run does for the same Config.
func Stands(c Config) (Standing, error) {
	mo, err := compose(c)
	if err != nil {
		return Standing{}, err
	}
	if mo.billing.lambda {
		return Standing{}, fmt.Errorf("%s has no units that stand", c.Model)
	}
	s := Standing{Slots: mo.made.Slots, Min: mo.made.Min, Max: mo.made.Max, Launch: mo.made.Launch, Backoff: mo.made.Backoff, Drain: mo.made.Drain, Words: mo.words}
	for i := range mo.timing.before {
		s.UnitDelay += time.Duration(mo.timing.before[i].average())
	}
	s.NodeDelay = time.Duration(mo.timing.node.average())
	if in := mo.billing.instance; in != nil {
		s.Instance, s.NodeVCPU, s.NodeGB, s.PerNode = in.name, in.vcpu, in.gb, mo.made.PerNode
		s.VCPU, s.GB = in.vcpu, in.gb
	}
	switch {
	case mo.billing.fargate != nil:
		s.VCPU, s.GB = mo.billing.fargate.vcpu, mo.billing.fargate.gb
	case mo.billing.unitNode:
		s.PerNode = 0
	case mo.billing.managed:
		unit := managedSize(c.Function.MemoryMB)
		s.VCPU, s.GB = unit.vcpu, unit.gb
	default:
		unit, err := containerSize(c.Function.MemoryMB, 0)
		if err != nil {
			return s, err
		}
		s.VCPU, s.GB = unit.vcpu, float64(c.Function.MemoryMB)/1024
	}
	return s, nil
}
