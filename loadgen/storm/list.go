package storm

import (
	"fmt"
	"time"
)

// List is a schedule of given arrival times, which must not decrease: a trace.
type List []time.Duration

var _ Schedule = List{}

// Len returns the number of arrivals.
func (l List) Len() int { return len(l) }

// At returns arrival i.
func (l List) At(i int) (time.Duration, bool) {
	if i < 0 || i >= len(l) {
		return 0, false
	}
	return l[i], true
}

// Duration returns the time of the last arrival.
func (l List) Duration() time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1]
}

func (l List) String() string {
	return fmt.Sprintf("%s arrivals over %s", count(len(l)), span(l.Duration()))
}
