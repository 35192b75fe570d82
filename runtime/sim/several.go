package sim

import (
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
	wakes   queue                   // that members asked for: id is the member
	wake    int64                   // that was asked for here
	begun   bool
}

// member is the plane of one of the functions.
type member struct {
	plane    plane.Plane
	function string       // as the account knows it
	units    []plane.Unit // the numbers here of its own, from 1
}

// place is whose a unit is, and which of its own.
type place struct {
	member int
	unit   plane.Unit
}

var _ plane.Plane = (*several)(nil)

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

// Handle hands an event to the member that it is of, a Tick to those that asked. The
// first event is a Tick.
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
	return s.nextWake(s.hand(i, e, out))
}

// tick hands a Tick to the members whose time has come, the first one to all.
func (s *several) tick(e plane.Event, out []plane.Action) []plane.Action {
	if !s.begun {
		s.begun = true
		for i := range s.members {
			out = s.hand(i, e, out)
		}
	}
	for s.wakes.next() <= int64(e.At) {
		out = s.hand(int(s.wakes.pop().id), e, out)
	}
	s.wake = never
	return s.nextWake(out)
}

// nextWake asks for the earliest wake-up of any member, unless it has.
func (s *several) nextWake(out []plane.Action) []plane.Action {
	if at := s.wakes.next(); at < s.wake {
		s.wake = at
		out = append(out, plane.Action{Verb: plane.WakeAt, At: time.Duration(at)})
	}
	return out
}

// hand appends what a member makes of an event, in the numbers here, and keeps the
// wake-up that it asks for. A Lambda plane asks for one at a time.
func (s *several) hand(i int, e plane.Event, out []plane.Action) []plane.Action {
	m := &s.members[i]
	before := len(out)
	out = m.plane.Handle(e, out)
	kept := out[:before]
	for _, a := range out[before:] {
		switch a.Verb {
		case plane.WakeAt:
			s.wakes.push(pending{at: int64(a.At), id: int32(i)})
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
