package plane

import (
	"math"
	"time"
)

// Behaviour limits how fast an HPA scales in one direction (Kubernetes:
// autoscaling/v2 HPAScalingRules, pkg/controller/podautoscaler/horizontal.go).
type Behaviour struct {
	// Stabilise is the window of past recommendations of which the most careful one
	// counts.
	Stabilise time.Duration
	// Policies bound the change; none is no bound.
	Policies []Policy
	// SelectMin takes the policy that allows the least change; otherwise that which
	// allows the most.
	SelectMin bool
	// Disabled allows no change.
	Disabled bool
}

// Policy allows a change of some pods, or of some percent of them, in a period.
type Policy struct {
	Pods    int
	Percent int // where Pods is 0
	Period  time.Duration
}

// The defaults of autoscaling/v2.
var (
	HPAUp = Behaviour{Policies: []Policy{
		{Percent: 100, Period: 15 * time.Second},
		{Pods: 4, Period: 15 * time.Second},
	}}
	HPADown = Behaviour{Stabilise: 300 * time.Second, Policies: []Policy{{Percent: 100, Period: 15 * time.Second}}}
)

// changes are how the number of pods changed, the oldest first.
type changes []change

type change struct {
	at time.Duration
	by int
}

// within sums the changes in one direction (sign) after a time.
func (c changes) within(since time.Duration, sign int) int {
	sum := 0
	for _, e := range c {
		if e.at > since && e.by*sign > 0 {
			sum += e.by * sign
		}
	}
	return sum
}

// most is the largest number of pods that the policies allow at a time.
func (b *Behaviour) most(at time.Duration, pods int, past changes) int {
	if b.Disabled {
		return pods
	}
	return b.bound(pods, math.MaxInt, 1, func(p Policy) int {
		start := pods - past.within(at-p.Period, 1)
		if p.Pods > 0 {
			return start + p.Pods
		}
		return ceil(float64(start) * (1 + float64(p.Percent)/100))
	})
}

// least is the smallest number of pods that the policies allow at a time.
func (b *Behaviour) least(at time.Duration, pods int, past changes) int {
	if b.Disabled {
		return pods
	}
	return b.bound(pods, 0, -1, func(p Policy) int {
		start := pods + past.within(at-p.Period, -1)
		if p.Pods > 0 {
			return start - p.Pods
		}
		return int(float64(start) * (1 - float64(p.Percent)/100))
	})
}

// bound selects among what the policies allow, in the direction of sign, and never
// turns round.
func (b *Behaviour) bound(pods, none, sign int, allows func(Policy) int) int {
	if len(b.Policies) == 0 {
		return none
	}
	best := 0
	for i, p := range b.Policies {
		n := allows(p)
		if i == 0 || (n*sign > best*sign) != b.SelectMin && n != best {
			best = n
		}
	}
	if sign > 0 {
		return max(best, pods)
	}
	return min(best, pods)
}
