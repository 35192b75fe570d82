package plane

import (
	"testing"
	"time"
)

// fleet returns a plane whose Min units are ready at time 0.
func fleet(t *testing.T, r FleetRules) *script {
	t.Helper()
	s := &script{t: t, p: NewFleet(r)}
	acts := s.tick(0)
	for i := 0; i < len(acts); i++ {
		switch a := acts[i]; a.Verb {
		case StartNode:
			acts = append(acts, s.send(0, Event{Kind: NodeUp, Node: a.Node})...)
		case StartUnit:
			acts = append(acts, s.ready(0, a.Unit)...)
		}
	}
	return s
}

func TestUnitServesAsManyTriggersAsItHasSlots(t *testing.T) {
	s := fleet(t, FleetRules{Slots: 2})
	want(t, s.arrive(1, 0), "dispatch 0 to 1 warm")
	want(t, s.arrive(1, 1), "dispatch 1 to 1 warm")
	want(t, s.arrive(1, 2)) // waits
	want(t, s.done(2, 1, 1), "dispatch 2 to 1 warm")
}

func TestTriggersWaitInOrderOfArrival(t *testing.T) {
	s := fleet(t, FleetRules{})
	for i := range Trigger(3) {
		s.arrive(1, i)
	}
	want(t, s.done(2, 1, 0), "dispatch 1 to 1 warm")
	want(t, s.done(3, 1, 1), "dispatch 2 to 1 warm")
}

func TestTriggerGoesToTheUnitWithTheFewestOutstanding(t *testing.T) {
	s := fleet(t, FleetRules{Slots: 2, Min: 2})
	want(t, s.arrive(1, 0), "dispatch 0 to 2 warm")
	want(t, s.arrive(1, 1), "dispatch 1 to 1 warm")
	s.done(2, 2, 0)
	want(t, s.arrive(3, 2), "dispatch 2 to 2 warm")
}

func TestRoundRobinTakesUnitsInTurn(t *testing.T) {
	s := fleet(t, FleetRules{Slots: 2, Min: 2, RoundRobin: true})
	want(t, s.arrive(1, 0), "dispatch 0 to 2 warm")
	s.done(1, 2, 0)
	want(t, s.arrive(1, 1), "dispatch 1 to 1 warm")
	s.done(1, 1, 1)
	want(t, s.arrive(1, 2), "dispatch 2 to 2 warm")
}

func TestFullQueueRefuses(t *testing.T) {
	s := fleet(t, FleetRules{Queue: 1})
	s.arrive(1, 0)
	s.arrive(1, 1)
	want(t, s.arrive(1, 2), "refuse 2 QueueFull")
}

func TestIdleTimeoutOfTheLoadBalancerIsAMinute(t *testing.T) {
	s := fleet(t, FleetRules{})
	s.arrive(1, 0)
	s.arrive(2, 1)
	if s.wake != 62*time.Second {
		t.Errorf("wake-up at %v, want 62 s", s.wake)
	}
	want(t, s.tick(62), "refuse 1 GatewayTimeout")
	want(t, s.done(70, 1, 0)) // what runs goes on
}

func TestAbandonedTriggerIsNotServed(t *testing.T) {
	s := fleet(t, FleetRules{})
	s.arrive(1, 0)
	s.arrive(1, 1)
	want(t, s.send(2, Event{Kind: Abandon, Trigger: 1}))
	want(t, s.done(3, 1, 0))
	want(t, s.tick(61)) // nor refused
}

func TestNoUnitIsNoTarget(t *testing.T) {
	s := &script{t: t, p: NewFleet(FleetRules{})}
	want(t, s.tick(0), "start 1")
	want(t, s.arrive(0, 0), "refuse 0 NoHealthyTargets")
}

func TestUnitThatDiesIsReplacedAndItsQueueLost(t *testing.T) {
	s := fleet(t, FleetRules{})
	s.arrive(1, 0)
	s.arrive(1, 1)
	want(t, s.send(2, Event{Kind: Gone, Unit: 1}), "refuse 1 BadGateway", "start 2")
}

// fixed is a Scaler that wants what it is told.
type fixed struct{ n int }

