package sim

import (
	"fmt"
	"math"
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// HostConfig is a storm on this machine: what live did, in virtual time.
type HostConfig struct {
	Rules   plane.LambdaRules // those of the live plane
	Profile Profile           // with Launch
	Timeout time.Duration     // of the function; 0: none
	// Arrivals are the times at which triggers were sent, from the storm's
	// start, in any order.
	Arrivals []time.Duration
	// Cores is the number of processor cores that environments share; 0: as many
	// as they want.
	Cores float64
	// Launches bounds launches at once, as live's: what waits is in the queue
	// phase. 0 is live's default, twice the cores; negative is no bound.
	Launches int
	// Overhead is what a trigger takes beyond its phases (transport), a draw
	// each; empty: nothing.
	Overhead []time.Duration
	Beside   Beside
	Seed     int64

	// Copies are the functions that the storm was spread over, each under Rules, its
	// cold twin with a keep-alive of 0; nil: the one.
	Copies *Copies
	// Fleet has containers or instances in the place of environments; nil: Rules. It
	// has no Copies.
	Fleet *HostFleet
}

// HostFleet is a fleet as live runs it on this machine.
type HostFleet struct {
	Model workloads.Model
	Plane plane.Plane   // a fresh one, by the rules of the live one
	Slots int           // of a unit; 0 is 1
	VCPU  float64       // that a unit is limited to; 0: as the profile was measured
	Age   time.Duration // of the live fleet when the storm began: its scalers look at times that count from its start
	// Gateway is how long a load balancer waits; 0: no end.
	Gateway time.Duration
}

// Host simulates a storm on this machine. Launch, init and the processor part of
// service times share the cores evenly, each using one at most; launches take
// slots, so that early environments are done before late ones begin.
//
// It is an approximation: a sandbox costs what Profile.Launch says, though a
// storm empties the launcher's pool and then pays more for each; what the
// engine, the launcher and the generator do beside is not counted; a timeout is
// held against service times without their wait for a core; and a host
// whose speed drifts between the profile and the storm shows that drift as an
// error. Profile durations must have been measured without contention, one
// environment at a time; else what contention there was counts twice. Usage is
// empty.
func Host(c HostConfig) (Outcome, error) {
	p := &c.Profile
	if err := p.check(); err != nil {
		return Outcome{}, fmt.Errorf("simulate this host: %w", err)
	}
	times := schedule(slices.Sorted(slices.Values(c.Arrivals)))
	if len(times) > 0 && times[0] < 0 {
		return Outcome{}, fmt.Errorf("simulate this host: an arrival at %v, before the storm's start", times[0])
	}
	// As measured: the limit that a profile was measured under holds here too.
	unscaled := *p
	unscaled.CPUFactor = 1
	t := unscaled.timing(limit{p.Share, lambdaPeriod})
	t.onHost = true
	t.timeout = int64(c.Timeout)
	t.init = unscaled.init(limit{p.InitShare, lambdaPeriod}, 1)
	t.launch = measured("launch here", nanoseconds(p.Launch))
	t.overhead = measured("transport here", nanoseconds(c.Overhead))
	t.beside = c.Beside
	b := newBook(&billing{})
	b.line = newTimeline()
	rules, which := c.plane(), workloads.ModelLambda
	if f := c.Fleet; f != nil {
		which = f.Model
		times = f.set(&t, &unscaled, times)
	}
	m := newMachine(rules, t, c.Seed, b)
	if c.Cores > 0 {
		m.cores = &cores{n: c.Cores}
	}
	m.slots = c.slots(rules)
	if err := m.run(&times, 0); err != nil {
		return Outcome{}, fmt.Errorf("simulate this host: %w", err)
	}
	o := m.outcome(&model{words: "this host"}, Config{Model: which}, max(1, time.Duration(b.last)))
	if c.Fleet != nil {
		o.rebase(c.Fleet.Age)
	}
	o.Usage, o.Notes = results.Usage{}, nil
	return o, nil
}

// set makes what is known of environments that of a fleet's units, and returns the
// arrivals in the fleet's time.
func (f *HostFleet) set(t *timing, p *Profile, times schedule) schedule {
	if f.VCPU > 0 {
		there := p.timing(limit{f.VCPU, lambdaPeriod}) // the launcher's quotas have one period
		t.payloads, t.weights = there.payloads, there.weights
		for i := range t.payloads { // what waits for its quota leaves the cores to others
			pl, pt := &p.Payloads[i], &t.payloads[i]
			pt.cpu = min(1, processorShare(*pl)*float64(meanOf(pl.Service))/max(1, pt.service.average()))
		}
	}
	t.slots, t.gateway, t.timeout = max(1, f.Slots), int64(f.Gateway), 0
	for i := range times {
		times[i] += f.Age
	}
	return times
}

// rebase counts the timeline and the last answer from the storm's start.
func (o *Outcome) rebase(start time.Duration) {
	o.Recover -= start
	kept := o.Timeline[:0]
	for _, x := range o.Timeline {
		if x.At+x.Every > start {
			x.At -= start
			kept = append(kept, x)
		}
	}
	o.Timeline = kept
}

// plane is that of what ran.
func (c *HostConfig) plane() plane.Plane {
	switch {
	case c.Fleet != nil:
		return c.Fleet.Plane
	case c.Copies != nil:
		return c.Copies.here(c.Rules)
	}
	return plane.NewLambda(c.Rules)
}

// slots are those for launches, of each function of a plane.
func (c *HostConfig) slots(p plane.Plane) []slots {
	functions := 1
	if s, ok := p.(*several); ok {
		functions = len(s.members)
	}
	return slices.Repeat([]slots{{n: c.launches()}}, functions)
}

func (c *HostConfig) launches() int {
	if c.Launches != 0 {
		return max(c.Launches, 0)
	}
	return 2 * int(math.Ceil(c.Cores))
}

func nanoseconds(ds []time.Duration) []int64 {
	if len(ds) == 0 {
		return nil
	}
	out := make([]int64, len(ds))
	for i, d := range ds {
		out[i] = int64(d)
	}
	return out
}
