package plane

import (
	"testing"
	"time"
)

// twoNodes is a fleet of four units on two nodes with room for four, cut down to two,
// one on each.
func twoNodes(t *testing.T, nodes NodeScaler) (*script, *fixed) {
	t.Helper()
	n := &fixed{n: 8}
	s := fleet(t, FleetRules{Min: 1, Max: 8, MinNodes: 1, PerNode: 4, Place: Spread, Scaler: n, Nodes: nodes})
	s.tick(60)
	s.tick(75)
	up := s.send(100, Event{Kind: NodeUp, Node: 2})
	for u := Unit(2); u <= 8; u++ {
		s.ready(101, u)
	}
	if len(up) == 0 || s.p.Census().Idle != 8 || s.p.Census().Nodes != 2 {
		t.Fatalf("census %+v after %v", s.p.Census(), up)
	}
	return s, n
}

func TestKarpenterEmptiesANodeWhosePodsHaveRoomElsewhere(t *testing.T) {
	s, n := twoNodes(t, &Karpenter{})
	n.n = 5 // the newest go: one is left on node 2
	acts := s.tick(120)
	want(t, acts, "stop 8", "stop 7", "stop 6")
	n.n = 4
	acts = s.tick(180)
	last := acts[len(acts)-1]
	if last.Verb != StopNode || last.Node != 2 || s.p.Census().Nodes != 1 {
		t.Errorf("actions %v, want node 2 stopped", acts)
	}
}

func TestConsolidationMovesUnitsAndWaitsForWhatRuns(t *testing.T) {
	s, n := twoNodes(t, &Karpenter{})
	n.n = 5
	s.tick(120) // units 1 to 4 are on node 1, 5 on node 2
	want(t, s.send(121, Event{Kind: Gone, Unit: 1}), "start 9 on 2")
	s.ready(122, 9)
	for i := range Trigger(5) {
		s.arrive(123, i)
	}
	n.n = 4
	var runs Trigger
	for i := range Trigger(5) {
		if acts := s.done(130, 9, i); len(acts) > 0 {
			t.Errorf("actions %v", acts)
		}
		runs = i
	}
	acts := s.tick(180) // unit 9 goes; 5 alone does not need a node
	want(t, acts, "stop 9", "drain 5", "start 10 on 1")
	s.ready(181, 10)
	acts = nil
	for i := range runs + 1 {
		acts = append(acts, s.done(190, 5, i)...)
	}
	want(t, acts, "stop 5", "stop node 2")
}

func TestClusterAutoscalerAddsNodesAtItsScans(t *testing.T) {
	c := &ClusterAutoscaler{}
	look := func(at time.Duration, pending int) int {
		n, again := c.Nodes(NodeSight{At: at, Pending: pending, Up: 1, Used: 1, PerNode: 2})
		if again <= at {
			t.Errorf("at %v it wants to be asked at %v", at, again)
		}
		return n
	}
	if n := look(0, 0); n != 1 {
		t.Errorf("%d nodes, want 1", n)
	}
	if n := look(9*time.Second, 3); n != 1 {
		t.Errorf("%d nodes before the next scan, want 1", n)
	}
	if n := look(10*time.Second, 3); n != 3 {
		t.Errorf("%d nodes at the scan, want 1 and 2 for 3 pods", n)
	}
}

func TestClusterAutoscalerRemovesANodeUsedByLessThanHalfForTenMinutes(t *testing.T) {
	c := &ClusterAutoscaler{}
	ask := func(at time.Duration, held ...int) Node {
		var nodes []NodeLoad
		for i, h := range held {
			nodes = append(nodes, NodeLoad{Node: Node(i + 1), Held: h})
		}
		n, _ := c.Unneeded(at, nodes, 4)
		return n
	}
	min := time.Minute
	if n := ask(0, 3, 1); n != 0 {
		t.Errorf("node %d goes at once", n)
	}
	if n := ask(10*min-time.Second, 3, 1); n != 0 {
		t.Errorf("node %d goes before 10 minutes", n)
	}
	if n := ask(10*min, 3, 1); n != 2 {
		t.Errorf("node %d goes after 10 minutes, want 2", n)
	}
	ask(11*min, 3, 2) // used by half: its time starts anew
	if n := ask(12*min, 3, 1); n != 0 {
		t.Errorf("node %d goes, though it was used", n)
	}
	if n := ask(40*min, 4, 1); n != 0 {
		t.Errorf("node %d goes, though its pod has no room elsewhere", n)
	}
}

func TestClusterAutoscalerRemovesNothingForTenMinutesAfterAnAddition(t *testing.T) {
	c := &ClusterAutoscaler{}
	nodes := []NodeLoad{{Node: 1, Held: 1}, {Node: 2}}
	c.Unneeded(0, nodes, 4)
	c.Nodes(NodeSight{At: 9 * time.Minute, Pending: 9, Up: 2, PerNode: 4})
	if n, _ := c.Unneeded(15*time.Minute, nodes, 4); n != 0 {
		t.Errorf("node %d goes 6 minutes after an addition", n)
	}
	if n, _ := c.Unneeded(19*time.Minute, nodes, 4); n == 0 {
		t.Error("no node goes 10 minutes after the addition")
	}
}

func TestCapacityProviderKeepsRoomBelowATargetOf100Percent(t *testing.T) {
	c := &CapacityProvider{Target: 50}
	c.Nodes(NodeSight{Up: 2, Used: 2, PerNode: 1, Least: 1})
	if n, _ := c.Nodes(NodeSight{At: time.Minute, Up: 2, Used: 2, PerNode: 1, Least: 1}); n != 4 {
		t.Errorf("%d instances for 2 in use at a target of 50 %%, want 4", n)
	}
}

func TestCapacityProviderAddsWithinItsStepSizes(t *testing.T) {
	for _, test := range []struct{ min, max, want int }{{0, 0, 12}, {0, 3, 5}, {20, 0, 22}} {
		c := &CapacityProvider{MinStep: test.min, MaxStep: test.max}
		c.Nodes(NodeSight{Up: 2, Used: 2, PerNode: 1})
		if n, _ := c.Nodes(NodeSight{At: time.Minute, Up: 2, Used: 2, Pending: 10, PerNode: 1}); n != test.want {
			t.Errorf("steps of %d to %d: %d instances, want %d", test.min, test.max, n, test.want)
		}
	}
}
