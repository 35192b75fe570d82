package sim

import (
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// act carries out an action of the plane.
func (m *machine) act(a *plane.Action) {
	switch a.Verb {
	case plane.Dispatch:
		m.dispatch(a)
	case plane.StartUnit:
		m.startUnit(a)
	case plane.StopUnit:
		if m.units[a.Unit].running > 0 {
			m.fault("unit %d is stopped while it serves a trigger", a.Unit)
		}
		m.states.unit(int32(a.Unit), life.Draining, m.now)
		m.retire(int32(a.Unit))
	case plane.KillUnit:
		m.lose(int32(a.Unit))
		m.retire(int32(a.Unit))
	case plane.Drain:
		m.states.unit(int32(a.Unit), life.Draining, m.now)
	case plane.Refuse:
		m.refuse(a)
	case plane.StartNode:
		m.startNode(a)
	case plane.StopNode:
		n := &m.nodes[a.Node]
		n.gone = true
		m.book.nodeStopped(n, m.now)
		m.states.node(int32(a.Node), life.Ended, m.now)
	case plane.WakeAt:
		m.wake = max(int64(a.At), m.now)
	}
}

func (m *machine) dispatch(a *plane.Action) {
	t := m.waiting(a.Trigger)
	if t == nil {
		m.fault("trigger %d is dispatched after it was answered or dispatched", a.Trigger)
		return
	}
	u := &m.units[a.Unit]
	if u.gone {
		m.fault("trigger %d is dispatched to unit %d, which is gone", a.Trigger, a.Unit)
		return
	}
	if u.running++; int(u.running) > m.timing.slots {
		m.fault("unit %d serves %d triggers at once", a.Unit, u.running)
	}
	t.state, t.unit = triggerRunning, int32(a.Unit)
	t.start = indexOf(a.Start)
	if t.start != startWarm && t.start != startProvisioned {
		t.init = u.init
		m.book.started(int(a.Trigger), a.Cause)
	}
	cpu, wait := m.timing.serve(m.rng, u.served == 0 && t.start != startWarm, u.served)
	for range m.front.size(a.Trigger) - 1 { // the other messages of a batch
		c, w := m.timing.serve(m.rng, false, u.served)
		cpu, wait = cpu+c, wait+w
	}
	u.served++
	if m.timing.onHost {
		t.overhead = m.timing.overhead.draw(m.rng)
		m.spend(m.timing.beside.Trigger)
	}
	t.service = cpu + wait
	kind := plane.Done
	if m.timing.timeout > 0 && t.service > m.timing.timeout {
		t.service, cpu, wait, kind = m.timing.timeout, 0, m.timing.timeout, plane.Gone
	}
	m.later(pending{kind: kind, id: int32(a.Unit), trigger: a.Trigger}, cpu, wait)
}

// later lets p happen after work on the processor, then waiting. On AWS the
// work of a unit is done on a processor of its own.
func (m *machine) later(p pending, work, wait int64) {
	if m.cores != nil && work > 0 && !m.boot {
		m.cores.push(p, m.now, work, wait)
		return
	}
	p.at = m.now + work + wait
	m.events.push(p)
}

func (m *machine) startUnit(a *plane.Action) {
	if int(a.Unit) > len(m.units) || int(a.Unit) < len(m.units) && !m.units[a.Unit].gone {
		m.fault("unit %d is started after %d", a.Unit, len(m.units)-1)
		return
	}
	if int(a.Unit) == len(m.units) {
		m.units = append(m.units, unit{})
	}
	u := &m.units[a.Unit]
	*u = unit{from: m.now}
	m.book.unitStarted(m.now)
	p := pending{kind: plane.Ready, id: int32(a.Unit), trigger: plane.NoTrigger}
	var work, wait int64
	if m.timing.onHost && !m.boot {
		m.launch(p.id)
		return
	}
	if !m.boot {
		var by [life.Serving]int64
		wait, by = m.timing.start(m.rng)
		if m.timing.pull > 0 && a.Node > 0 {
			p := m.pulled(int64(a.Node), m.now)
			wait += p
			by[m.timing.pullIn] += p
		}
		work = max(m.timing.init.draw(m.rng), m.timing.least.draw(m.rng))
		if a.Prepared {
			if wait = m.timing.prepared.draw(m.rng); m.timing.running {
				work = 0
			}
			by = [life.Serving]int64{life.Placed: wait}
		}
		m.states.starts(a, m.now, &by)
		if m.timing.billInit {
			u.init = work
		} else if m.timing.restore {
			u.init = min(wait, int64(snapStartBilled))
		}
	}
	m.later(p, work, wait)
}

func (m *machine) startNode(a *plane.Action) {
	if int(a.Node) != len(m.nodes) {
		m.fault("node %d is started after %d", a.Node, len(m.nodes)-1)
		return
	}
	m.nodes = append(m.nodes, unit{from: m.now, pulls: m.boot})
	var wait int64
	if !m.boot {
		wait = m.timing.node.draw(m.rng)
		m.states.node(int32(a.Node), life.Placed, m.now)
	}
	m.later(pending{kind: plane.NodeUp, id: int32(a.Node), trigger: plane.NoTrigger}, 0, wait)
}

func (m *machine) retire(u int32) {
	if m.units[u].gone {
		m.fault("unit %d is stopped twice", u)
		return
	}
	m.units[u].gone = true
	if m.timing.stop > 0 {
		m.states.unit(u, life.Stopping, m.now)
	}
	m.states.unit(u, life.Ended, m.now+m.timing.stop)
	m.book.unitStopped(&m.units[u], m.now, m.now+m.timing.stop)
	m.spend(m.timing.beside.End)
}

func (m *machine) refuse(a *plane.Action) {
	t := m.waiting(a.Trigger)
	if t == nil {
		m.fault("trigger %d is refused after it was answered or dispatched", a.Trigger)
		return
	}
	t.state = triggerAnswered
	if m.front != nil {
		m.front.refused(a.Trigger, a.Reason)
	} else {
		m.book.refused(int(a.Trigger), t, a.Reason, m.now)
	}
	m.triggers.done(a.Trigger)
}

// waiting is a trigger that waits, or nil if it does not.
func (m *machine) waiting(id plane.Trigger) *trigger {
	if !m.triggers.holds(id) {
		return nil
	}
	if t := m.triggers.of(id); t.state == triggerWaiting {
		return t
	}
	return nil
}
