package plane

import (
	"testing"
	"time"
)

// shrinking is a fleet of two units, of which one is wanted from the second 10 on.
func shrinking(t *testing.T, d DrainRules) *script {
	t.Helper()
	return fleet(t, FleetRules{Slots: 2, Min: 1, Max: 2, Drain: d, Scaler: &shrinks{}, RoundRobin: true})
}

// shrinks wants two units at first, and one from its second look on.
type shrinks struct{ looks int }

func (*shrinks) Every() time.Duration { return 10 * time.Second }

func (s *shrinks) Desired(Sight) int {
	s.looks++
	return max(1, 3-s.looks)
}

// grown is shrinking with two units that are ready, and a trigger in each.
func grown(t *testing.T, d DrainRules) *script {
	t.Helper()
	s := shrinking(t, d)
	want(t, s.tick(10), "start 2")
	s.ready(11, 2)
	want(t, s.arrive(12, 0), "dispatch 0 to 2 warm")
	want(t, s.arrive(12, 1), "dispatch 1 to 1 warm")
	s.done(13, 1, 1)
	return s
}

func TestAUnitStaysForTheDeregistrationDelay(t *testing.T) {
	s := grown(t, DrainRules{Delay: 300 * time.Second})
	s.done(14, 2, 0)
	want(t, s.tick(20), "drain 2") // idle, and deregistered
	want(t, s.arrive(30, 2), "dispatch 2 to 1 warm")
	want(t, s.tick(319.9))
	if c := s.p.Census(); c.Idle+c.Busy != 2 {
		t.Errorf("%+v: the unit is there, and billed, until the delay is over", c)
	}
	want(t, s.tick(320), "stop 2")
}

func TestARequestInFlightMayFinishWithinTheDeregistrationDelay(t *testing.T) {
	s := grown(t, DrainRules{Delay: 300 * time.Second})
	want(t, s.tick(20), "drain 2")
	want(t, s.done(200, 2, 0)) // answered; the unit waits for the delay all the same
	want(t, s.tick(320), "stop 2")
}

func TestARequestInFlightIsLostAtTheEndOfTheDeregistrationDelay(t *testing.T) {
	s := grown(t, DrainRules{Delay: 5 * time.Second})
	want(t, s.tick(20), "drain 2")
	want(t, s.tick(25), "kill 2")
	want(t, s.done(26, 2, 0)) // late, of a unit that is gone
}

func TestAPodStopsOnceItHoldsNothing(t *testing.T) {
	s := grown(t, DrainRules{Grace: TerminationGrace})
	want(t, s.tick(20), "drain 2")
	want(t, s.done(31, 2, 0), "stop 2")
	want(t, s.tick(50))
}

func TestAPodIsKilledAtTheEndOfItsGracePeriod(t *testing.T) {
	s := grown(t, DrainRules{Grace: TerminationGrace})
	want(t, s.tick(20), "drain 2")
	want(t, s.tick(50), "kill 2")
}

func TestAPodThatHoldsNothingStopsAtOnce(t *testing.T) {
	s := grown(t, DrainRules{Grace: TerminationGrace})
	s.done(14, 2, 0)
	want(t, s.tick(20), "stop 2")
}

func TestALongerGraceGoesBeyondTheDelay(t *testing.T) {
	d := DrainRules{Delay: 5 * time.Second, Grace: 100 * time.Second}
	s := grown(t, d)
	want(t, s.tick(20), "drain 2")
	want(t, s.tick(25))
	want(t, s.done(60, 2, 0), "stop 2") // the delay is over
	s = grown(t, d)
	want(t, s.tick(20), "drain 2")
	want(t, s.done(22, 2, 0))
	want(t, s.tick(25), "stop 2")
	s = grown(t, d)
	want(t, s.tick(20), "drain 2")
	want(t, s.tick(25))
	want(t, s.tick(120), "kill 2")
}

func TestWhatWaitsInAUnitIsLostWithIt(t *testing.T) {
	s := grown(t, DrainRules{Delay: 5 * time.Second})
	for i := range Trigger(4) { // round robin: two more each, of which one waits in the second
		s.arrive(15, 10+i)
	}
	want(t, s.tick(20), "drain 2")
	want(t, s.tick(25), "refuse 12 BadGateway", "kill 2")
	if c := s.p.Census(); c.Queued != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWithoutABoundAUnitFinishesWhatItHolds(t *testing.T) {
	s := grown(t, DrainRules{})
	want(t, s.tick(20), "drain 2")
	want(t, s.tick(5000))
	want(t, s.done(6000, 2, 0), "stop 2")
}
