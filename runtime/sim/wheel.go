package sim

import (
	"math/bits"
	"slices"
)

// wheel holds events of the near future in slots of equal width, a power of two
// of nanoseconds: a ring of slots that turns with time, of which none is looked
// at before its time comes. Then its few events are sorted. It takes what lies
// within its reach beyond the slot that is being handed out; the rest is the
// caller's.
type wheel struct {
	shift uint
	slot  int64    // the slot whose events are in run, by the time >> shift
	heads []int32  // first node of each slot, 0 for none; as many as a power of two
	full  []uint64 // a bit for each slot that has nodes
	nodes []node   // from 1
	free  int32    // first node of those in no slot
	run   []pending
	n     int // events in slots and run
}

type node struct {
	pending
	link int32 // the next of the slot
}

// Slots of a wheel.
const (
	fewestSlots = 256
	mostSlots   = 1 << 16
)

// fit makes an empty wheel reach from now over a span of nanoseconds, for n
// events at a time.
func (w *wheel) fit(now int64, span float64, n int) {
	slots := min(max(1<<bits.Len(uint(4*n)), fewestSlots), mostSlots)
	if slots != len(w.heads) {
		w.heads = make([]int32, slots)
		w.full = make([]uint64, slots/64)
	}
	w.shift = uint(bits.Len64(uint64(span) / uint64(slots)))
	w.slot = now >> w.shift
	w.nodes = append(w.nodes[:0], node{})
	w.free, w.run, w.n = 0, w.run[:0], 0
}

// emptied is a wheel that has to be fitted first and keeps its memory.
func (w *wheel) emptied() wheel {
	if w.n > 0 {
		return wheel{} // its slots are not empty
	}
	return wheel{heads: w.heads, full: w.full, nodes: w.nodes, run: w.run}
}

// push takes p, or reports that it lies beyond the wheel's reach or before it.
func (w *wheel) push(p pending) bool {
	slot := p.at >> w.shift
	if uint64(slot-w.slot-1) >= uint64(len(w.heads)-1) {
		return false
	}
	i := w.free
	if i == 0 {
		i = int32(len(w.nodes))
		w.nodes = append(w.nodes, node{})
	} else {
		w.free = w.nodes[i].link
	}
	at := int(slot) & (len(w.heads) - 1)
	w.nodes[i] = node{p, w.heads[at]}
	w.heads[at] = i
	w.full[at/64] |= 1 << (at % 64)
	w.n++
	return true
}

// next is the time of the next event of a wheel that is not empty.
func (w *wheel) next() int64 {
	if len(w.run) == 0 {
		w.turn()
	}
	return w.run[len(w.run)-1].at
}

func (w *wheel) pop() pending {
	if len(w.run) == 0 {
		w.turn()
	}
	w.n--
	last := len(w.run) - 1
	p := w.run[last]
	w.run = w.run[:last]
	return p
}

// turn goes on to the next slot that has events, and puts them into run, the
// first of them last; of those at the same time, the first put is the first.
func (w *wheel) turn() {
	at := (int(w.slot) + 1) & (len(w.heads) - 1)
	word := at / 64
	left := w.full[word] >> (at % 64) << (at % 64)
	for left == 0 {
		word = (word + 1) & (len(w.full) - 1)
		left = w.full[word]
	}
	found := word*64 + bits.TrailingZeros64(left)
	w.slot += int64((found-at)&(len(w.heads)-1)) + 1
	w.full[word] &^= 1 << (found % 64)
	i := w.heads[found]
	w.heads[found] = 0
	for i != 0 { // what was put last comes first
		n := &w.nodes[i]
		w.run = append(w.run, n.pending)
		next := n.link
		n.link, w.free = w.free, i
		i = next
	}
	sortLatestFirst(w.run)
}

// sortLatestFirst sorts by time, descending, and keeps the order of equals.
func sortLatestFirst(run []pending) {
	if len(run) > 24 {
		slices.SortStableFunc(run, func(a, b pending) int {
			switch {
			case a.at > b.at:
				return -1
			case a.at < b.at:
				return 1
			}
			return 0
		})
		return
	}
	for i := 1; i < len(run); i++ {
		p := run[i]
		j := i
		for ; j > 0 && run[j-1].at < p.at; j-- {
			run[j] = run[j-1]
		}
		run[j] = p
	}
}

// drain empties the wheel into a slice that it appends to, in an order that only
// depends on the calls before.
func (w *wheel) drain(to []pending) []pending {
	for w.n > 0 {
		to = append(to, w.pop())
	}
	return to
}
