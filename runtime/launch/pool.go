package launch

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The modes of a sandbox's start.
const (
	ModeCold   = "cold"   // everything made on the path
	ModePooled = "pooled" // its network and cgroups were ready
)

// resources are what a sandbox can be given ready-made, once.
type resources struct {
	net   network
	group string
	mode  string
}

// A pool keeps networks and cgroups ready, and makes new ones while nothing is
// being launched, so that the making is off every launch's path.
type pool struct {
	d     *daemon
	ready chan resources
	make  chan chan made // asks for a network, where workers must not make their own
	names atomic.Int64
	mu    sync.Mutex
	calm  *sync.Cond // launches under way went to 0, or the pool closed, or something was taken
	work  int
	done  bool
	want  int
	ended chan struct{} // fill has returned
}

type made struct {
	net network
	err error
}

func newPool(d *daemon, size int) *pool {
	p := &pool{d: d, ready: make(chan resources, max(size, 0)), want: size, ended: make(chan struct{})}
	p.calm = sync.NewCond(&p.mu)
	if d.rootless {
		p.make = make(chan chan made)
		for range hostCPUs {
			go p.makers()
		}
	}
	if size > 0 {
		go p.fill()
	} else {
		close(p.ended)
	}
	return p
}

// makers serve asks for networks on a thread that may stay in the last one it
// made: from a user namespace there is no way back into the host's.
func (p *pool) makers() {
	runtime.LockOSThread()
	for ch := range p.make {
		n, err := newNetwork()
		ch <- made{n, err}
	}
}

// network makes a network from any locked thread.
func (p *pool) network() (network, error) {
	if p.make != nil {
		ch := make(chan made)
		p.make <- ch
		m := <-ch
		return m.net, m.err
	}
	n, err := newNetwork()
	if err2 := unix.Setns(p.d.hostNet, unix.CLONE_NEWNET); err == nil && err2 != nil {
		n.close()
		return network{}, fmt.Errorf("back to the host's network: %w", err2)
	}
	return n, err
}

// create makes resources. It is called from locked threads only.
func (p *pool) create(n Network) (resources, error) {
	r := resources{mode: ModeCold, net: network{-1, -1}, group: "s" + strconv.FormatInt(p.names.Add(1), 10)}
	var err error
	if n == NetworkHost {
		r.net.listener, err = listen(0)
	} else {
		r.net, err = p.network()
	}
	if err != nil {
		return r, err
	}
	if err := p.d.cg.make(r.group); err != nil {
		r.net.close()
		return r, err
	}
	return r, nil
}

// take returns resources that are ready, or makes them.
func (p *pool) take(s *Spec) (resources, error) {
	if s.Network == NetworkNone {
		select {
		case r := <-p.ready:
			r.mode = ModePooled
			return r, nil
		default:
		}
	}
	return p.create(s.Network)
}

// busy counts launches under way.
func (p *pool) busy(n int) {
	p.mu.Lock()
	p.work += n
	if p.work == 0 {
		p.calm.Broadcast()
	}
	p.mu.Unlock()
}

// fill keeps the pool full.
func (p *pool) fill() {
	runtime.LockOSThread()
	defer close(p.ended)
	for {
		p.mu.Lock()
		for !p.done && (p.work > 0 || len(p.ready) >= p.want) {
			p.calm.Wait()
		}
		done := p.done
		p.mu.Unlock()
		if done {
			return
		}
		r, err := p.create(NetworkNone)
		if err != nil {
			return // launches go on without a pool, and say so: their mode is cold
		}
		p.ready <- r
	}
}

// empty throws away what was ready.
func (p *pool) empty() {
	for {
		select {
		case r := <-p.ready:
			r.net.close()
			p.d.cg.remove(r.group)
		default:
			return
		}
	}
}

// close waits for the launches under way, stops filling and removes what is ready.
func (p *pool) close() {
	p.mu.Lock()
	p.done = true
	p.calm.Broadcast()
	for p.work > 0 {
		p.calm.Wait()
	}
	p.mu.Unlock()
	<-p.ended
	p.empty()
}
