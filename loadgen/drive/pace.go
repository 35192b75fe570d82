package drive

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"coldstorm/results"
)

// pacer hands vegeta each trigger a lead before its time. It waits inside
// Pace: vegeta would wait in a sleep that Stop does not end, and fire once more
// after it.
type pacer struct{ f *fire }

var _ vegeta.Pacer = pacer{}

// Pace returns when trigger number hits is to be made ready, or that no more
// are to be sent.
func (p pacer) Pace(_ time.Duration, hits uint64) (wait time.Duration, stop bool) {
	f := p.f
	if f.ctx.Err() != nil || hits >= uint64(f.Schedule.Len()) {
		return 0, true
	}
	if f.closed {
		return 0, false // its workers wait for their client's turn
	}
	return 0, !f.ready(hits)
}

// Rate is not known here; vegeta does not ask for it while attacking.
func (p pacer) Rate(time.Duration) float64 { return 0 }

// ready waits until a trigger is to be made ready; false if the storm is stopped.
func (f *fire) ready(seq uint64) bool {
	at := f.offset(seq)
	if at <= f.Lead {
		return f.ctx.Err() == nil
	}
	select {
	case <-f.begun:
	case <-f.ctx.Done():
		return false
	}
	ready := f.start.Add(at - f.Lead)
	return ready.Sub(results.Now()) <= early || f.sleepUntil(ready)
}

// early is how much more than the lead a trigger may be made ready before its
// time: at high rates the pacer wakes once for all that are due within it. A
// wake-up costs as much as handing over several triggers.
const early = 8 * time.Millisecond

// sleepUntil reports whether the time came before the storm was stopped.
func (f *fire) sleepUntil(t results.Stamp) bool {
	d := t.Sub(results.Now())
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-f.ctx.Done():
		return false
	}
}
