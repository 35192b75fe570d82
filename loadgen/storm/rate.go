package storm

import (
	"fmt"
	"math"
	"time"
)

// Curve is a schedule that offers a rate, known at every moment. Its own
// triggers are as even as that rate allows; Varying draws random ones along it.
type Curve interface {
	Schedule
	// area is the number of triggers that are due by the end.
	area() float64
	// when is the time at which n triggers are due, 0 <= n <= area. It never
	// decreases as n grows.
	when(n float64) time.Duration
}

var (
	_ Curve = Constant{}
	_ Curve = Ramp{}
	_ Curve = Steps{}
	_ Curve = Spikes{}
	_ Curve = Wave{}
	_ Curve = Days{}
)

// triggers is the number of even triggers under a curve: the area, rounded up.
// Trigger i is sent when i are due, so the first at 0 and, of 2.5, three.
func triggers(area float64) int {
	if !(area > 0) {
		return 0
	}
	// 0.1/s for 10 s is one trigger, whatever binary fractions make of 0.1.
	return int(math.Ceil(area - slack(area)))
}

// slack is how far a number of triggers may be from a whole one and still be
// that.
func slack(n float64) float64 { return float64(1e-9 * max(1, n/1e3)) }

// evenly returns trigger i of a curve.
func evenly(c Curve, i int) (time.Duration, bool) {
	if i < 0 || i >= c.Len() {
		return 0, false
	}
	return c.when(float64(i)), true
}

// nanoseconds rounds seconds, within 0..limit.
func nanoseconds(seconds float64, limit time.Duration) time.Duration {
	return min(max(0, time.Duration(math.Round(seconds*1e9))), limit)
}

// Constant is a rate held for a time. Trigger i is sent at i/Rate: the first at
// 0, none at For. A rate that leaves a remainder keeps it: 1.5/s for one second
// is two triggers.
type Constant struct {
	Rate float64       // triggers a second
	For  time.Duration // how long
}

func (c Constant) ramp() Ramp { return Ramp{From: c.Rate, To: c.Rate, For: c.For} }

// Len returns Rate x For, rounded up.
func (c Constant) Len() int { return c.ramp().Len() }

// At returns i/Rate.
func (c Constant) At(i int) (time.Duration, bool) { return c.ramp().At(i) }

// Duration returns For.
func (c Constant) Duration() time.Duration { return c.For }

func (c Constant) area() float64                { return c.ramp().area() }
func (c Constant) when(n float64) time.Duration { return c.ramp().when(n) }

func (c Constant) String() string { return fmt.Sprintf("%s/s for %s", number(c.Rate), span(c.For)) }

// Ramp is a rate that rises or falls evenly from one value to another.
//
//	rate
//	  To |              ___---'
//	     |        ___---'     |
//	     |  ___---'           |
//	From |--'                 |     triggers up to t: the area on its left,
//	     |                    |       n(t) = From t + (To - From) t² / 2 For
//	     +--------------------+-->  trigger i is sent when n(t) = i
//	     0                   For    t
//
// Solved for t in the form that stays exact where the slope is small or From is
// zero: t = 2i / (From + sqrt(From² + 2i (To - From)/For)).
type Ramp struct {
	From, To float64       // triggers a second
	For      time.Duration // how long
}

// Len returns the area under the ramp, rounded up: trigger i is sent when i
// triggers are due, so the first at 0 and, of 2.5, three.
func (r Ramp) Len() int { return triggers(r.area()) }

// At returns the time at which i triggers are due.
func (r Ramp) At(i int) (time.Duration, bool) { return evenly(r, i) }

// Duration returns For.
func (r Ramp) Duration() time.Duration { return r.For }

func (r Ramp) area() float64 {
	if r.From < 0 || r.To < 0 {
		return 0
	}
	return float64((r.From + r.To) / 2 * r.For.Seconds())
}

func (r Ramp) when(n float64) time.Duration {
	if n <= 0 {
		return 0
	}
	slope := (r.To - r.From) / r.For.Seconds()
	root := math.Sqrt(max(0, float64(r.From*r.From)+float64(2*slope*n)))
	return nanoseconds(2*n/(r.From+root), r.For)
}

func (r Ramp) String() string {
	return fmt.Sprintf("ramp from %s/s to %s/s over %s", number(r.From), number(r.To), span(r.For))
}
