package sim

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// newGrid is a timeline of fixed intervals over a span, to which the timelines of
// several functions are added: see again.
func newGrid(span, every time.Duration) *timeline {
	n := max(1, int((span+every-1)/every))
	l := &timeline{fixed: true, every: int64(every), points: make([]results.TimelinePoint, n)}
	for i := range l.points {
		l.points[i].At, l.points[i].Every = time.Duration(i)*every, every
	}
	l.again()
	return l
}

// again goes back to the start, for the next function.
func (l *timeline) again() { l.mark, l.at = l.every, 0 }

// sum is reach of a fixed timeline.
func (l *timeline) sum(at int64, inFlight int, p plane.Plane) {
	c := p.Census()
	for at >= l.mark && l.at < len(l.points) {
		l.add(inFlight, c)
		l.at++
		l.mark += l.every
	}
	if l.at == len(l.points) {
		l.mark = never
	}
}

// add adds the open interval, and how many there are at its end, to the sums.
func (l *timeline) add(inFlight int, c plane.Census) {
	pt := &l.points[l.at]
	count(pt, &l.now)
	pt.InFlight += inFlight
	pt.Starting += c.Starting
	pt.Idle += c.Idle
	pt.Busy += c.Busy
	l.now = results.TimelinePoint{}
}

// rest adds what came after the last interval to it.
func (l *timeline) rest() {
	count(&l.points[len(l.points)-1], &l.now)
	l.now = results.TimelinePoint{}
}
