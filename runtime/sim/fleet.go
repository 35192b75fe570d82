package sim

import (
	"fmt"
	"math"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
	"coldstorm/workloads"
)

// fleet composes the models of containers and instances.
func fleet(c Config) (*model, error) {
	switch c.Model {
	case workloads.ModelECSFargate, workloads.ModelEKSFargate:
		return onFargate(c)
	case workloads.ModelECSEC2, workloads.ModelEKSEC2:
		return onNodes(c)
	case workloads.ModelEC2:
		return onInstances(c)
	}
	return nil, fmt.Errorf("the model is not known")
}

// containerSize is a container's processor and memory: Lambda's processor share
// for the function's memory, rounded up to a size that Fargate has, for every
// orchestrator alike.
func containerSize(memoryMB, overheadMB int) (size, error) {
	s, ok := fargateSize(float64(memoryMB)/workloads.MBPerVCPU, float64(memoryMB+overheadMB))
	if !ok {
		return size{}, fmt.Errorf("no Fargate size has %d MB", memoryMB+overheadMB)
	}
	return s, nil
}

// onFargate composes units in a microVM of their own.
func onFargate(c Config) (*model, error) {
	name, overhead := "task", 0
	if c.Model == workloads.ModelEKSFargate {
		name, overhead = "pod", 256 // MB that AWS adds for Kubernetes' components
	}
	s, err := containerSize(c.Function.MemoryMB, overhead)
	if err != nil {
		return nil, err
	}
	mo := c.service(s.vcpu)
	mo.billing.fargate = &s
	pull := constant("image pull", c.pull(pullIncluded))
	rules := mo.rules(c)
	if c.Model == workloads.ModelEKSFargate {
		rules.Launch = []plane.Rate{plane.FargatePodLaunch}
		rules.Backoff, rules.Drain = c.backoff(plane.CrashLoop), c.pods()
		mo.billing.cluster = true
		mo.timing.before = []part{{life.Placed, eksFargatePod}, {life.Placed, pull}}
		mo.build(rules, func() plane.Scaler { return &plane.HPA{Target: target} }, nil)
	} else {
		rules.Launch = []plane.Rate{plane.FargateLaunch, plane.ServiceLaunch}
		rules.Backoff, rules.Drain = c.backoff(plane.ServiceThrottle), c.targets()
		mo.timing.before = []part{{life.Placed, ecsFargateTask}, {life.Placed, pull}}
		mo.timing.network = int64(fargateUnbilled)
		mo.build(rules, c.tracking(), nil)
	}
	mo.words = fmt.Sprintf("%s of %v, %s at once; %d..%d %ss", name, s, requests(mo.timing.slots), rules.Min, rules.Max, name)
	return mo, nil
}

// onNodes composes units on instances.
func onNodes(c Config) (*model, error) {
	s, err := containerSize(c.Function.MemoryMB, 0)
	if err != nil {
		return nil, err
	}
	s.gb = float64(c.Function.MemoryMB) / 1024 // an instance has no sizes to round up to
	in, err := instanceFor(c.Instance, architecture(c.Function), s)
	if err != nil {
		return nil, err
	}
	mo := c.service(s.vcpu)
	mo.billing.instance = &in
	rules := mo.rules(c)
	rules.PerNode, rules.Zones = in.holds(s), c.Fleet.Zones
	name := "task"
	if c.Model == workloads.ModelEKSEC2 {
		name = "pod"
		rules.Place, rules.Backoff, rules.Drain = plane.LeastAllocated, c.backoff(plane.CrashLoop), c.pods()
		mo.billing.cluster = true
		mo.timing.before, mo.timing.node = []part{{life.Creating, eksEC2Pod}}, c.nodeStart()
		mo.onNode(c, life.Creating)
		mo.build(rules, func() plane.Scaler { return &plane.HPA{Target: target} },
			c.nodeScaling())
	} else {
		c.placement(&rules)
		rules.Launch, rules.Backoff, rules.Drain = []plane.Rate{plane.ServiceLaunch}, c.backoff(plane.ServiceThrottle), c.targets()
		mo.timing.before, mo.timing.node = []part{{life.Placed, ecsEC2Task}}, ecsNode
		mo.onNode(c, life.Placed)
		mo.build(rules, c.tracking(),
			func() plane.NodeScaler { return &plane.CapacityProvider{} })
	}
	mo.words = fmt.Sprintf("%s of %g vCPU, %.2g GB, %s at once, %d on a %s; %d..%d %ss",
		name, s.vcpu, s.gb, requests(mo.timing.slots), rules.PerNode, in.name, rules.Min, rules.Max, name)
	return mo, nil
}

