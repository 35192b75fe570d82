package plane

import "time"

// DrainRules are how a unit goes that is no longer wanted. The zero value lets it finish what it
// holds, however long that takes, and stops it then.
type DrainRules struct {
	// Delay is how long a unit stays that was taken from the load balancer, whether it holds
	// triggers or not; what it holds at the end is lost, as its connections are closed (AWS:
	// deregistration_delay.timeout_seconds of a target group, 300 s by default, for which ECS
	// and Auto Scaling wait until the target's state is unused; Amazon ECS Developer Guide,
	// "Optimize load balancer connection draining parameters"). 0 is none.
	Delay time.Duration
	// Grace is how long a unit may take to finish what it holds; it stops once it holds
	// nothing, and loses the rest at the end (Kubernetes: terminationGracePeriodSeconds, 30 s
	// by default, from the pod's deletion to SIGKILL). 0 is no bound, or with Delay that one;
	// what is longer than Delay goes beyond it, for an executor whose triggers are not as much
	// faster as its rules.
	Grace time.Duration
}

// Defaults of DrainRules.
const (
	DeregistrationDelay = 300 * time.Second
	TerminationGrace    = 30 * time.Second // and ECS's stopTimeout
)

// leaving is a unit that drains, and when it goes if it holds nothing, or at the latest.
type leaving struct {
	unit Unit
	at   time.Duration
}

// drain takes a ready unit out of routing, and stops it by the rules.
func (f *Fleet) drain(id Unit, at time.Duration, out []Action) []Action {
	u, d := &f.units[id], f.rules.Drain
	u.draining, u.stays = true, at+d.Delay
	f.alive--
	f.router.remove(id)
	if u.running == 0 && d.Delay == 0 {
		return f.stop(id, out)
	}
	switch {
	case d.Delay > 0:
		f.leaving.push(leaving{id, at + d.Delay})
	case d.Grace > 0:
		f.lasting.push(leaving{id, at + d.Grace})
	}
	return append(out, Action{Verb: Drain, Unit: id})
}

// leave stops the units whose time is up. What they hold is lost.
func (f *Fleet) leave(at time.Duration, out []Action) []Action {
	more := f.rules.Drain.Grace - f.rules.Drain.Delay
	for f.leaving.len() > 0 && f.leaving.front().at <= at {
		l := f.leaving.pop()
		if f.units[l.unit].running > 0 && more > 0 {
			f.lasting.push(leaving{l.unit, l.at + more})
			continue
		}
		out = f.left(l.unit, out)
	}
	for f.lasting.len() > 0 && f.lasting.front().at <= at {
		out = f.left(f.lasting.pop().unit, out)
	}
	return out
}

// left stops a unit whose time is up, if it is still there.
func (f *Fleet) left(id Unit, out []Action) []Action {
	u := &f.units[id]
	if u.state == unitGone {
		return out
	}
	verb := StopUnit
	if u.running > 0 {
		verb = KillUnit
	}
	return f.emptied(append(f.gone(id, out), Action{Verb: verb, Unit: id}))
}
