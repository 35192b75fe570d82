package sim

import "coldstorm/runtime/plane"

// Events of the machine's own, which no plane sees.
const (
	launched plane.Kind = 200 + iota // a sandbox was made on this host: its init begins
	rested                           // an answered trigger's slot is free: the plane's Done
	spent                            // work beside triggers is done
)

// slots bound the launches that run at once on this host: one is held from the
// launch of a sandbox to the exec in it, and not during init, as live has it. Each
// function has its own.
type slots struct {
	n       int // 0: no bound
	taken   int
	waiting []int32 // units, in order
}

// launch makes a unit's sandbox, as soon as there is a slot.
func (m *machine) launch(u int32) {
	s := m.slotsOf(u)
	if s.n > 0 && s.taken == s.n {
		s.waiting = append(s.waiting, u)
		return
	}
	s.taken++
	m.later(pending{kind: launched, id: u, trigger: plane.NoTrigger}, m.timing.launch.draw(m.rng), 0)
}

// slotsOf are those of the function that a unit is of.
func (m *machine) slotsOf(u int32) *slots {
	if p, ok := m.plane.(*several); ok {
		return &m.slots[p.places[u].member]
	}
	return &m.slots[0]
}

// launched begins the init of a unit, and the launch of the next.
func (m *machine) launched(u int32) {
	s := m.slotsOf(u)
	s.taken--
	if len(s.waiting) > 0 {
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		m.launch(next)
	}
	m.later(pending{kind: plane.Ready, id: u, trigger: plane.NoTrigger}, m.timing.init.draw(m.rng), 0)
}
