package sim

import (
	"math"
	"time"

	"coldstorm/runtime/plane"
)

// several is the Lambda planes of some functions as one, which a machine drives:
// what the functions share, be it an account's quotas or this host's cores, binds
// them together, and what became of each trigger is counted once. Units have the
// numbers here in the order in which they start, whosever they are.
//
// Turned down: a machine for each function, on cores of its own, whose outcomes are
// added up. Nothing would be shared then, peaks would be summed that were at
// different times, and of samples none would know its place in the storm.
type several struct {
	members []member
	of      func(plane.Trigger) int // the member that a trigger is for
	account *plane.Account          // nil: members share nothing
	places  []place                 // of units, from 1
	wake    time.Duration           // that was asked for last
}

// member is the plane of one of the functions.
type member struct {
	plane    plane.Plane
	function string        // as the account knows it
	units    []plane.Unit  // the numbers here of its own, from 1
	wake     time.Duration // that it asked for; 0 at first: each is to see the first Tick
}

// place is whose a unit is, and which of its own.
type place struct {
	member int
	unit   plane.Unit
}

var _ plane.Plane = (*several)(nil)

// asleep is the wake-up of who asked for none.
const asleep = time.Duration(math.MaxInt64)

func newMember(function string, r plane.LambdaRules) member {
	r.Reuse = false // numbers here are given once
	return member{plane: plane.NewLambda(r), function: function, units: make([]plane.Unit, 1)}
}

// Census counts the units of all.
func (s *several) Census() (sum plane.Census) {
	for i := range s.members {
		c := s.members[i].plane.Census()
		sum.Starting += c.Starting
		sum.Idle += c.Idle
		sum.Busy += c.Busy
		sum.Queued += c.Queued
	}
	return sum
}

// Handle hands an event to the member that it is of, a Tick to those that asked.
func (s *several) Handle(e plane.Event, out []plane.Action) []plane.Action {
	i := 0
	switch e.Kind {
	case plane.Tick:
		return s.tick(e, out)
	case plane.Arrive:
		i = s.of(e.Trigger)
		if s.account != nil {
			if why := s.account.Admit(s.members[i].function, e.At); why != "" {
				return append(out, plane.Action{Verb: plane.Refuse, Trigger: e.Trigger, Reason: why})
			}
		}
	default:
		at := s.places[e.Unit]
		i, e.Unit = at.member, at.unit
		if e.Kind == plane.Done || e.Kind == plane.Gone { // while it served a trigger: no start fails here
			s.leave(i)
		}
	}
	out = s.hand(i, e, out)
	if s.members[i].wake < s.wake {
		s.wake = s.members[i].wake
		out = append(out, plane.Action{Verb: plane.WakeAt, At: s.wake})
	}
	return out
}

// tick wakes the members whose time has come.
func (s *several) tick(e plane.Event, out []plane.Action) []plane.Action {
	s.wake = asleep
	for i := range s.members {
		m := &s.members[i]
		if m.wake <= e.At {
			m.wake = asleep
			out = s.hand(i, e, out)
		}
		s.wake = min(s.wake, m.wake)
	}
	if s.wake < asleep {
		out = append(out, plane.Action{Verb: plane.WakeAt, At: s.wake})
	}
	return out
}

// hand appends what a member makes of an event, in the numbers here. Its wake-up
// is kept for the earliest of all.
func (s *several) hand(i int, e plane.Event, out []plane.Action) []plane.Action {
	m := &s.members[i]
	before := len(out)
	out = m.plane.Handle(e, out)
	kept := out[:before]
	for _, a := range out[before:] {
		switch a.Verb {
		case plane.WakeAt:
			m.wake = a.At
			continue
		case plane.StartUnit:
			m.units = append(m.units, plane.Unit(len(s.places)))
			s.places = append(s.places, place{i, a.Unit})
		case plane.Refuse:
			s.leave(i)
		}
		if a.Unit != 0 {
			a.Unit = m.units[a.Unit]
		}
		kept = append(kept, a)
	}
	return kept
}

// leave lets a trigger of a member out of the account.
func (s *several) leave(i int) {
	if s.account != nil {
		s.account.Leave(s.members[i].function)
	}
}
