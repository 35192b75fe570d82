package storm

import (
	"fmt"
	"math"
	"time"
)

// Constant is a rate held for a time. Trigger i is sent at i/Rate: the first at
// 0, none at For. A rate that leaves a remainder keeps it: 1.5/s for one second
// is two triggers.
type Constant struct {
	Rate float64       // triggers a second
	For  time.Duration // how long
}

var _ Schedule = Constant{}

func (c Constant) ramp() Ramp { return Ramp{From: c.Rate, To: c.Rate, For: c.For} }

// Len returns Rate x For, rounded up.
func (c Constant) Len() int { return c.ramp().Len() }

// At returns i/Rate.
func (c Constant) At(i int) (time.Duration, bool) { return c.ramp().At(i) }

// Duration returns For.
func (c Constant) Duration() time.Duration { return c.For }

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

var _ Schedule = Ramp{}

// Len returns the area under the ramp, rounded up: trigger i is sent when i
// triggers are due, so the first at 0 and, of 2.5, three.
func (r Ramp) Len() int {
	area := (r.From + r.To) / 2 * r.For.Seconds()
	if !(area > 0) || r.From < 0 || r.To < 0 {
		return 0
	}
	// 0.1/s for 10 s is one trigger, whatever binary fractions make of 0.1.
	return int(math.Ceil(area - 1e-9*max(1, area/1e3)))
}

// At returns the time at which i triggers are due.
func (r Ramp) At(i int) (time.Duration, bool) {
	if i < 0 || i >= r.Len() {
		return 0, false
	}
	if i == 0 {
		return 0, true
	}
	n := float64(i)
	slope := (r.To - r.From) / r.For.Seconds()
	root := math.Sqrt(max(0, r.From*r.From+2*slope*n))
	at := time.Duration(math.Round(2 * n / (r.From + root) * 1e9))
	return min(at, r.For), true
}

// Duration returns For.
func (r Ramp) Duration() time.Duration { return r.For }

func (r Ramp) String() string {
	return fmt.Sprintf("ramp from %s/s to %s/s over %s", number(r.From), number(r.To), span(r.For))
}
