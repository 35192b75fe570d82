package drive

import (
	"cmp"
	"slices"
)

// queue is triggers in the order of their times. They come in that order but for a
// few, so that it is a slice which grows at one end and shrinks at the other.
type queue struct {
	all  []*trigger
	head int // of all, those before are gone
}

func byTime(a, b *trigger) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seq, b.seq)) }

// first is the earliest trigger, nil if there is none.
func (q *queue) first() *trigger {
	if q.head == len(q.all) {
		return nil
	}
	return q.all[q.head]
}

// pop takes the first away.
func (q *queue) pop() {
	q.all[q.head] = nil
	if q.head++; q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
	}
}

func (q *queue) add(t *trigger) {
	if len(q.all) == cap(q.all) && q.head > len(q.all)/2 { // rather than to grow
		n := copy(q.all, q.all[q.head:])
		clear(q.all[n:])
		q.all, q.head = q.all[:n], 0
	}
	if n := len(q.all); n == q.head || byTime(q.all[n-1], t) < 0 {
		q.all = append(q.all, t)
		return
	}
	i, _ := slices.BinarySearchFunc(q.all[q.head:], t, byTime)
	q.all = slices.Insert(q.all, q.head+i, t)
}

// remove takes t away, wherever it is.
func (q *queue) remove(t *trigger) {
	if i, ok := slices.BinarySearchFunc(q.all[q.head:], t, byTime); ok {
		q.all = slices.Delete(q.all, q.head+i, q.head+i+1)
	}
}
