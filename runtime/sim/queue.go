package sim

import "coldstorm/runtime/plane"

// pending is an event that will happen.
type pending struct {
	at      int64
	trigger plane.Trigger
	id      int32 // unit or node
	kind    plane.Kind
}

// queue hands out events in the order of time. Items at the same time come out
// in an order that only depends on the order of the calls. The zero value is
// empty.
//
// Few events are held in a heap alone. As soon as there are many, those of the
// near future go to a wheel instead, where putting and taking one takes constant
// time; the heap keeps what the wheel does not reach.
type queue struct {
	heap  heap
	wheel wheel
	on    bool // the wheel is in use
	built int  // events when the wheel was fitted
	put   int  // events put since then
	far   int  // of those, beyond the wheel
	last  int64
}

// Numbers of events at which the wheel is worth its while, and no more.
const (
	wheelFrom  = 64
	wheelUntil = 16
)

// emptied is an empty queue that keeps the heap's memory.
func (q *queue) emptied() queue { return queue{heap: q.heap[:0], wheel: q.wheel.emptied()} }

func (q *queue) len() int { return len(q.heap) + q.wheel.n }

// next is the time of the next event, or never.
func (q *queue) next() int64 {
	at := int64(never)
	if q.wheel.n > 0 {
		at = q.wheel.next()
	}
	if len(q.heap) > 0 && q.heap[0].at < at {
		at = q.heap[0].at
	}
	return at
}

func (q *queue) push(p pending) {
	if !q.on {
		q.heap.push(p)
		if len(q.heap) >= wheelFrom {
			q.fit()
		}
		return
	}
	q.put++
	if !q.wheel.push(p) {
		q.far++
		q.heap.push(p)
	}
	if n := q.len(); n > 2*q.built || q.put > 4*q.built && q.far > q.put/4 {
		q.fit()
	} else if q.put > 4*q.built {
		q.put, q.far = 0, 0
	}
}

// pop takes the next event out of a queue that is not empty.
func (q *queue) pop() pending {
	var p pending
	if q.wheel.n > 0 && (len(q.heap) == 0 || q.wheel.next() <= q.heap[0].at) {
		p = q.wheel.pop()
	} else {
		p = q.heap.pop()
	}
	q.last = p.at
	if q.on && q.len() < q.built/4 {
		q.fit()
	}
	return p
}

// fit gives the wheel the reach of the events that are pending, or does away
// with it where they are few. It costs a look at each of them, and comes after
// about as many calls.
func (q *queue) fit() {
	all := q.wheel.drain(q.heap)
	q.heap, q.put, q.far, q.built = all[:0], 0, 0, len(all)
	if q.on = len(all) > wheelUntil; !q.on {
		for _, p := range all {
			q.heap.push(p)
		}
		return
	}
	mean := 0.0
	for i := range all {
		mean += float64(all[i].at-q.last) / float64(len(all))
	}
	q.wheel.fit(q.last, 4*mean, len(all))
	for _, p := range all { // the heap overwrites what has been read
		if !q.wheel.push(p) {
			q.heap.push(p)
		}
	}
}

// heap is a 4-ary min-heap on at: half as deep as a binary one, and the four
// children of an item share a cache line or two.
type heap []pending

func (q *heap) push(p pending) {
	*q = append(*q, p)
	h := *q
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if h[up].at <= p.at {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = p
}

func (q *heap) pop() pending {
	h := *q
	top := h[0]
	n := len(h) - 1
	last := h[n]
	h = h[:n]
	*q = h
	if n == 0 {
		return top
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, n); c++ {
			if h[c].at < h[least].at {
				least = c
			}
		}
		if h[least].at >= last.at {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = last
	return top
}
