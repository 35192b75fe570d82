package plane

import "time"

// deque is a queue of idle units, the longest idle first, with constant-time
// work at both ends. The zero value is empty.
type deque struct {
	buf  []idleUnit // a ring whose length is a power of two
	head int
	n    int
}

type idleUnit struct {
	unit  Unit
	since time.Duration
}

func (d *deque) len() int { return d.n }

func (d *deque) at(i int) *idleUnit { return &d.buf[(d.head+i)&(len(d.buf)-1)] }

func (d *deque) front() idleUnit { return *d.at(0) }

func (d *deque) pushBack(u idleUnit) {
	if d.n == len(d.buf) {
		d.grow()
	}
	d.n++
	*d.at(d.n - 1) = u
}

func (d *deque) grow() {
	buf := make([]idleUnit, max(8, 2*len(d.buf)))
	for i := range d.n {
		buf[i] = *d.at(i)
	}
	d.buf, d.head = buf, 0
}

func (d *deque) popFront() idleUnit {
	u := d.front()
	d.head = (d.head + 1) & (len(d.buf) - 1)
	d.n--
	return u
}

func (d *deque) popBack() idleUnit {
	d.n--
	return *d.at(d.n)
}

// remove takes u out, wherever it is.
func (d *deque) remove(u Unit) {
	for i := range d.n {
		if d.at(i).unit != u {
			continue
		}
		for ; i < d.n-1; i++ {
			*d.at(i) = *d.at(i + 1)
		}
		d.n--
		return
	}
}
