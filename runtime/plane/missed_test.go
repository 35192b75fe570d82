package plane

import (
	"slices"
	"testing"
	"time"
)

// since hands an event to the plane and returns since when the units that start were
// missing, in seconds.
func (s *script) since(at float64, e Event) (list []float64) {
	s.t.Helper()
	for _, a := range s.send(at, e) {
		if a.Verb == StartUnit {
			list = append(list, a.Since.Seconds())
		}
	}
	return list
}

func wantSince(t *testing.T, rule string, got []float64, wants ...float64) {
	t.Helper()
	if !slices.Equal(got, wants) {
		t.Errorf("%s: units that start were missing since %v, want %v", rule, got, wants)
	}
}

func TestAUnitThatStartsSaysSinceWhenItWasMissing(t *testing.T) {
	n := &fixed{n: 1}
	s := fleet(t, FleetRules{Max: 9, Scaler: n, Launch: []Rate{{Burst: 1, PerSecond: 0.1}}})
	n.n = 3
	wantSince(t, "at once, as far as launches are allowed", s.since(60, Event{Kind: Tick}), 60)
	wantSince(t, "what waited for a launch", s.since(70, Event{Kind: Tick}), 60)
	wantSince(t, "what died", s.since(80, Event{Kind: Gone, Unit: 1}), 80)
}

func TestAUnitThatWaitsForANodeIsMissingSinceItWasWanted(t *testing.T) {
	n := &fixed{n: 1}
	s := fleet(t, FleetRules{Max: 9, PerNode: 1, Place: BinPack, Scaler: n, Nodes: &Karpenter{}})
	n.n = 2
	s.tick(60)
	s.tick(61) // a node starts
	n.n = 3
	s.tick(120)
	s.tick(121) // another
	wantSince(t, "the first in need takes the first room", s.since(130, Event{Kind: NodeUp, Node: 3}), 60)
	wantSince(t, "the next", s.since(140, Event{Kind: NodeUp, Node: 2}), 120)
}

func TestOfUnitsThatAreNoLongerWantedTheYoungestIsForgotten(t *testing.T) {
	n := &fixed{n: 1}
	s := fleet(t, FleetRules{Max: 9, PerNode: 1, Place: BinPack, Scaler: n, Nodes: &Karpenter{}})
	n.n = 2
	s.tick(60)
	n.n = 3
	s.tick(120)
	n.n = 2
	s.tick(180)
	wantSince(t, "the oldest need is left", s.since(181, Event{Kind: NodeUp, Node: 2}), 60)
}

func TestAtSpeedSinceIsInTheExecutorsTime(t *testing.T) {
	s := &script{t: t, p: AtSpeed(NewFleet(FleetRules{}), 60)}
	s.ready(1, 1)
	s.ready(2, 1)
	wantSince(t, "of the death at 3 s", s.since(3, Event{Kind: Gone, Unit: 1}), 3)
}

func TestInstancesSayHowLongTheyWaitedInTheWarmPool(t *testing.T) {
	n := 1
	s := fleet(t, FleetRules{Max: 10, Scaler: wishes{&n}, WarmPool: WarmPool{Capacity: 5, Prepare: 20 * time.Second}})
	n = 2
	s.tick(60) // one is taken
	n = 4
	s.tick(120) // two more
	n = 2
	s.ready(121, 2)
	s.ready(121, 3)
	s.ready(121, 4)
	s.tick(180) // two are prepared, until 200
	n = 4
	s.tick(240)
	left, still := s.p.(*Fleet).Waited()
	if want := []time.Duration{60 * time.Second, 120 * time.Second, 120 * time.Second, 240 * time.Second, 40 * time.Second}; !slices.Equal(left, want) || still != 1 {
		t.Errorf("left after %v, %d wait still; want %v, the longest waiting first, and one that nobody took", left, still, want)
	}
}
