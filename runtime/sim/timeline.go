package sim

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// A timeline starts with intervals of finest, and doubles them whenever there
// are more than mostPoints: bounded, whatever the storm's length.
const (
	finest     = int64(100 * time.Millisecond)
	mostPoints = 120
)

// timeline counts what happens in intervals. A nil timeline records nothing.
type timeline struct {
	fixed  bool // points are there, none is added: what comes later counts as the last
	every  int64
	mark   int64 // end of the current interval
	now    results.TimelinePoint
	points []results.TimelinePoint
	at     int // of a fixed one: the open interval's number
}

func newTimeline() *timeline { return &timeline{every: finest, mark: finest} }

func (l *timeline) offered() {
	if l != nil {
		l.now.Offered++
	}
}

func (l *timeline) completed(cold bool) {
	if l == nil {
		return
	}
	l.now.Completed++
	if cold {
		l.now.Cold++
	}
}

func (l *timeline) throttled() {
	if l != nil {
		l.now.Throttled++
	}
}

func (l *timeline) failed() {
	if l != nil {
		l.now.Errors++
	}
}

// reach closes the intervals that end before or at the time at.
func (l *timeline) reach(at int64, inFlight int, p plane.Plane) {
	if l.fixed {
		l.sum(at, inFlight, p)
		return
	}
	c := p.Census()
	for at >= l.mark {
		l.now.At = time.Duration(l.mark - l.every)
		l.now.InFlight = inFlight
		l.now.Starting, l.now.Idle, l.now.Busy = c.Starting, c.Idle, c.Busy
		l.points = append(l.points, l.now)
		l.now = results.TimelinePoint{}
		l.mark += l.every
		if len(l.points) > mostPoints {
			l.halve()
		}
	}
}

// halve merges pairs of intervals. The open one gets longer, and holds the last
// where the number of points is odd.
func (l *timeline) halve() {
	n := len(l.points) / 2
	odd := len(l.points)%2 == 1
	var rest results.TimelinePoint
	if odd {
		rest = l.points[len(l.points)-1]
	}
	for i := range n {
		l.points[i] = merge(l.points[2*i], l.points[2*i+1])
	}
	l.points = l.points[:n]
	l.every *= 2
	l.mark = int64(n+1) * l.every
	if odd {
		l.now = merge(rest, l.now)
	}
}

func merge(a, b results.TimelinePoint) results.TimelinePoint {
	b.At = a.At
	count(&b, &a)
	return b
}

// count adds what happened in another interval.
func count(to, from *results.TimelinePoint) {
	to.Offered += from.Offered
	to.Completed += from.Completed
	to.Throttled += from.Throttled
	to.Errors += from.Errors
	to.Cold += from.Cold
}

// finish closes the open interval and returns all.
func (l *timeline) finish(inFlight int, p plane.Plane) []results.TimelinePoint {
	if l == nil {
		return nil
	}
	l.reach(l.mark, inFlight, p)
	for i := range l.points {
		l.points[i].Every = time.Duration(l.every)
	}
	return l.points
}
