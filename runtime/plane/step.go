package plane

import (
	"math"
	"time"
)

// StepScaling changes the number of units by the step that a breach of an alarm
// falls in (AWS: step scaling policies of Application Auto Scaling for ECS services,
// and of Auto Scaling groups). Its zero value has no steps and changes nothing.
type StepScaling struct {
	// Above and Below are the alarms' thresholds of Utilisation.
	Above, Below float64
	// Out are the steps by how far the metric is above Above, In those by how far it
	// is below Below, each in ascending order of From.
	Out, In []Step
	// Percent takes steps as percent of the units (PercentChangeInCapacity);
	// otherwise they are units (ChangeInCapacity).
	Percent bool
	// Least is the least number of units that a percentage changes
	// (MinAdjustmentMagnitude).
	Least int
	// Period is the metric's; 0 is a minute. PointsOut and PointsIn are how many in a
	// row have to breach; 0 is 1.
	Period              time.Duration
	PointsOut, PointsIn int
	// Cooldown is the time after a change in which none in the same direction but a
	// larger scale-out happens; 0 is 300 s (botocore's model of StepScalingPolicyConfiguration).
	Cooldown time.Duration
	// Delay is how old a point is when alarms see it; 0 is MetricDelay, negative none.
	Delay time.Duration

	points  []float64
	changed time.Duration
	added   int // by the scale-out that cools down
	moved   bool
}

// OurSteps are steps of our own around a target of Utilisation, as AWS has none by default:
// from the target on a tenth more units, from 15 points above it a third more; a tenth fewer
// after 15 points below half of it.
func OurSteps(target float64) *StepScaling {
	return &StepScaling{
		Above: target, Out: []Step{{From: 0, Change: 10}, {From: 0.15, Change: 33}}, PointsOut: 3,
		Below: target / 2, In: []Step{{From: 0, Change: 10}}, PointsIn: 15, Percent: true,
	}
}

// HighResolution is the period of target tracking on metrics of high resolution (AWS:
// Amazon ECS, "high-resolution metrics").
const HighResolution = 20 * time.Second

// Step is a change from a distance of the metric to its threshold on.
type Step struct {
	From   float64 // 0 at the threshold
	Change int     // units or percent; the sign is the list's
}

var _ Scaler = (*StepScaling)(nil)

// Every is the metric's period.
func (p *StepScaling) Every() time.Duration { return or(p.Period, pointEvery) }

// Desired applies the step of the last point that the alarms can see. A scale-out
// while an earlier one cools down counts what that one added; a scale-in waits for the
// end of any cooldown; a scale-out never waits for a scale-in's.
func (p *StepScaling) Desired(s Sight) int {
	p.remember(s)
	seen := p.points[:max(0, len(p.points)-pointsLate(p.Delay, p.Every()))]
	if len(seen) == 0 {
		return s.Units
	}
	cooling := p.moved && s.At-p.changed < or(p.Cooldown, trackCooldown)
	last := seen[len(seen)-1]
	switch {
	case lastAll(seen, max(1, p.PointsOut), func(v float64) bool { return v > p.Above }):
		if !cooling {
			p.added = 0
		}
		base := s.Units - p.added
		return p.move(s, max(s.Units, base+p.change(p.Out, last-p.Above, base)))
	case !cooling && lastAll(seen, max(1, p.PointsIn), func(v float64) bool { return v != noPoint && v < p.Below }):
		return p.move(s, s.Units-p.change(p.In, p.Below-last, s.Units))
	}
	return s.Units
}

func (p *StepScaling) remember(s Sight) {
	point := s.Utilisation
	if s.Counted == 0 {
		point = noPoint
	}
	p.points = append(p.points, point)
	if len(p.points) > longestHistory {
		p.points = append(p.points[:0], p.points[len(p.points)-longestHistory/2:]...)
	}
}

// change is how many units the step of a distance adds or removes. A percentage is
// rounded down, but to no less than one unit (AWS: "Scaling adjustment types").
func (p *StepScaling) change(steps []Step, distance float64, units int) int {
	change := 0
	for _, st := range steps {
		if distance >= st.From {
			change = st.Change
		}
	}
	if change == 0 || !p.Percent {
		return change
	}
	return max(1, p.Least, int(math.Floor(float64(units)*float64(change)/100+1e-9)))
}

func (p *StepScaling) move(s Sight, n int) int {
	if n != s.Units {
		p.changed, p.moved = s.At, true
		p.added = max(0, n-s.Units+p.added)
		if n < s.Units {
			p.added = 0
		}
	}
	return n
}

// pointsLate is how many of the newest points alarms don't see yet.
func pointsLate(delay, period time.Duration) int {
	switch {
	case delay < 0:
		return 0
	case delay == 0 && period < pointEvery:
		return 1 // AWS's benchmark of June 2026: 86 s to the trigger with 20 s metrics, three points of which are 60
	case delay == 0:
		delay = MetricDelay
	}
	return int(delay / period)
}