func (f *fixed) Every() time.Duration { return time.Minute }
func (f *fixed) Desired(Sight) int    { return f.n }

func TestScaleInDrainsTheNewestUnit(t *testing.T) {
	n := &fixed{n: 1}
	s := fleet(t, FleetRules{Min: 1, Max: 2, Scaler: n})
	n.n = 2
	want(t, s.tick(60), "start 2")
	s.ready(70, 2)
	want(t, s.arrive(71, 0), "dispatch 0 to 2 warm")
	n.n = 1
	want(t, s.tick(120), "drain 2")                   // it is busy: no new triggers, no stop
	want(t, s.arrive(121, 1), "dispatch 1 to 1 warm") // not to the one that drains
	want(t, s.arrive(121, 2))
	want(t, s.done(122, 2, 0), "stop 2")
}

func TestUnitThatIsNoLongerWantedStopsWhenReady(t *testing.T) {
	n := &fixed{n: 2}
	s := fleet(t, FleetRules{Min: 1, Max: 2, Scaler: n})
	want(t, s.tick(60), "start 2")
	n.n = 1
	want(t, s.tick(120))
	want(t, s.ready(130, 2), "stop 2")
}

func TestFleetKeepsWithinItsBounds(t *testing.T) {
	n := &fixed{n: 99}
	s := fleet(t, FleetRules{Min: 2, Max: 3, Scaler: n})
	want(t, s.tick(60), "start 3")
	s.ready(61, 3)
	n.n = 0
	want(t, s.tick(120), "stop 3")
}

func TestLaunchesKeepToEveryRate(t *testing.T) {
	started := func(at float64, s *script) int { return len(s.tick(at)) }
	n := &fixed{n: 1000}
	s := fleet(t, FleetRules{Min: 300, Max: 1000, Scaler: n, Launch: []Rate{FargateLaunch, ServiceLaunch}})
	if got := s.p.Census().Idle; got != 300 {
		t.Errorf("%d units stand before the first trigger, want all 300", got)
	}
	for _, step := range []struct {
		at   float64
		want int
	}{{60, 100}, {61, 20}, {61.05, 1}, {63, 39}} {
		if got := started(step.at, s); got != step.want {
			t.Errorf("at %g s %d units start, want %d", step.at, got, step.want)
		}
	}
}

func TestUnitWaitsForANodeWithRoom(t *testing.T) {
	n := &fixed{n: 3}
	s := fleet(t, FleetRules{Min: 2, Max: 9, PerNode: 2, Place: BinPack, Scaler: n, Nodes: &Karpenter{}})
	want(t, s.tick(60)) // no room, the batch is open
	want(t, s.tick(61), "start node 2")
	want(t, s.send(100, Event{Kind: NodeUp, Node: 2}), "start 3 on 2")
	s.ready(101, 3)
	n.n = 2
	want(t, s.tick(120), "stop 3", "stop node 2") // empty nodes go at once
}

func TestNodeThatDiesTakesItsUnitsAlong(t *testing.T) {
	s := fleet(t, FleetRules{Min: 2, PerNode: 1, Place: Spread, Nodes: &Karpenter{}})
	s.arrive(1, 0)
	want(t, s.send(2, Event{Kind: NodeGone, Node: 2}))
	want(t, s.tick(3), "start node 3")
	want(t, s.send(50, Event{Kind: NodeUp, Node: 3}), "start 3 on 3")
}

func TestPlacers(t *testing.T) {
	for name, test := range map[string]struct {
		place Placer
		want  Node
	}{
		"binpack takes the fullest with room":   {BinPack, 2},
		"spread takes the emptiest":             {Spread, 3},
		"kube-scheduler takes the least loaded": {LeastAllocated, 3},
	} {
		f := NewFleet(FleetRules{PerNode: 4, Place: test.place})
		for _, held := range []int{1, 3, 0, 4} {
			f.startNode(nil)
			id := Node(len(f.nodes) - 1)
			f.nodeUp(id, 0)
			f.hold(id, held)
		}
		if got := f.place(); got != test.want {
			t.Errorf("%s: node %d, want %d", name, got, test.want)
		}
	}
}
