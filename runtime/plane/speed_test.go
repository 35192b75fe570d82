package plane

import (
	"slices"
	"testing"
	"time"
)

// stepper is a plane that wants to be woken at its next whole minute, and remembers
// when it was.
type stepper struct{ woken []time.Duration }

func (s *stepper) Census() Census { return Census{Idle: len(s.woken)} }

func (s *stepper) Handle(e Event, out []Action) []Action {
	s.woken = append(s.woken, e.At)
	return append(out, Action{Verb: StartUnit, Unit: 1, At: e.At}, Action{Verb: WakeAt, At: e.At.Truncate(time.Minute) + time.Minute})
}

func TestAtSpeedAMinutePassesInASecond(t *testing.T) {
	s := &stepper{}
	p := AtSpeed(s, 60)
	held := []Action{{Verb: WakeAt, At: time.Hour}} // another's, before it in the list
	out := p.Handle(Event{Kind: Tick, At: 500 * time.Millisecond}, held)
	if s.woken[0] != 30*time.Second || out[0].At != time.Hour || out[2].At != time.Second {
		t.Errorf("half a second is %v there, the next minute is at %v here", s.woken[0], out[2].At)
	}
	if out[1].At != 30*time.Second {
		t.Errorf("an action that is no wake-up was changed: %+v", out[1])
	}
	if p.Census().Idle != 1 {
		t.Error("the census is not the plane's")
	}
}

func TestAtSpeedNeverWakesEarly(t *testing.T) {
	for _, factor := range []int{0, 1, 3, 7, 60, 1440} {
		s := &stepper{}
		p := AtSpeed(s, factor)
		at := time.Duration(0)
		for range 50 {
			out := p.Handle(Event{Kind: Tick, At: at}, nil)
			at = out[len(out)-1].At
		}
		if !slices.IsSorted(s.woken) {
			t.Errorf("factor %d: woken at %v", factor, s.woken)
		}
		for i, w := range s.woken[1:] {
			if due := s.woken[i].Truncate(time.Minute) + time.Minute; w < due {
				t.Fatalf("factor %d: woken at %v, before %v", factor, w, due)
			}
		}
	}
}
