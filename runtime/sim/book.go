package sim

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// Range and resolution of latency histograms.
const (
	shortest = int64(time.Microsecond)
	longest  = int64(24 * time.Hour)
	digits   = 3
	// coldKept bounds the cold samples that are kept one by one.
	coldKept = 100_000
)

// book records what happens from the time from on, and of triggers from number
// skip on; what comes before is warm-up.
type book struct {
	skip int
	from int64
	end  int64 // capacity is counted up to here; never while that isn't known

	events bool // triggers are events, which share invocations: those are billed, not they
	stream bool // end with the last arrival, not with the last answer

	counts  results.Counts
	causes  map[results.Cause]int
	reasons map[string]int
	latency [startKinds]tally
	cold    []time.Duration
	keep    int   // cold latencies that are kept
	last    int64 // last answer
	busy    int64 // time from arrival to answer, of all that ran

	open  int // arrived and not answered
	alive capacity
	bill  *billing
	line  *timeline // nil: none
	each  func(Answer)
	err   error
}

// capacity integrates how many units there are.
type capacity struct {
	n, peak int
	at      int64
	total   float64 // unit-nanoseconds since the book's from
}

func (c *capacity) change(by int, at, from int64) {
	if at > from {
		c.total += float64(c.n) * float64(at-max(c.at, from))
		c.peak = max(c.peak, c.n+by)
	} else {
		c.peak = c.n + by
	}
	c.n += by
	c.at = at
}

func newBook(b *billing) *book {
	return &book{
		end: never, bill: b, keep: coldKept,
		causes: map[results.Cause]int{}, reasons: map[string]int{},
	}
}

func (b *book) arrived(int64) {
	b.open++
	b.line.offered()
}

// lastArrival is told when no more triggers come: of a stream, the end of the
// time over which capacity is counted.
func (b *book) lastArrival(at int64) {
	if b.stream {
		b.end = at
	}
}

func (b *book) served(id int, t *trigger, at int64) {
	b.open--
	b.last = at
	if id < b.skip {
		return
	}
	b.counts.Offered++
	b.counts.Served++
	b.busy += at - t.arrived
	latency := at - t.arrived + int64(Network) + t.overhead
	switch t.start {
	case startCold:
		b.counts.Cold++
		if len(b.cold) < b.keep {
			b.cold = append(b.cold, time.Duration(latency))
		}
	case startWarm:
		b.counts.Warm++
	default:
		b.counts.Ready++
	}
	b.latency[t.start].add(latency)
	if b.each != nil {
		b.each(answer(id, t, at+int64(Network)+t.overhead, results.OutcomeServed, ""))
	}
	if !b.events {
		b.bill.invocation(t)
	}
	b.line.completed(t.start == startCold)
}

func (b *book) timedOut(id int, t *trigger, reason string, at int64) {
	b.open--
	b.last = at
	if id < b.skip {
		return
	}
	b.counts.Offered++
	b.counts.TimedOut++
	b.busy += at - t.arrived
	b.reasons[reason]++
	if b.each != nil {
		b.each(answer(id, t, at, results.OutcomeTimedOut, reason))
	}
	if !b.events {
		b.bill.invocation(t)
	}
	b.line.failed()
}

func (b *book) refused(id int, t *trigger, reason plane.Reason, at int64) {
	b.open--
	b.last = at
	if id < b.skip {
		return
	}
	b.counts.Offered++
	b.reasons[string(reason)]++
	outcome := results.OutcomeThrottled
	switch reason {
	case plane.ReasonGatewayTimeout:
		outcome = results.OutcomeTimedOut
		b.counts.TimedOut++
		b.line.failed()
	case plane.ReasonNoTargets, plane.ReasonUnitLost:
		outcome = results.OutcomeFailed
		b.counts.Failed++
		b.line.failed()
	default:
		b.counts.Throttled++
		b.line.throttled()
	}
	if b.each != nil {
		b.each(answer(id, t, at, outcome, string(reason)))
	}
}

// started counts a cold or restored start.
func (b *book) started(id int, cause results.Cause) {
	if id >= b.skip {
		b.causes[cause]++
	}
}

func (b *book) unitStarted(at int64) { b.alive.change(1, min(at, b.end), b.from) }

// unitStopped is told of a unit that stops at a time, and is billed until its process has
// ended.
func (b *book) unitStopped(u *unit, at, ended int64) {
	b.alive.change(-1, min(at, b.end), b.from)
	b.bill.unit(u.from, ended, b, true)
}

func (b *book) nodeStopped(n *unit, at int64) {
	b.bill.node(n.from, at, b, true)
}

// close ends the books at time end and bills what is still there.
func (b *book) close(m *machine, end int64) {
	b.end = min(b.end, end)
	b.alive.change(0, b.end, b.from)
	for i := 1; i < len(m.units); i++ {
		if u := &m.units[i]; !u.gone {
			b.bill.unit(u.from, b.end, b, false)
		}
	}
	for i := 1; i < len(m.nodes); i++ {
		if n := &m.nodes[i]; !n.gone {
			b.bill.node(n.from, b.end, b, false)
		}
	}
	b.bill.pool(0, b.end, b)
	if len(b.causes) > 0 {
		b.counts.Causes = b.causes
	}
	if len(b.reasons) > 0 {
		b.counts.Reasons = b.reasons
	}
}

// mark is when the book looks at the census first, or never.
func (b *book) mark() int64 {
	if b.line == nil {
		return never
	}
	return b.line.mark
}

// reach is told before time moves on to at, where that is a mark or later, and
// returns the next mark. The timeline of a storm ends with its last answer.
func (b *book) reach(at int64, m *machine) int64 {
	if m.settled && !b.line.fixed {
		return never
	}
	b.line.reach(at, b.open, m.plane)
	return b.line.mark
}
