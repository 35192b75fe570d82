package fleet

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// assignment is what became of a request at the load balancer.
type assignment struct {
	unit    *unit
	start   results.Start
	cause   results.Cause
	served  int          // by the unit, before
	refused plane.Reason // or
}

// handle feeds the plane with an event of now, and carries out what follows. The
// caller holds the lock; what takes time is left to goroutines.
func (f *Fleet) handle(e plane.Event) {
	if f.closed {
		return
	}
	f.last = max(f.last, time.Since(f.began))
	e.At = f.last
	f.actions = f.plane.Handle(e, f.actions[:0])
	for _, a := range f.actions {
		f.carryOut(a)
	}
	f.restored()
	f.changed.Broadcast()
}

func (f *Fleet) carryOut(a plane.Action) {
	switch a.Verb {
	case plane.StartNode:
		n := newNode(a.Node)
		f.nodes[a.Node] = n
		f.enterNode(n, life.Placed)
		f.work.Go(func() { f.startNode(n) })
	case plane.StopNode:
		if n := f.nodes[a.Node]; n != nil {
			f.dropNode(n)
		}
	case plane.StartUnit:
		u := f.newUnit(a)
		f.units[a.Unit] = u
		f.begins(a)
		f.work.Go(u.live)
	case plane.Drain:
		f.enter(a.Unit, life.Draining)
	case plane.StopUnit, plane.KillUnit:
		f.enter(a.Unit, life.Draining)
		f.enter(a.Unit, life.Stopping)
		if u := f.units[a.Unit]; u != nil {
			f.forget(u)
			f.work.Go(u.end)
		}
	case plane.Dispatch:
		u := f.units[a.Unit]
		f.assign(a.Trigger, assignment{unit: u, start: a.Start, cause: a.Cause, served: u.served})
		u.served++
	case plane.Refuse:
		f.assign(a.Trigger, assignment{refused: a.Reason})
	case plane.WakeAt:
		f.wakeAt(a.At)
	case plane.Freeze: // containers run on
	}
}

func (f *Fleet) assign(id plane.Trigger, a assignment) {
	if t := f.triggers[id]; t != nil {
		delete(f.triggers, id)
		t <- a
	}
}

// forget takes a unit from the plane's hands. The caller holds the lock.
func (f *Fleet) forget(u *unit) {
	u.gone, u.ready = true, false
	delete(f.units, u.no)
	if u.node != nil && u.node.own {
		delete(f.nodes, u.node.no)
	}
}

// dropNode takes a node from the plane's hands, and removes it. The caller holds the lock.
func (f *Fleet) dropNode(n *node) {
	delete(f.nodes, n.no)
	n.stopped = true
	if !n.killed { // else it runs no more
		f.enterNode(n, life.Stopping)
	}
	f.work.Go(func() { f.stopNode(n) })
}

func (f *Fleet) wakeAt(at time.Duration) {
	if f.alarm != nil {
		f.alarm.Stop()
	}
	f.alarm = f.later(at-time.Since(f.began), func() { f.handle(plane.Event{Kind: plane.Tick}) })
}

// later calls do under the lock, unless the fleet is closed by then.
func (f *Fleet) later(after time.Duration, do func()) *time.Timer {
	return time.AfterFunc(max(after, 0), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.closed {
			do()
		}
	})
}

// restored ends the losses after which as many units are ready as before. The caller
// holds the lock.
func (f *Fleet) restored() {
	c := f.plane.Census()
	for _, l := range f.losses {
		if l.Back == 0 && l.Noticed != 0 && c.Idle+c.Busy >= l.Ready {
			l.Back = results.Now()
		}
	}
}

// noticed tells that the plane hears of a loss. The caller holds the lock.
func noticed(l *Loss) {
	if l != nil && l.Noticed == 0 {
		l.Noticed = results.Now()
	}
}
