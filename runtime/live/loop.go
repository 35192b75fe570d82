package live

import (
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// trigger is an invocation before it has an environment.
type trigger struct {
	id       plane.Trigger
	request  string          // its id
	assigned chan assignment // one value, buffered
}

// assignment is what became of a trigger.
type assignment struct {
	unit    *unit
	stay    *stay // nil of a start that failed
	start   results.Start
	cause   results.Cause
	served  int          // by unit, before
	joined  bool         // it waited for the unit's start, which was for another
	refused plane.Reason // or
	failure *Failure
}

// arrive brings a trigger to the plane, at once unless an environment is about
// to have room. The caller holds the lock.
func (f *Function) arrive(t *trigger) {
	if f.settling > len(f.waiters) && f.room == 0 {
		f.waiters = append(f.waiters, t)
		time.AfterFunc(f.config.SettleGrace, func() { f.graceOver(t) })
		return
	}
	f.handle(plane.Event{Kind: plane.Arrive, Trigger: t.id})
}

func (f *Function) graceOver(t *trigger) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, w := range f.waiters {
		if w == t {
			f.waiters = append(f.waiters[:i], f.waiters[i+1:]...)
			f.admit(t)
			return
		}
	}
}

// admitWaiters lets waiting triggers through, the longest waiting first, as long
// as an environment has room for them or there is none left to wait for. The
// caller, who holds the lock, has just made room or lost an environment.
func (f *Function) admitWaiters() {
	for len(f.waiters) > 0 && (len(f.waiters) > f.settling || f.room > 0) {
		t := f.waiters[0]
		f.waiters = f.waiters[1:]
		f.admit(t)
	}
}

func (f *Function) admit(t *trigger) {
	f.handle(plane.Event{Kind: plane.Arrive, Trigger: t.id})
}

// handle feeds the plane with an event of now, and carries out what follows.
// The caller holds the lock; what takes time is left to goroutines, and a
// freeze or thaw to those that hold the unit.
func (f *Function) handle(e plane.Event) {
	f.last = max(f.last, results.Now().Sub(f.began))
	e.At = f.last
	f.actions = f.plane.Handle(e, f.actions[:0])
	for _, a := range f.actions {
		f.carryOut(a)
	}
	for len(f.nodes) > 0 {
		n := f.nodes[0]
		f.nodes = f.nodes[1:]
		f.handle(plane.Event{Kind: plane.NodeUp, Node: n})
	}
}

func (f *Function) carryOut(a plane.Action) {
	switch a.Verb {
	case plane.StartUnit:
		u := newUnit(f, a)
		f.units[a.Unit] = u
		go u.live()
	case plane.Dispatch:
		u := f.units[a.Unit]
		u.freeze = false
		f.room--
		to := assignment{unit: u, start: a.Start, cause: a.Cause, served: u.served, joined: slices.Contains(u.joined, a.Trigger)}
		to.stay = u.begin(f.triggers[a.Trigger], to)
		f.assign(a.Trigger, to)
		u.served++
	case plane.Await:
		u := f.units[a.Unit]
		u.joined = append(u.joined, a.Trigger)
	case plane.Freeze:
		f.units[a.Unit].freeze = !f.config.NoFreeze
	case plane.StopUnit:
		u := f.units[a.Unit]
		f.forget(u)
		go u.end(errDiscarded)
	case plane.Refuse:
		f.assign(a.Trigger, assignment{refused: a.Reason})
	case plane.StartNode:
		f.nodes = append(f.nodes, a.Node)
	case plane.StopNode: // it is this machine
	case plane.WakeAt:
		f.wakeAt(a.At)
	}
}

func (f *Function) assign(id plane.Trigger, a assignment) {
	if t := f.triggers[id]; t != nil {
		delete(f.triggers, id)
		t.assigned <- a
	}
}

// forget takes a unit from the plane's hands.
func (f *Function) forget(u *unit) {
	u.gone = true
	if u.up {
		f.room -= u.config.places() - len(u.stays)
	}
	delete(f.units, u.no)
	f.dying[u] = struct{}{}
}

func (f *Function) wakeAt(at time.Duration) {
	wait := at - results.Now().Sub(f.began)
	if f.alarm != nil {
		f.alarm.Stop()
	}
	p := f.plane
	f.alarm = time.AfterFunc(max(wait, 0), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.plane == p {
			f.handle(plane.Event{Kind: plane.Tick})
		}
	})
}

// lose tells the plane that a unit died, and fails the triggers that waited for
// its start. It reports whether the plane still had it.
func (f *Function) lose(u *unit, why *Failure) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u.gone {
		return false
	}
	f.forget(u)
	f.keep(u)
	for _, s := range u.stays {
		if s.settling {
			f.settling--
		}
	}
	if !u.up {
		tell(f.failed, why)
		f.assign(u.trigger, assignment{unit: u, start: results.StartCold, cause: u.cause, failure: why})
		for _, t := range u.joined {
			f.assign(t, assignment{unit: u, start: results.StartCold, cause: u.cause, failure: why, joined: true})
		}
	}
	f.handle(plane.Event{Kind: plane.Gone, Unit: u.no})
	f.admitWaiters()
	return true
}
