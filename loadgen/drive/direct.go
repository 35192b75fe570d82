package drive

import (
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// Beyond what vegeta reaches on a few cores the same schedule, pool, sender and
// samples go without it. Its one dispatcher hands each trigger to a worker through a
// channel without a buffer, makes a request and a client of it, and takes its result
// back through another: some 10 µs a trigger, and no core left for sends.

// What is beyond vegeta's reach: more a second, or more at once.
const (
	vegetaRate  = 30_000
	vegetaBurst = 5_000
)

// directLead is the lead of a storm without vegeta: one worker is bound for that long
// before each send, and a few hundred of them stay in the processor's caches.
const directLead = 5 * time.Millisecond

// beyond reports whether a storm is beyond vegeta's reach.
func beyond(s storm.Schedule) bool {
	return !storm.Closed(s) && (storm.Peak(s, time.Second) > vegetaRate || storm.Peak(s, time.Millisecond) > vegetaBurst)
}

// direct drives the storm and returns which triggers were observed. Each worker takes
// the next trigger, waits until it is to be made ready, and sees it to its end.
func (f *fire) direct(observe func(results.Sample)) []bool {
	seen := make([]bool, len(f.samples))
	d := &crew{fire: f, ended: make(chan uint64, 4096), most: int64(f.Connections + waitingWorkers)}
	for range min(int64(storm.Peak(f.Schedule, 2*f.Lead)+64), d.most) {
		d.hire()
	}
	go func() {
		d.working.Wait()
		close(d.ended)
	}()
	for seq := range d.ended {
		s := f.samples[seq]
		f.samples[seq] = nil
		seen[seq] = true
		observe(*s)
	}
	return seen
}

// crew is the workers of a storm without vegeta.
type crew struct {
	*fire
	next    atomic.Int64 // trigger to be taken
	ended   chan uint64
	working sync.WaitGroup
	hired   atomic.Int64
	most    int64
}

func (d *crew) hire() {
	if d.hired.Add(1) > d.most {
		d.hired.Add(-1)
		return
	}
	d.working.Go(func() {
		for {
			seq := uint64(d.next.Add(1) - 1)
			if seq >= uint64(len(d.samples)) || !d.ready(seq) {
				return
			}
			s, _ := d.trip(seq)
			d.samples[seq] = s
			d.ended <- seq
		}
	})
}

// ready waits until a trigger is to be made ready; false if the storm is stopped. One
// that is taken late found all workers busy: then there is to be one more.
func (d *crew) ready(seq uint64) bool {
	if d.ctx.Err() != nil {
		return false
	}
	at := d.offset(seq)
	if at <= d.Lead {
		return true
	}
	select {
	case <-d.begun:
	case <-d.ctx.Done():
		return false
	}
	left := d.start.Add(at - d.Lead).Sub(results.Now())
	if left < -d.Lead/4 {
		d.hire()
	}
	return left <= early || d.sleepUntil(d.start.Add(at-d.Lead))
}
