package sim

import "coldstorm/runtime/plane"

// later holds what is to be handed to a function until its next try. The zero value is
// empty.
type later struct {
	heap heap
	what map[plane.Trigger]*handed // by a number of its own
	put  plane.Trigger
}

func (l *later) push(at int64, b *handed) {
	if l.what == nil {
		l.what = map[plane.Trigger]*handed{}
	}
	l.put++
	l.what[l.put] = b
	l.heap.push(pending{at: at, trigger: l.put})
}

func (l *later) pop() *handed {
	n := l.heap.pop().trigger
	defer delete(l.what, n)
	return l.what[n]
}

// next is the time of the first, or never.
func (l *later) next() int64 {
	if len(l.heap) == 0 {
		return never
	}
	return l.heap[0].at
}
