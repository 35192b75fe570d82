package sim

import "coldstorm/runtime/plane"

// pending is an event that will happen.
type pending struct {
	at      int64
	trigger plane.Trigger
	id      int32 // unit or node
	kind    plane.Kind
}

// queue is a 4-ary min-heap on at: half as deep as a binary one, and the four
// children of an item share a cache line or two. Items at the same time come
// out in an order that only depends on the order of the calls.
type queue []pending

func (q *queue) push(p pending) {
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

func (q *queue) pop() pending {
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
