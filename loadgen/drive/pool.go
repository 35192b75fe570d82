package drive

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
)

// pool keeps connections ready: last in, first out, so that few stay busy, and
// never more than limit. As they are taken it dials others ahead, so that reserve
// are idle while there are as many triggers to come.
type pool struct {
	dialer   *dialer
	limit    int
	streams  *streams  // of HTTP/2, in the place of all below
	receiver *receiver // of plain connections

	// give hands a trigger its connection, or says why there is none.
	give func(*trigger, conn, error)
	ctx  context.Context // of dialling

	// short is told of a trigger that waits since there can be no more connections.
	short func(*trigger)

	reserve int
	toCome  func() int // triggers

	mu       sync.Mutex
	idle     []conn
	open     int               // idle, busy or being dialled
	dialling int               // of open, being dialled
	ahead    int               // of those, for nobody yet
	busy     map[conn]struct{} // of TLS
	waiting  []*trigger        // at the limit, first in, first out
	closed   bool
	shrunk   bool // limit

	dialled int // after the storm began
	waits   int // triggers that found the limit reached
}

// fill dials n connections, 32 at a time. It stops at the first that fails and
// leaves the rest to take.
func (p *pool) fill(ctx context.Context, n int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tickets := make(chan struct{}, n)
	for range n {
		tickets <- struct{}{}
	}
	close(tickets)
	var wg sync.WaitGroup
	for range min(n, 32) {
		wg.Go(func() {
			for range tickets {
				c, err := p.connect(ctx)
				if err != nil {
					cancel()
					return
				}
				p.mu.Lock()
				p.idle = append(p.idle, c)
				p.open++
				p.mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func (p *pool) connect(ctx context.Context) (conn, error) {
	if p.dialer.tls != nil {
		c, raw, err := p.dialer.shake(ctx)
		if err != nil {
			return nil, err
		}
		return newSecure(c, raw, p.dialer.timeout), nil
	}
	nc, err := p.dialer.dial(ctx)
	if err != nil {
		return nil, err
	}
	fd, err := descriptor(nc)
	if err != nil {
		return nil, err
	}
	return p.receiver.adopt(fd, p)
}

// take gives t a live connection: at once, if one is idle, or once one is dialled
// or put back. It does not wait.
func (p *pool) take(t *trigger) {
	p.mu.Lock()
	for n := len(p.idle); n > 0; n = len(p.idle) {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.hold(c)
		p.dialAhead()
		p.mu.Unlock()
		if c.alive() {
			p.give(t, c, nil)
			return
		}
		p.drop(c)
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	switch {
	case p.closed:
		go p.give(t, nil, errStopped)
	case p.open < p.limit:
		p.open++
		p.dialling++
		p.dialled++
		go p.dialFor(t)
	default:
		p.waiting = append(p.waiting, t)
		p.waits++
		if p.shrunk {
			p.short(t)
		}
	}
}

// dialAhead dials one more, where fewer are idle than there should be. p.mu is held.
func (p *pool) dialAhead() {
	idle := len(p.idle) + p.ahead
	if idle >= p.reserve || p.open >= p.limit || p.closed || idle >= p.toCome() {
		return
	}
	p.open++
	p.dialling++
	p.ahead++
	p.dialled++
	go func() {
		c, err := p.connect(p.ctx)
		p.mu.Lock()
		p.dialling--
		p.ahead--
		if err != nil { // whoever needs it dials, and learns why
			p.open--
			next := p.next()
			p.mu.Unlock()
			p.serve(next)
			return
		}
		p.mu.Unlock()
		p.put(c)
	}()
}

// hold notes that a connection is busy. p.mu is held.
func (p *pool) hold(c conn) {
	if p.dialer.tls != nil {
		p.busy[c] = struct{}{}
	}
}

// dialFor dials for t, whose place among the open ones is taken.
func (p *pool) dialFor(t *trigger) {
	c, err := p.connect(p.ctx)
	p.mu.Lock()
	p.dialling--
	if err == nil {
		p.hold(c)
		p.mu.Unlock()
		p.give(t, c, nil)
		return
	}
	p.open--
	shared := p.shrink(err)
	next := p.next()
	p.mu.Unlock()
	p.serve(next)
	if shared {
		p.take(t)
		return
	}
	p.give(t, nil, err)
}

// shrink lowers the limit to the connections that there are where err says that there
// can be no more, of descriptors or ports. It reports false for other errors, and where
// there are none. p.mu is held.
func (p *pool) shrink(err error) bool {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return false
	}
	made := p.open - p.dialling
	if made == 0 {
		return false
	}
	p.limit, p.shrunk = min(p.limit, made), true
	return true
}

// put takes back a connection that can be used again.
func (p *pool) put(c conn) {
	p.mu.Lock()
	delete(p.busy, c)
	if p.closed {
		p.mu.Unlock()
		c.close()
		return
	}
	if len(p.waiting) > 0 {
		t := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.hold(c)
		p.mu.Unlock()
		p.give(t, c, nil)
		return
	}
	p.idle = append(p.idle, c)
	p.mu.Unlock()
}

// drop closes a connection that can't.
func (p *pool) drop(c conn) {
	c.close()
	p.mu.Lock()
	delete(p.busy, c)
	p.open--
	next := p.next()
	p.mu.Unlock()
	p.serve(next)
}

// lost is told of a connection that ended while nothing was asked of it. One that
// was just taken is found dead by who took it.
func (p *pool) lost(c conn) {
	p.mu.Lock()
	i := slices.Index(p.idle, c)
	var next *trigger
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
		p.open--
		next = p.next()
	}
	p.mu.Unlock()
	p.serve(next)
}

// next is who has waited longest, if one more may be open; nil for nobody. p.mu is held.
func (p *pool) next() (t *trigger) {
	if len(p.waiting) > 0 && p.open < p.limit {
		t = p.waiting[0]
		p.waiting = p.waiting[1:]
	}
	return t
}

// serve has a trigger that waited take again: one fewer is open.
func (p *pool) serve(t *trigger) {
	if t != nil {
		p.take(t)
	}
}

// stop gives up whoever waits, and ends all reads under way.
func (p *pool) stop() {
	p.mu.Lock()
	p.closed = true
	waiting := p.waiting
	p.waiting = nil
	for c := range p.busy {
		c.interrupt()
	}
	p.mu.Unlock()
	for _, t := range waiting {
		p.give(t, nil, errStopped)
	}
}

// close closes idle connections now and busy ones when they are put back.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}
