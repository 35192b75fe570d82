package plane

import (
	"testing"
	"time"
)

func (s *script) check(at float64, u Unit, k Kind) []Action {
	s.t.Helper()
	return s.send(at, Event{Kind: k, Unit: u})
}

func TestUnitIsTakenOutAfterTwoFailedChecksInARowAndBackAfterFivePassed(t *testing.T) {
	for name, roundRobin := range map[string]bool{"least outstanding": false, "round robin": true} {
		s := fleet(t, FleetRules{Slots: 9, RoundRobin: roundRobin})
		s.check(30, 1, CheckFailed)
		s.check(60, 1, CheckPassed)
		s.check(90, 1, CheckFailed)
		want(t, s.arrive(91, 0), "dispatch 0 to 1 warm")
		s.check(120, 1, CheckFailed)
		want(t, s.arrive(121, 1), "refuse 1 NoHealthyTargets")
		for i := range 4 {
			s.check(float64(150+30*i), 1, CheckPassed)
		}
		want(t, s.arrive(250, 2), "refuse 2 NoHealthyTargets")
		s.check(270, 1, CheckPassed)
		if acts := s.arrive(271, 3); len(acts) != 1 || acts[0].Verb != Dispatch {
			t.Errorf("%s: %v after five passes", name, acts)
		}
	}
}

func TestUnhealthyUnitIsReplacedOnceWhatItServesIsDone(t *testing.T) {
	s := fleet(t, FleetRules{Health: HealthCheck{Replace: true}})
	s.arrive(1, 0)
	s.check(30, 1, CheckFailed)
	want(t, s.check(60, 1, CheckFailed), "drain 1", "start 2")
	want(t, s.done(61, 1, 0), "stop 1")
}

func TestSlowStartGivesANewTargetAShareThatGrows(t *testing.T) {
	n := &fixed{n: 2}
	s := fleet(t, FleetRules{Slots: 1000, Max: 2, RoundRobin: true, SlowStart: 100 * time.Second, Scaler: n})
	s.tick(60)
	s.ready(1000, 2)
	share := func(at float64) (to2 int) {
		for i := range Trigger(100) {
			if acts := s.arrive(at, i); acts[0].Unit == 2 {
				to2++
			}
		}
		return to2
	}
	for _, test := range []struct {
		at       float64
		from, to int
	}{{1010, 7, 11}, {1050, 31, 35}, {1100, 50, 50}} { // a tenth and a half of the other's; then as much
		if got := share(test.at); got < test.from || got > test.to {
			t.Errorf("at %v it gets %d of 100, want %d to %d", test.at, got, test.from, test.to)
		}
	}
}

func TestUnitsSpreadOverZonesBeforeNodes(t *testing.T) {
	f := NewFleet(FleetRules{Min: 1, PerNode: 4, Place: BinPack, Zones: 2})
	for range 4 {
		f.startNode(nil)
		f.nodeUp(Node(len(f.nodes)-1), 0)
	}
	var zones [2]int
	for range 6 {
		n := f.place()
		f.startUnit(n, missing{}, false, nil)
		zones[(n-1)%2]++
	}
	if zones != [2]int{3, 3} {
		t.Errorf("units by zone %v, want 3 in each", zones)
	}
	// Within a zone they are packed.
	if f.usedNodes != 2 {
		t.Errorf("%d nodes hold units, want 2", f.usedNodes)
	}
}

func TestRandomPlacementTakesEveryNodeWithRoomAndRepeatsItself(t *testing.T) {
	run := func() (held [5]int, order []Node) {
		f := NewFleet(FleetRules{Min: 1, PerNode: 50, Random: true})
		for range 4 {
			f.startNode(nil)
			f.nodeUp(Node(len(f.nodes)-1), 0)
		}
		for range 100 {
			n := f.place()
			f.startUnit(n, missing{}, false, nil)
			held[n]++
			order = append(order, n)
		}
		return held, order
	}
	held, order := run()
	for n, h := range held[1:] {
		if h < 10 || h > 50 {
			t.Errorf("node %d holds %d of 100", n+1, h)
		}
	}
	if _, again := run(); len(again) != len(order) || again[50] != order[50] || again[99] != order[99] {
		t.Error("a second run differs")
	}
}
