package storm

import (
	"fmt"
	"time"
)

// Loop is a closed loop: N triggers from Callers clients, each of which sends
// its next when its last is answered and it has thought. Like a Sequence, which
// is one of a single caller, it slows down with the endpoint, so that it tells
// what that many callers see and never what a storm does.
type Loop struct {
	N       int
	Callers int           // clients; 0 counts as 1
	Pause   time.Duration // thinking, from an answer to the client's next trigger; its mean if Drawn
	Drawn   bool          // pauses are exponential, drawn from Seed; else all are Pause
	Seed    int64         // the same seed draws the same pauses
}

var (
	_ Schedule = Loop{}
	_ looper   = Loop{}
)

// Len returns N.
func (l Loop) Len() int { return max(l.N, 0) }

// At returns 0, the earliest time, for every trigger.
func (l Loop) At(i int) (time.Duration, bool) { return 0, i >= 0 && i < l.N }

// Duration returns 0: how long it takes is up to who answers.
func (l Loop) Duration() time.Duration { return 0 }

// Closed returns true.
func (l Loop) Closed() bool { return true }

// Clients returns Callers, at least 1.
func (l Loop) Clients() int { return max(1, l.Callers) }

// Think returns the pause before trigger i.
func (l Loop) Think(i int) time.Duration {
	if !l.Drawn || l.Pause <= 0 {
		return max(0, l.Pause)
	}
	return scaled(exponential(indexed(uint64(l.Seed), i)), l.Pause)
}

func (l Loop) String() string {
	words := fmt.Sprintf("%s from %s clients in a closed loop", count(l.Len()), count(l.Clients()))
	switch {
	case l.Pause <= 0:
		return words
	case l.Drawn:
		return words + fmt.Sprintf(", thinking %s on average", span(l.Pause))
	}
	return words + fmt.Sprintf(", thinking %s", span(l.Pause))
}
