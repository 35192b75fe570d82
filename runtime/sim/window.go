package sim

import "coldstorm/runtime/plane"

// window holds the triggers that are not done with, by their number: a ring
// whose memory follows from how far the oldest of them is behind the newest, not
// from how many there were. The zero value is empty.
type window struct {
	ring   []trigger // as long as a power of two
	oldest plane.Trigger
	after  plane.Trigger // the number of the next
}

// add numbers a trigger that arrived at the time at.
func (w *window) add(at int64) plane.Trigger {
	id := w.after
	if int(id-w.oldest) == len(w.ring) {
		w.grow()
	}
	*w.of(id) = trigger{arrived: at}
	w.after++
	return id
}

// of is the trigger of a number that the window holds.
func (w *window) of(id plane.Trigger) *trigger {
	return &w.ring[uint64(id)&uint64(len(w.ring)-1)]
}

// holds says whether a number is one of a trigger that may not be done with.
func (w *window) holds(id plane.Trigger) bool { return id >= w.oldest && id < w.after }

// done forgets a trigger.
func (w *window) done(id plane.Trigger) {
	w.of(id).state = triggerForgotten
	for w.oldest < w.after && w.of(w.oldest).state == triggerForgotten {
		w.oldest++
	}
}

func (w *window) grow() {
	old := *w
	w.ring = make([]trigger, max(64, 2*len(old.ring)))
	for id := old.oldest; id < old.after; id++ {
		*w.of(id) = *old.of(id)
	}
}
