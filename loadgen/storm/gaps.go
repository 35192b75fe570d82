package storm

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Gaps is a first trigger and one more after each of the gaps: a probe of how
// long an environment is kept, which the first cold start after a gap tells.
type Gaps []time.Duration

var _ Schedule = Gaps{}

// Ladder returns n gaps that grow from first to last, each by the same factor,
// in whole milliseconds.
//
//	gap
//	last  |               *
//	      |
//	      |           *
//	      |       *
//	first | *  *
//	      +------------------>  of n
func Ladder(first, last time.Duration, n int) Gaps {
	if n < 1 || first <= 0 || last <= 0 {
		return nil
	}
	rungs := make(Gaps, n)
	growth := ln(float64(last) / float64(first))
	for i := range rungs {
		of := 0.0
		if n > 1 {
			of = float64(i) / float64(n-1)
		}
		ms := float64(float64(first)/1e6) * exp(float64(growth*of))
		rungs[i] = time.Duration(math.Round(ms)) * time.Millisecond
	}
	return rungs
}

// Len returns one more than there are gaps; 0 without any.
func (g Gaps) Len() int {
	if len(g) == 0 {
		return 0
	}
	return len(g) + 1
}

// At returns the sum of the first i gaps.
func (g Gaps) At(i int) (time.Duration, bool) {
	if i < 0 || i >= g.Len() {
		return 0, false
	}
	at := time.Duration(0)
	for _, gap := range g[:i] {
		at += gap
	}
	return at, true
}

// Duration returns the time of the last trigger.
func (g Gaps) Duration() time.Duration {
	at, _ := g.At(len(g))
	return at
}

func (g Gaps) String() string {
	if len(g) > 8 {
		return fmt.Sprintf("%s single triggers, from %s to %s apart", count(g.Len()), span(g[0]), span(g[len(g)-1]))
	}
	var each []string
	for _, gap := range g {
		each = append(each, span(gap))
	}
	return fmt.Sprintf("%s single triggers, %s apart", count(g.Len()), strings.Join(each, ", "))
}

// Pause is a time without triggers: what stands between two parts of a Chain.
type Pause time.Duration

var _ Schedule = Pause(0)

// Len returns 0.
func (p Pause) Len() int { return 0 }

// At returns that there is no trigger.
func (p Pause) At(int) (time.Duration, bool) { return 0, false }

// Duration returns the time.
func (p Pause) Duration() time.Duration { return time.Duration(p) }

func (p Pause) String() string { return "nothing for " + span(time.Duration(p)) }
