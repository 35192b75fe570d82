package plane

// This file holds how several triggers share an environment of a Lambda plane.

// enter counts a trigger into a ready environment, which is on no list of idle ones.
func (l *Lambda) enter(u Unit) {
	unit := &l.units[u]
	if unit.running == 0 {
		l.busy++
	}
	unit.state = unitBusy
	unit.running++
	l.offer(u)
}

// leave counts a trigger out, and reports whether it was the last.
func (l *Lambda) leave(e Event) bool {
	unit := &l.units[e.Unit]
	unit.running--
	if unit.running == 0 {
		l.busy--
	}
	unit.old = l.aged(e)
	l.offer(e.Unit)
	return unit.running == 0
}

// offer lists a busy environment by its triggers, if it has room.
func (l *Lambda) offer(u Unit) {
	if l.rules.Slots == 1 {
		return
	}
	l.open.take(int32(u))
	if n := int(l.units[u].running); n > 0 && n < l.rules.Slots && !l.units[u].old {
		l.open.put(int32(u), n)
	}
}

// pickOpen is a busy environment with room, by the order of routing.
func (l *Lambda) pickOpen() Unit {
	if l.rules.LeastRecent {
		for n := 1; n < l.rules.Slots; n++ {
			if u := l.open.last(n); u != 0 {
				return Unit(u)
			}
		}
	}
	for n := l.rules.Slots - 1; n > 0; n-- {
		if u := l.open.last(n); u != 0 {
			return Unit(u)
		}
	}
	return 0
}

// join has a trigger wait for the environment that started first and has room.
func (l *Lambda) join(t Trigger, out []Action) []Action {
	u := l.joinable[0]
	l.joined[u] = append(l.joined[u], t)
	l.inFlight++
	if 1+len(l.joined[u]) == l.rules.Slots {
		l.joinable = l.joinable[1:]
	}
	return append(out, Action{Verb: Await, Unit: u, Trigger: t})
}

// closeJoin lets no more triggers wait for an environment's start.
func (l *Lambda) closeJoin(u Unit) { l.joinable = removeUnit(l.joinable, u) }
