package sim

import "time"

// batched asks Arrivals for many times at once, so that the simulation does not
// call out for each.
type batched struct {
	from  Arrivals
	buf   []time.Duration
	at, n int
	given int  // times handed out before those in buf
	over  bool // from has no more
}

// batch is how many times are asked for at once.
const batch = 256

func newBatched(from Arrivals) batched { return batched{from: from, buf: make([]time.Duration, batch)} }

func (b *batched) next() (int64, bool) {
	if b.at == b.n {
		b.fill()
		if b.n == 0 {
			return never, false
		}
	}
	at := b.buf[b.at]
	b.at++
	return int64(at), true
}

func (b *batched) fill() {
	b.given += b.n
	b.at, b.n = 0, 0
	if !b.over {
		b.n = b.from.Next(b.buf)
		b.over = b.n == 0
	}
}
