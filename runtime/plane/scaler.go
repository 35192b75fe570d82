package plane

import (
	"math"
	"time"
)

// Sight is what a Scaler sees of a fleet at the end of an interval.
type Sight struct {
	At    time.Duration
	Units int // that there should be now
	// Counted units were ready during all of the interval; Utilisation is the
	// share of their slots that was busy, 0..1, the fleet's processor use. Fresh
	// ones start or got ready within it.
	Counted, Fresh int
	Utilisation    float64
	Requests       int // that arrived in the interval
}

// Scaler decides how many units a fleet should have. It keeps state: a fleet
// needs one of its own.
type Scaler interface {
	// Every is the interval between its looks.
	Every() time.Duration
	// Desired is how many units there should be; the fleet holds it within its
	// bounds.
	Desired(Sight) int
}

// TargetTracking is that of Application Auto Scaling for ECS services and of
// Auto Scaling groups for instances: a minute's metric, scale-out after 3 points
// above the target, scale-in after 15 below 90 % of it, to current x metric /
// target, where a scale-out does not wait for a scale-in's cooldown (AWS: managed alarms of target tracking policies).
type TargetTracking struct {
	// Target is the wanted Utilisation; 0 is 0.7.
	Target float64
	// PerTarget is the wanted number of requests a minute and unit
	// (ALBRequestCountPerTarget); 0 tracks Utilisation. It has no upper end, as
	// a processor has, so that a step can be as large as needed.
	PerTarget float64
	// Cooldown is the least time between two changes; 0 is 300 s. For an Auto
	// Scaling group, its instance warm-up, with the same default.
	Cooldown time.Duration
	// Delay is how old a point is when alarms see it; 0 is 180 s, see
	// MetricDelay; negative none.
	Delay time.Duration
	// Period is the metric's; 0 is a minute. AWS also has one of 20 s
	// (ECSServiceAverageCPUUtilizationHighResolution), which alarms see 20 s late:
	// its benchmark of June 2026 found 86 s from load to trigger.
	Period time.Duration

	points  []float64 // oldest first
	changed time.Duration
	moved   bool
	out     bool // the last change was a scale-out
}

// MetricDelay is the time between a minute's end and the moment at which its
// metric counts in an alarm, such that load which starts with a minute scales out
// after 360 s: AWS's benchmark of June 2026 found 363 s from load to trigger with
// 60 s metrics, of which three points explain 180.
const MetricDelay = 180 * time.Second

const (
	pointEvery     = time.Minute
	pointsOut      = 3
	pointsIn       = 15
	inShare        = 0.9
	defaultTarget  = 0.7
	trackCooldown  = 300 * time.Second
	noPoint        = -1 // a minute without data
	longestHistory = 64
)

var _ Scaler = (*TargetTracking)(nil)

// Every is the metric's period.
func (t *TargetTracking) Every() time.Duration { return or(t.Period, pointEvery) }

// Desired applies the alarms to the points that they can see.
func (t *TargetTracking) Desired(s Sight) int {
	t.points = append(t.points, t.metric(s))
	if len(t.points) > longestHistory {
		t.points = append(t.points[:0], t.points[len(t.points)-longestHistory/2:]...)
	}
	seen := t.points[:max(0, len(t.points)-t.lag())]
	cooling := t.moved && s.At-t.changed < t.cooldown()
	if len(seen) == 0 || cooling && t.out {
		return s.Units
	}
	goal := t.goal()
	desired := int(math.Ceil(float64(s.Units)*seen[len(seen)-1]/goal - 1e-9))
	switch {
	case lastAll(seen, pointsOut, func(p float64) bool { return p > goal }):
		desired = max(desired, s.Units)
	case !cooling && lastAll(seen, pointsIn, func(p float64) bool { return p != noPoint && p < inShare*goal }):
		desired = min(desired, s.Units)
	default:
		return s.Units
	}
	if desired != s.Units {
		t.changed, t.moved, t.out = s.At, true, desired > s.Units
	}
	return desired
}

func (t *TargetTracking) metric(s Sight) float64 {
	switch {
	case s.Counted == 0:
		return noPoint
	case t.PerTarget > 0:
		return float64(s.Requests) / float64(s.Counted)
	}
	return s.Utilisation
}

func (t *TargetTracking) goal() float64 {
	switch {
	case t.PerTarget > 0:
		return t.PerTarget
	case t.Target > 0:
		return t.Target
	}
	return defaultTarget
}

func (t *TargetTracking) cooldown() time.Duration {
	if t.Cooldown == 0 {
		return trackCooldown
	}
	return t.Cooldown
}

func (t *TargetTracking) lag() int {
	return pointsLate(t.Delay, t.Every())
}

// lastAll reports whether the last n points, and as many there are, all hold.
func lastAll(points []float64, n int, holds func(float64) bool) bool {
	if len(points) < n {
		return false
	}
	for _, p := range points[len(points)-n:] {
		if !holds(p) {
			return false
		}
	}
	return true
}
