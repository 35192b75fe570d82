package plane

import (
	"testing"
	"time"
)

func TestCrashLoopBackOffDoublesFromTenSecondsToFiveMinutes(t *testing.T) {
	s := fleet(t, FleetRules{Backoff: CrashLoop})
	at := 1.0
	for i, wants := range []float64{0, 10, 20, 40, 80, 160, 300, 300} {
		acts := s.send(at, Event{Kind: Gone, Unit: Unit(i + 1)})
		if wants > 0 {
			want(t, acts)
			if s.wake != time.Duration((at+wants)*float64(time.Second)) {
				t.Fatalf("death %d: a start at %v, want %v s after %v", i+1, s.wake, wants, at)
			}
			at = s.wake.Seconds()
			acts = s.tick(at)
		}
		if len(acts) != 1 || acts[0].Verb != StartUnit {
			t.Fatalf("death %d: %v", i+1, acts)
		}
	}
}

func TestBackOffBeginsAnewAfterTenMinutesWithoutADeath(t *testing.T) {
	s := fleet(t, FleetRules{Backoff: CrashLoop})
	want(t, s.send(1, Event{Kind: Gone, Unit: 1}), "start 2")
	s.ready(2, 2)
	want(t, s.send(700, Event{Kind: Gone, Unit: 2}), "start 3")
}

func TestServiceThrottleCountsTasksThatWereNeverReadyAlone(t *testing.T) {
	s := fleet(t, FleetRules{Backoff: ServiceThrottle})
	want(t, s.send(1, Event{Kind: Gone, Unit: 1}), "start 2") // it ran
	want(t, s.send(2, Event{Kind: Gone, Unit: 2}), "start 3") // the first that did not
	want(t, s.send(3, Event{Kind: Gone, Unit: 3}))            // the second waits
	want(t, s.tick(13), "start 4")
}

// A container's back-off is its own: what a scaler adds starts beside it.
func TestCrashLoopBackOffHoldsNoOtherLaunch(t *testing.T) {
	n := &fixed{n: 1}
	s := fleet(t, FleetRules{Max: 5, Backoff: CrashLoop, Scaler: n})
	want(t, s.send(50, Event{Kind: Gone, Unit: 1}), "start 2")
	want(t, s.send(55, Event{Kind: Gone, Unit: 2})) // in its place one starts at 65
	n.n = 2
	want(t, s.tick(60), "start 3")
	s.ready(61, 3)
	want(t, s.send(62, Event{Kind: Gone, Unit: 3}), "start 4") // its first death
	want(t, s.tick(65), "start 5")
	want(t, s.send(66, Event{Kind: Gone, Unit: 5})) // the third in that place
	want(t, s.tick(85))
	want(t, s.tick(86), "start 6")
}

func TestServiceThrottleHoldsEveryLaunch(t *testing.T) {
	n := &fixed{n: 1}
	s := fleet(t, FleetRules{Max: 5, Backoff: ServiceThrottle, Scaler: n})
	s.send(54, Event{Kind: Gone, Unit: 1})
	s.send(55, Event{Kind: Gone, Unit: 2})
	want(t, s.send(56, Event{Kind: Gone, Unit: 3}))
	n.n = 3
	want(t, s.tick(60))
	want(t, s.tick(66), "start 4", "start 5", "start 6")
}

func TestAUnitThatIsNoLongerWantedIsNotRestarted(t *testing.T) {
	n := &fixed{n: 2}
	s := fleet(t, FleetRules{Max: 5, Backoff: CrashLoop, Scaler: n})
	s.tick(60)
	s.ready(61, 2)
	s.send(62, Event{Kind: Gone, Unit: 2})
	s.send(115, Event{Kind: Gone, Unit: 3}) // until 125
	n.n = 1
	want(t, s.tick(120))
	want(t, s.tick(125))
}

func TestABackOffTakesTimesInThePlaceOfItsOwn(t *testing.T) {
	for _, c := range []struct {
		rule               string
		least, most, reset time.Duration
		want               [3]time.Duration
	}{
		{"none", 0, 0, 0, [3]time.Duration{10 * time.Second, 300 * time.Second, 10 * time.Minute}},
		{"all", 1, 2, 3, [3]time.Duration{1, 2, 3}},
		{"the most is not less than the least", time.Hour, 0, 0, [3]time.Duration{time.Hour, time.Hour, 10 * time.Minute}},
	} {
		b := CrashLoop.With(c.least, c.most, c.reset)
		if got := [3]time.Duration{b.Least, b.Most, b.Reset}; got != c.want || !b.Each {
			t.Errorf("%s: %v, want %v", c.rule, got, c.want)
		}
	}
}
