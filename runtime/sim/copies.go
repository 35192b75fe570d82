package sim

import (
	"fmt"

	"coldstorm/loadgen/storm"
	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// Copies are the functions of a storm that is spread over several, or of whose
// triggers some are to start cold. Copies have the same settings, and environments
// each of its own. nil is the one function, whose triggers start as they will.
type Copies struct {
	Functions int // 0 is 1
	// Chilling says that some triggers are to start cold. Each copy then has a cold
	// twin, which keeps no environment; it stands for the copy itself, and what the
	// copy may have at once is of both together.
	Chilling bool
	// Mark says of trigger i, by arrival, at which copy it goes, from 0, and whether
	// it is to start cold.
	Mark func(i int) storm.Mark
}

// Copied says whether a model can be simulated under a storm at copies of a
// function, and if not, why.
func Copied(m workloads.Model, c *Copies) (ok bool, reason string) {
	switch m {
	case workloads.ModelLambda, workloads.ModelLambdaSnapStart:
	case workloads.ModelLambdaProvisioned:
		if c.functions() > 1 {
			return false, "what is provisioned stands for the steady rate, of which the scenario does not say how much each of the functions has"
		}
	default:
		switch {
		case c.functions() > 1:
			return false, "each of the functions would be a service of its own, whose size the scenario does not say"
		case c != nil && c.Chilling:
			return false, "units stand before triggers come, and none is started so that a trigger finds it cold"
		}
	}
	return true, ""
}

// functions is how many there are, of none too.
func (c *Copies) functions() int {
	if c == nil {
		return 1
	}
	return max(1, c.Functions)
}

// words say what the copies are, before what each of them is.
func (c *Copies) words() (words string) {
	if c.functions() > 1 {
		words = fmt.Sprintf("%d functions, each: ", c.functions())
	}
	if c.Chilling {
		words += "an environment for each trigger that is to start cold, which is not kept; else "
	}
	return words
}

// account is one that holds nothing but the copies. If each reserves a part of its
// concurrency, its quota is as much as they reserve; else the default.
func (c *Copies) account(r plane.LambdaRules) *plane.Account {
	if !r.Reserved {
		return plane.NewAccount(plane.AccountRules{})
	}
	a := plane.NewAccount(plane.AccountRules{Concurrency: c.functions() * r.Concurrency, Unreserved: -1})
	for k := range c.functions() {
		_ = a.Reserve(copyName(k), r.Concurrency) // there is room for all
	}
	return a
}

// copyName is what an account knows a copy by.
func copyName(k int) string { return fmt.Sprint("copy ", k) }

// An account's functions may have so many new environments at once, and so many a
// second after that, each (AWS documentation: "Lambda scaling behavior").
const (
	scaleOutBurst = 1000
	scaleOutRate  = 100
)

// inAccount is the copies' planes in an account, whose quotas they share.
func (c *Copies) inAccount(r plane.LambdaRules) plane.Plane {
	s := c.planes(func() plane.LambdaRules {
		r.ScaleOut = plane.NewScaleOut(scaleOutBurst, scaleOutRate)
		return r
	})
	s.account = c.account(r)
	return s
}

// here is the copies' planes on this host, where a copy and its twin are functions
// that share nothing but the cores.
func (c *Copies) here(r plane.LambdaRules) *several {
	return c.planes(func() plane.LambdaRules { return r })
}

// planes are one for each copy under its rules, and then their twins' in the same
// order.
func (c *Copies) planes(rules func() plane.LambdaRules) *several {
	n := c.functions()
	s := &several{places: make([]place, 1)}
	var twins []member
	for k := range n {
		r := rules()
		s.members = append(s.members, newMember(copyName(k), r))
		if c.Chilling {
			r.KeepAlive, r.Warm, r.Provisioned = 0, 0, 0
			twins = append(twins, newMember(copyName(k), r))
		}
	}
	s.members = append(s.members, twins...)
	s.of = func(t plane.Trigger) int {
		m := c.Mark(int(t))
		if m.Cold {
			return n + m.Function
		}
		return m.Function
	}
	return s
}
