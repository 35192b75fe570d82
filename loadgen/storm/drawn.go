package storm

import (
	"sync/atomic"
	"time"
)

// Drawn is the arrivals of a process that has to be followed from its start: a
// random one, or several schedules merged into one.
//
// It doesn't keep the arrivals. It keeps what the process was at every 1,024th,
// or fewer where that is large, and follows it again from there to the block
// that is asked for, of which the last four stay at hand. So 100 million
// arrivals of a Poisson process take 8 MB in place of 800 MB, and reading them in
// order costs what drawing them did; no process takes much more than a byte an
// arrival. Any number of goroutines may read.
type Drawn struct {
	words  string
	length time.Duration
	parts  []Schedule // that arrivals come from; none: it makes its own

	n      int
	stride int
	marks  []process // before arrival 0, stride, 2 stride, ...

	recent [4]atomic.Pointer[block]
	turn   atomic.Uint32
}

var (
	_ Schedule = (*Drawn)(nil)
	_ marker   = (*Drawn)(nil)
)

// process gives arrivals one after another.
type process interface {
	// next returns the next arrival, whose time is that of the one before or
	// later, and whether there is one.
	next() (arrival, bool)
	// copy returns a process that goes on from the same place.
	copy() process
	// size is about how many bytes a copy takes.
	size() int
}

// arrival is a trigger, and which trigger of which part it is.
type arrival struct {
	at    time.Duration
	part  int32
	index int32
}

type block struct {
	number   int
	arrivals []arrival
}

// minStride is the number of arrivals in a block of a process with little state.
const minStride = 1024

// follow counts the arrivals of p and remembers it along the way. It stops
// beyond MaxTriggers.
func follow(p process, length time.Duration, words string, parts ...Schedule) *Drawn {
	d := &Drawn{words: words, length: length, parts: parts, stride: max(minStride, p.size())}
	for d.n <= MaxTriggers {
		if d.n%d.stride == 0 {
			d.marks = append(d.marks, p.copy())
		}
		if _, ok := p.next(); !ok {
			break
		}
		d.n++
	}
	return d
}

// Len returns the number of arrivals.
func (d *Drawn) Len() int {
	if d == nil {
		return 0
	}
	return d.n
}

// At returns arrival i.
func (d *Drawn) At(i int) (time.Duration, bool) {
	if i < 0 || i >= d.Len() {
		return 0, false
	}
	return d.arrival(i).at, true
}

// Duration returns the time over which the process offers arrivals.
func (d *Drawn) Duration() time.Duration {
	if d == nil {
		return 0
	}
	return d.length
}

func (d *Drawn) String() string {
	if d == nil {
		return "nothing"
	}
	return d.words
}

// Functions is the most of any part's.
func (d *Drawn) Functions() int { return mostFunctions(d.parts) }

// Chilling reports whether any part's triggers may be marked cold.
func (d *Drawn) Chilling() bool { return anyChilling(d.parts) }

// Mark returns the mark that trigger i has in its part.
func (d *Drawn) Mark(i int) Mark {
	if len(d.parts) == 0 || i < 0 || i >= d.n {
		return Mark{}
	}
	a := d.arrival(i)
	return MarkOf(d.parts[a.part], int(a.index))
}

func (d *Drawn) arrival(i int) arrival {
	return d.block(i / d.stride).arrivals[i%d.stride]
}

// block returns a block that is at hand or makes it, in the place of the one that
// was made longest ago.
func (d *Drawn) block(number int) *block {
	for i := range d.recent {
		if b := d.recent[i].Load(); b != nil && b.number == number {
			return b
		}
	}
	b := &block{number, make([]arrival, 0, min(d.stride, d.n-number*d.stride))}
	p := d.marks[number].copy()
	for len(b.arrivals) < cap(b.arrivals) {
		a, _ := p.next()
		b.arrivals = append(b.arrivals, a)
	}
	d.recent[d.turn.Add(1)%uint32(len(d.recent))].Store(b)
	return b
}

func mostFunctions(parts []Schedule) int {
	most := 1
	for _, p := range parts {
		most = max(most, Functions(p))
	}
	return most
}

func anyChilling(parts []Schedule) bool {
	for _, p := range parts {
		if Chilling(p) {
			return true
		}
	}
	return false
}
