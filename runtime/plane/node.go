package plane

import "time"

// Placer says whether a node that holds held units is preferred to one that
// holds best, where both have room for one more and all units are of one size.
type Placer func(held, best int) bool

// BinPack takes the node with the least room (AWS: ECS placement strategy
// binpack).
func BinPack(held, best int) bool { return held > best }

// Spread takes the node with the fewest units (AWS: ECS placement strategy
// spread by instanceId).
func Spread(held, best int) bool { return held < best }

// LeastAllocated takes the node with the best sum of the scores that look at
// requests of processor and memory (Kubernetes: kube-scheduler,
// NodeResourcesFit with its default strategy and
// NodeResourcesBalancedAllocation). With units and nodes of one size both fall
// with every unit, so that it is the node with the fewest. Ties go to the node
// that changed last; Kubernetes draws.
func LeastAllocated(held, best int) bool { return held < best }

var _, _, _ Placer = BinPack, Spread, LeastAllocated

// NodeSight is what a NodeScaler sees.
type NodeSight struct {
	At           time.Duration
	Pending      int // units that wait for a place or for a launch
	Free         int // places on nodes that are up
	Up, Starting int // nodes
	Used         int // nodes that hold a unit
	PerNode      int // units that fit on a node
	Least        int // nodes that are needed for the smallest size of the fleet
}

func (s NodeSight) nodes() int { return s.Up + s.Starting }

// missing is the number of nodes that pending units need beyond those that are
// up or start.
func (s NodeSight) missing() int {
	left := s.Pending - s.Free - s.Starting*s.PerNode
	if left <= 0 {
		return 0
	}
	return (left + s.PerNode - 1) / s.PerNode
}

// NodeScaler decides how many nodes there should be. It is asked whenever units
// or nodes change, and at the time again that it returns (0: not before the next
// change). Only empty nodes are stopped. It keeps state: a fleet needs one of
// its own.
type NodeScaler interface {
	Nodes(NodeSight) (want int, again time.Duration)
}

// CapacityProvider is managed scaling of an ECS capacity provider:
// CapacityProviderReservation = needed / running x 100 each minute, kept at a target;
// scale-out on one point above it, scale-in on 15 below, not before the instances'
// warm-up (AWS: ECS cluster auto scaling; botocore's model of ManagedScaling).
type CapacityProvider struct {
	Target           int           // targetCapacity in percent, 1..100; 0 is 100. What is missing to 100 is kept free
	MinStep, MaxStep int           // instances that a scale-out adds; 0 is 1 and 10,000
	WarmUp           time.Duration // instanceWarmupPeriod; 0 is 300 s

	next    time.Duration
	below   int           // points below target in a row
	started time.Duration // of the last instance
}

const warmUp = 300 * time.Second

var _ NodeScaler = (*CapacityProvider)(nil)

// Nodes looks at a minute's point.
func (c *CapacityProvider) Nodes(s NodeSight) (int, time.Duration) {
	if c.next == 0 {
		c.next = s.At + pointEvery
	}
	if s.At < c.next {
		return s.nodes(), c.next
	}
	c.next = s.At + pointEvery
	needed := s.nodes() + s.missing()
	if s.Pending == 0 {
		needed = max(s.Used+s.Starting, s.Least)
	}
	needed = ceil(float64(needed) * 100 / float64(or(c.Target, 100)))
	switch {
	case needed > s.nodes():
		c.below, c.started = 0, s.At
		step := min(max(needed-s.nodes(), or(c.MinStep, 1)), or(c.MaxStep, 10000))
		return s.nodes() + step, c.next
	case needed == s.nodes():
		c.below = 0
		return needed, c.next
	}
	c.below++
	if c.below < pointsIn || s.At-c.started < or(c.WarmUp, warmUp) {
		return s.nodes(), c.next
	}
	return needed, c.next
}

// Karpenter launches nodes for a batch of pending pods: the batch closes when no
// pod came for 1 s, or after 10 s (settings batchIdleDuration, batchMaxDuration).
// Empty nodes go at once, and ones whose pods have room elsewhere are emptied
// (consolidateAfter 0 s).
type Karpenter struct {
	first, last time.Duration // pending pod of the open batch
	seen        int
	open        bool
}

const (
	batchIdle = time.Second
	batchMax  = 10 * time.Second
)

var _ NodeScaler = (*Karpenter)(nil)

// Nodes closes the batch when it is time.
func (k *Karpenter) Nodes(s NodeSight) (int, time.Duration) {
	if s.Pending == 0 {
		k.open = false
		return max(s.Used+s.Starting, s.Least), 0
	}
	missing := s.missing()
	if missing == 0 {
		k.open = false
		return s.nodes(), 0
	}
	if !k.open {
		k.open, k.first, k.last, k.seen = true, s.At, s.At, s.Pending
	}
	if s.Pending > k.seen {
		k.last, k.seen = s.At, s.Pending
	}
	close := min(k.last+batchIdle, k.first+batchMax)
	if s.At < close {
		return s.nodes(), close
	}
	k.open = false
	return s.nodes() + missing, 0
}
