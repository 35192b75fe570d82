package launch

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The modes of a sandbox's start.
const (
	ModeCold   = "cold"   // everything made on the path
	ModePooled = "pooled" // its network and cgroups were ready
)

// resources are what a sandbox can be given ready-made, once.
type resources struct {
	net     network
	group   string
	tasks   []int // version 1 cgroups, for the child to write itself into
	into    int   // version 2 cgroup for the child to be born in, or -1
	freezer int   // or -1
	mode    string
}

func (r *resources) close() {
	r.net.close()
	closeAll(append(r.tasks, r.into, r.freezer)...)
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
	asked int // launches begun so far
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

// create makes resources. It is called from locked threads only. A network costs
// most of the time, so the cgroups are made beside it, on another thread.
func (p *pool) create(s *Spec) (resources, error) {
	r := resources{mode: ModeCold, net: network{-1, -1}, into: -1, freezer: -1}
	made := make(chan error, 1)
	go func() { made <- p.group(&r, s) }()
	n, err := network{-1, -1}, error(nil)
	if s.Network == NetworkHost {
		n.listener, err = listen(0)
	} else {
		n, err = p.network()
	}
	err2 := <-made
	r.net = n
	if err == nil && err2 == nil {
		return r, nil
	}
	r.close()
	if err2 == nil {
		p.d.cg.remove(r.group)
	}
	return resources{}, errors.Join(err, err2)
}

// group makes the cgroups of resources, opens what a launch needs of them and
// sets the limits of s, unless it is nil. Nothing is left of them if it can't.
func (p *pool) group(r *resources, s *Spec) error {
	r.group = "s" + strconv.FormatInt(p.names.Add(1), 10)
	err := p.d.cg.make(r.group)
	if err != nil {
		return err
	}
	if r.tasks, r.into, err = p.d.cg.tasks(r.group); err == nil {
		r.freezer, err = p.d.cg.freezer(r.group)
	}
	if err == nil && s != nil {
		err = p.d.cg.limit(r.group, s)
	}
	if err != nil {
		closeAll(append(r.tasks, r.into, r.freezer)...)
		r.tasks, r.into, r.freezer = nil, -1, -1
		p.d.cg.remove(r.group)
	}
	return err
}

// take returns resources that are ready, or makes them, with the limits of s.
func (p *pool) take(s *Spec) (resources, error) {
	if s.Network == NetworkNone {
		select {
		case r := <-p.ready:
			r.mode = ModePooled
			err := p.d.cg.limit(r.group, s)
			if err != nil {
				r.close()
				p.d.cg.remove(r.group)
			}
			return r, err
		default:
		}
	}
	return p.create(s)
}

// busy counts launches under way.
func (p *pool) busy(n int) {
	p.mu.Lock()
	p.work += n
	if n > 0 {
		p.asked += n
	}
	if p.work == 0 {
		p.calm.Broadcast()
	}
	p.mu.Unlock()
}

// calm is how long nothing must have been launched before the pool is filled
// again: the program that was launched last has the processors to itself.
const calm = 2 * time.Millisecond

// fill keeps the pool full, at a low priority.
func (p *pool) fill() {
	runtime.LockOSThread()
	unix.Setpriority(unix.PRIO_PROCESS, 0, 10) // of this thread alone
	defer close(p.ended)
	seen := 0
	for {
		p.mu.Lock()
		for !p.done && (p.work > 0 || len(p.ready) >= p.want) {
			p.calm.Wait()
		}
		done, asked := p.done, p.asked
		p.mu.Unlock()
		if done {
			return
		}
		if asked != seen {
			seen = asked
			time.Sleep(calm)
			continue
		}
		r := resources{into: -1, freezer: -1}
		var err error
		if r.net, err = newNetwork(); err != nil { // this thread need not go back to the host's
			return // launches go on without a pool, and say so: their mode is cold
		}
		if err := p.group(&r, nil); err != nil {
			r.net.close()
			return
		}
		p.ready <- r
	}
}

// empty throws away what was ready.
func (p *pool) empty() {
	for {
		select {
		case r := <-p.ready:
			r.close()
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
