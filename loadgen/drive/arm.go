package drive

import (
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// A storm begins when the triggers that are due at once have a connection and
// stand in the sender's queue, so that a burst has one start time, and the time
// it took to arm it is nobody's latency.

// armTimeout is when a storm begins all the same.
const armTimeout = 5 * time.Second

// arm has the storm begin once enough triggers are ready: those due within
// the lead, as far as there are connections for them.
func (f *fire) arm(connections int) {
	n, most := 0, min(f.Schedule.Len(), max(connections, 1))
	if f.closed {
		most = min(most, storm.Clients(f.Schedule))
	}
	for n < most {
		if at, _ := f.Schedule.At(n); at > f.Lead {
			break
		}
		n++
	}
	if n == 0 && most > 0 {
		f.begin()
		return
	}
	f.toArm.Store(int64(n))
	timer := time.AfterFunc(armTimeout, f.begin)
	go func() {
		select {
		case <-f.begun:
		case <-f.ctx.Done():
		}
		timer.Stop()
	}()
}

// armed counts a trigger that is as ready as it will be.
func (f *fire) armed(t *trigger) {
	if t.armed.Swap(true) {
		return
	}
	if f.toArm.Add(-1) == 0 {
		f.begin()
	}
}

func (f *fire) begin() {
	f.once.Do(func() {
		f.before = readUsage()
		f.start = results.Now().Add(f.Lead / 2)
		f.sender.begin(f.start)
		close(f.begun)
	})
}
