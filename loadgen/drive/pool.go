package drive

import (
	"context"
	"errors"
	"sync"
	"syscall"
)

// pool keeps connections ready: last in, first out, so that few stay busy, and
// never more than limit.
type pool struct {
	dialer  *dialer
	limit   int
	streams *streams // of HTTP/2, in the place of all below

	mu      sync.Mutex
	idle    []*conn
	open    int // idle, busy or being dialled
	busy    map[*conn]struct{}
	waiting []chan struct{} // callers of get at the limit, first in, first out
	closed  bool

	dialled int // after the storm began
	waits   int // gets that found the limit reached
}

// fill dials n connections, 32 at a time. It stops at the first that fails and
// leaves the rest to get.
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
				c, err := p.dialer.dial(ctx)
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

// get returns a live connection: an idle one, or a new one, or the next that
// is put back.
func (p *pool) get(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		if n := len(p.idle); n > 0 {
			c := p.idle[n-1]
			p.idle = p.idle[:n-1]
			p.busy[c] = struct{}{}
			p.mu.Unlock()
			if c.alive() {
				return c, nil
			}
			p.drop(c)
			continue
		}
		if p.open < p.limit {
			p.open++
			p.dialled++
			p.mu.Unlock()
			c, err := p.dial(ctx)
			if err != nil && p.shrink(err) {
				continue
			}
			return c, err
		}
		turn := make(chan struct{})
		p.waiting = append(p.waiting, turn)
		p.waits++
		p.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			p.mu.Lock()
			p.passOn(turn)
			p.mu.Unlock()
			return nil, ctx.Err()
		}
	}
}

func (p *pool) dial(ctx context.Context) (*conn, error) {
	c, err := p.dialer.dial(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.open--
		p.wake()
		return nil, err
	}
	p.busy[c] = struct{}{}
	return c, nil
}

// shrink lowers the limit to what is open where err says that there can be no
// more connections, of descriptors or ports. It reports false for other
// errors, and where none is open.
func (p *pool) shrink(err error) bool {
	if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == 0 {
		return false
	}
	p.limit = min(p.limit, p.open)
	return true
}

// put takes back a connection that can be used again.
func (p *pool) put(c *conn) {
	c.trigger.Store(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, c)
	if p.closed {
		c.Close()
		return
	}
	p.idle = append(p.idle, c)
	p.wake()
}

// drop closes a connection that can't.
func (p *pool) drop(c *conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, c)
	p.open--
	p.wake()
}

// wake gives the longest waiter its turn. p.mu is held.
func (p *pool) wake() {
	if len(p.waiting) > 0 {
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// passOn gives up turn: out of the queue, or on to the next if it has come.
func (p *pool) passOn(turn chan struct{}) {
	for i, w := range p.waiting {
		if w == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return
		}
	}
	p.wake()
}

// interrupt ends all reads under way.
func (p *pool) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.busy {
		c.interrupt()
	}
}

// close closes idle connections now and busy ones when they are put back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c.Close()
	}
	p.idle = nil
}
