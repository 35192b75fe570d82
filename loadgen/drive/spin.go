package drive

import (
	"runtime"
	"time"
)

// spin decides how long before its time the sender ends its sleep and watches
// the clock instead. A sleep ends late by tens of microseconds; the window
// covers what most of the last sleeps were late by, so that it costs no more of
// a shared core than it must: never more than a twentieth of the time between two
// triggers, nor anything where there is one processor. At 5,000 a second that leaves
// sends some 15 µs late at the median; a third, which hides most of it, took as
// much processor time as all else that the sender does.
type spin struct {
	late time.Duration // that a quarter of the sleeps exceed, tracked
}

const (
	leastSpin = 10 * time.Microsecond
	mostSpin  = 70 * time.Microsecond
	spinShare = 20
)

var oneProcessor = runtime.NumCPU() == 1

// window returns how long to spin before a trigger that comes gap after the
// one before it.
func (s *spin) window(gap time.Duration) time.Duration {
	if oneProcessor {
		return 0
	}
	w := min(max(s.late+leastSpin/2, leastSpin), mostSpin)
	if gap > 0 {
		w = min(w, gap/spinShare)
	}
	return w
}

// overslept takes note of how late a sleep ended: up by three parts where it
// was later than thought, down by one where it was not, which settles where one
// sleep in four is later.
func (s *spin) overslept(late time.Duration) {
	if s.late == 0 {
		s.late = 40 * time.Microsecond
	}
	step := s.late / 64
	if late > s.late {
		s.late += 3 * step
	} else {
		s.late -= step
	}
	s.late = min(max(s.late, leastSpin/2), mostSpin)
}