// onInstances composes a process that has an instance to itself.
func onInstances(c Config) (*model, error) {
	in, err := instanceFor(c.Instance, architecture(c.Function), size{0.25, float64(c.Function.MemoryMB) / 1024})
	if err != nil {
		return nil, err
	}
	mo := c.service(in.vcpu)
	mo.billing.instance, mo.billing.unitNode = &in, true
	mo.timing.before = []part{{life.Placed, ec2Boot}}
	if !c.cached() {
		mo.timing.before = append(mo.timing.before, part{life.Placed, constant("program's files", c.pull(0))})
	}
	rules := mo.rules(c)
	rules.Drain, mo.timing.stop = c.targets(), 0 // an instance is not billed while it shuts down
	scaler := c.tracking()
	size := fmt.Sprintf("%d..%d instances", rules.Min, rules.Max)
	if c.Fixed {
		rules.Max, scaler = rules.Min, nil
		size = fmt.Sprintf("a fixed fleet of %d", rules.Min)
	}
	if !c.Fixed {
		size += c.warmPool(mo, &rules)
	}
	mo.build(rules, scaler, nil)
	mo.words = fmt.Sprintf("process on a %s (%g vCPU, %g GB), %s at once; %s", in.name, in.vcpu, in.gb, requests(mo.timing.slots), size)
	return mo, nil
}

func requests(n int) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

// service is the part of a model that depends on a unit's vCPUs: service times,
// init, slots and the steady size.
//
// A burst of work within one period's quota runs at full speed, so that a single
// answer comes sooner than the quota's mean rate would give it. Many don't: a
// slot is held until the quota has caught up, so that a unit never does more
// work than its vCPUs can.
func (c Config) service(vcpu float64) *model {
	p := &c.Profile
	to := limit{vcpu, containerPeriod}
	mo := &model{timing: p.timing(to), billing: p.billing(c.Function)}
	mo.timing.init = p.init(to, p.factor())
	mo.timing.gateway = int64(idleTimeout)
	mo.timing.stop = int64(min(c.Fleet.StopTime, c.stopTimeout()))
	mo.billing.balancer = true
	s, work := mo.timing.meanService(), math.Max(1, p.work())
	mo.timing.slots = max(1, int(math.Round(vcpu*s/work)))
	mo.timing.hold = math.Max(1, work*float64(mo.timing.slots)/(vcpu*s))
	mo.units = c.sized(s*mo.timing.hold, mo.timing.slots)
	return mo
}

// idleTimeout is how long a load balancer waits for an answer (AWS: the default
// idle timeout of an Application Load Balancer).
const idleTimeout = 60 * time.Second

// rules are those that all fleets share.
func (mo *model) rules(c Config) plane.FleetRules {
	most := c.MaxUnits
	if most == 0 {
		most = max(200, 10*mo.units)
	}
	return plane.FleetRules{
		Slots: mo.timing.slots, Min: mo.units, Max: max(most, mo.units), Timeout: idleTimeout,
		RoundRobin: c.Fleet.Balancer == workloads.BalancerRoundRobin, SlowStart: c.Fleet.SlowStart,
	}
}

// build sets how planes are made: each with scalers of its own, as they keep
// state.
func (mo *model) build(r plane.FleetRules, units func() plane.Scaler, nodes func() plane.NodeScaler) {
	mo.made = r
	mo.plane = func() plane.Plane {
		if units != nil {
			r.Scaler = units()
		}
		if nodes != nil {
			r.Nodes = nodes()
		}
		return plane.NewFleet(r)
	}
}
