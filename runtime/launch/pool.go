package launch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A pool keeps births ready, and makes new ones while nothing is being launched, so
// that the making is off every launch's path.
type pool struct {
	d     *daemon
	names atomic.Int64
	ended chan struct{} // fill has returned

	mu    sync.Mutex
	turn  *sync.Cond // something of what follows changed
	ready []*birth
	want  int
	last  *Spec // of the last launch: the next one's limits are likely to be the same
	park  parking
	work  int // launches under way
	asked int // launches begun so far
	done  bool
	err   error // what ended the filling
}

// parking is what is to be kept parked.
type parking struct {
	spec  *Spec // nil: nothing
	ready []*birth
	want  int
	err   error // why spec can't be parked
}

// fits says whether a parked sandbox can become what s describes.
func (p *parking) fits(s *Spec) bool {
	k := p.spec
	return k != nil && slices.Equal(k.Image.Layers, s.Image.Layers) && k.Image.HostUsr == s.Image.HostUsr && k.dir() == s.dir() &&
		limitsOf(k) == limitsOf(s) && k.TmpBytes == s.TmpBytes && k.Writable == s.Writable && s.Network == NetworkNone
}

func newPool(d *daemon, size int) *pool {
	p := &pool{d: d, want: size, ended: make(chan struct{})}
	p.turn = sync.NewCond(&p.mu)
	return p
}

// name is one that no other group has.
func (p *pool) name() string { return "s" + strconv.FormatInt(p.names.Add(1), 10) }

// take returns a living birth that suits s, as the client's sandbox id, or nil.
func (p *pool) take(id int64, s *Spec) *birth {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = s
	if p.park.fits(s) {
		if b := p.adopt(id, &p.park.ready); b != nil {
			return b
		}
	}
	if s.Network == NetworkNone {
		return p.adopt(id, &p.ready)
	}
	return nil
}

func (p *pool) adopt(id int64, list *[]*birth) *birth {
	for len(*list) > 0 {
		b := (*list)[0]
		*list = (*list)[1:]
		if p.d.adopt(b.box, id) {
			return b
		}
		b.drop() // it died as it waited
	}
	return nil
}

// setPark replaces what is kept parked. What was is ended.
func (p *pool) setPark(s *Spec, n int) {
	p.mu.Lock()
	old := p.park.ready
	p.park = parking{spec: s, want: n}
	p.turn.Broadcast()
	p.mu.Unlock()
	p.discard(old)
}

func (p *pool) discard(list []*birth) {
	for _, b := range list {
		p.d.kill(b.box)
		b.child.end()
		b.drop()
	}
}

// filled waits until the pool is full, or never will be.
func (p *pool) filled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.done && p.err == nil && p.lacks() {
		p.turn.Wait()
	}
	if p.done {
		return ErrClosed
	}
	return errors.Join(p.err, p.park.err)
}

func (p *pool) lacks() bool { return len(p.ready) < p.want || len(p.park.ready) < p.park.want }

// busy counts launches under way.
func (p *pool) busy(n int) {
	p.mu.Lock()
	p.work += n
	if n > 0 {
		p.asked += n
	}
	if p.work == 0 {
		p.turn.Broadcast()
	}
	p.mu.Unlock()
}

// calm is how long nothing must have been launched before the pool is filled
// again: the program that was launched last has the processors to itself.
const calm = 2 * time.Millisecond

// fill keeps the pool full, at a low priority, until it is closed or something can't
// be made: launches then go on without, and say so by their mode. It is the work of a
// thread that stands on the stage and never ends, since its children would with it.
func (p *pool) fill() {
	unix.Setpriority(unix.PRIO_PROCESS, 0, 10) // of this thread alone
	defer close(p.ended)
	seen := 0
	for {
		p.mu.Lock()
		for !p.done && (p.work > 0 || !p.lacks()) {
			p.turn.Wait()
		}
		done, asked, like, park := p.done, p.asked, p.last, p.park.spec
		if len(p.park.ready) >= p.park.want {
			park = nil
		}
		p.mu.Unlock()
		if done {
			return
		}
		if asked != seen {
			seen = asked
			time.Sleep(calm)
			continue
		}
		b, err := p.d.seed(park, like)
		if err != nil {
			p.d.abort(b)
		}
		if !p.keep(b, err) {
			return
		}
	}
}

// keep takes in what was made. It reports false if nothing more is to be.
func (p *pool) keep(b *birth, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.turn.Broadcast()
	switch {
	case err == errGone: // ended by somebody: another instead
	case err != nil && b.parked != nil:
		if b.parked == p.park.spec {
			p.park.want, p.park.err = 0, fmt.Errorf("park: %w", err)
		}
	case err != nil:
		p.err = fmt.Errorf("fill the pool: %w", err)
		return false
	case b.parked != p.park.spec && b.parked != nil: // they want another by now
		go p.discard([]*birth{b})
	case b.parked == nil:
		p.ready = append(p.ready, b)
	default:
		p.park.ready = append(p.park.ready, b)
	}
	return true
}

// close waits for the launches under way and stops filling. What is ready is ended
// with all other sandboxes.
func (p *pool) close() {
	p.mu.Lock()
	p.done = true
	p.turn.Broadcast()
	for p.work > 0 {
		p.turn.Wait()
	}
	p.mu.Unlock()
	<-p.ended
}
