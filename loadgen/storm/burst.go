package storm

import (
	"fmt"
	"time"
)

// Burst is N triggers at once.
type Burst struct{ N int }

var _ Schedule = Burst{}

// Len returns N.
func (b Burst) Len() int { return max(b.N, 0) }

// At returns 0 for every trigger.
func (b Burst) At(i int) (time.Duration, bool) { return 0, i >= 0 && i < b.N }

// Duration returns 0.
func (b Burst) Duration() time.Duration { return 0 }

func (b Burst) String() string { return fmt.Sprintf("burst of %s at once", count(b.Len())) }

// Gap is N single triggers with an idle gap from each to the next, the probe of
// how long an environment is kept.
type Gap struct {
	N   int
	Gap time.Duration
}

var _ Schedule = Gap{}

// Len returns N.
func (g Gap) Len() int { return max(g.N, 0) }

// At returns i gaps.
func (g Gap) At(i int) (time.Duration, bool) {
	if i < 0 || i >= g.N {
		return 0, false
	}
	return time.Duration(i) * g.Gap, true
}

// Duration returns the time of the last trigger.
func (g Gap) Duration() time.Duration { return time.Duration(max(g.N-1, 0)) * g.Gap }

func (g Gap) String() string {
	return fmt.Sprintf("%s single triggers, %s apart", count(g.Len()), span(g.Gap))
}

// Sequence is N triggers, each sent when the one before is answered: the one
// closed schedule. It can't overload anything, so its latencies say nothing of
// a storm; it measures what one caller sees.
type Sequence struct{ N int }

var _ Schedule = Sequence{}

// Len returns N.
func (s Sequence) Len() int { return max(s.N, 0) }

// At returns 0, the earliest time, for every trigger.
func (s Sequence) At(i int) (time.Duration, bool) { return 0, i >= 0 && i < s.N }

// Duration returns 0: how long it takes is up to who answers.
func (s Sequence) Duration() time.Duration { return 0 }

// Closed returns true.
func (s Sequence) Closed() bool { return true }

func (s Sequence) String() string { return fmt.Sprintf("%s one after another", count(s.Len())) }
