package drive

import (
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// closedLead is how long before its send a trigger of a closed storm is made ready,
// and the least time from an answer to the client's next trigger: the time to make it
// ready stays out of its latency.
const closedLead = time.Millisecond

// clients are those of a closed storm: each is in the channel while it waits for
// nothing, with the time of its last answer, 0 before its first trigger.
func clients(s storm.Schedule) chan results.Stamp {
	n := storm.Clients(s)
	c := make(chan results.Stamp, n)
	for range n {
		c <- 0
	}
	return c
}

// turn returns when a trigger is intended, from the storm's start. Of a closed storm it
// waits until a client is free and has thought; false if the storm is stopped before.
func (f *fire) turn(seq uint64) (time.Duration, bool) {
	if !f.closed {
		return f.offset(seq), true
	}
	var answered results.Stamp
	select {
	case answered = <-f.clients:
	case <-f.ctx.Done():
		return 0, false
	}
	if answered == 0 {
		return 0, true
	}
	select { // a trigger may end before the storm begins
	case <-f.begun:
	case <-f.ctx.Done():
		return 0, false
	}
	due := answered.Add(max(storm.Think(f.Schedule, int(seq)), closedLead))
	if !f.sleepUntil(due.Add(-closedLead)) {
		return 0, false
	}
	return due.Sub(f.start), true
}

// free gives the client of a trigger that has ended back.
func (f *fire) free() {
	if f.closed {
		f.clients <- results.Now()
	}
}
