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

// A pool keeps births ready, and makes new ones while nothing is being launched, so
// that the making is off every launch's path. What they are ready for is the image of the
// last launch, or what the client said comes next.
type pool struct {
	d     *daemon
	names atomic.Int64
	fills sync.WaitGroup // calls of fill under way

	mu     sync.Mutex
	turn   *sync.Cond // something of what follows changed
	pooled shelf
	parked shelf
	work   int // launches under way
	asked  int // launches begun so far
	done   bool
}

// A shelf holds births of one mode.
type shelf struct {
	mode  string
	like  *Spec // what they are for; nil: not known yet
	want  int
	ready []*birth
	made  int   // on their way
	err   error // why there can be none
}

// lacks says whether there are fewer than there are to be.
func (s *shelf) lacks() bool { return s.like != nil && s.err == nil && len(s.ready) < s.want }

// wants says whether another is to be made, beside those on their way.
func (s *shelf) wants() bool { return s.lacks() && len(s.ready)+s.made < s.want }

// set changes what a shelf is for. It returns what was there and doesn't suit.
func (s *shelf) set(like *Spec, want int) (old []*birth) {
	s.like, s.want, s.err = like, want, nil
	keep := s.ready[:0:0]
	for _, b := range s.ready {
		if len(keep) < want && suits(s.mode, b.like, like) {
			keep = append(keep, b)
		} else {
			old = append(old, b)
		}
	}
	s.ready = keep
	return old
}

// suits says whether a sandbox that was made ready for one spec can become what another
// describes. A pooled one can be given other limits.
func suits(mode string, made, s *Spec) bool {
	return roomKey(made) == roomKey(s) && made.TmpBytes == s.TmpBytes && made.dir() == s.dir() &&
		!s.Writable && s.Network == NetworkNone && s.Node == "" && (mode == ModePooled || limitsOf(made) == limitsOf(s))
}

func newPool(d *daemon, size int) *pool {
	p := &pool{d: d, pooled: shelf{mode: ModePooled, want: size}, parked: shelf{mode: ModeParked}}
	p.turn = sync.NewCond(&p.mu)
	return p
}

// name is one that no other group has.
func (p *pool) name() string { return "s" + strconv.FormatInt(p.names.Add(1), 10) }

// take returns a living birth that suits s, as the client's sandbox id, or nil.
func (p *pool) take(id int64, s *Spec) *birth {
	p.mu.Lock()
	b := p.adopt(id, s, &p.parked)
	if b == nil {
		b = p.adopt(id, s, &p.pooled)
	}
	p.mu.Unlock()
	if b == nil {
		p.expect(s)
	}
	return b
}

func (p *pool) adopt(id int64, s *Spec, from *shelf) *birth {
	if from.like == nil || !suits(from.mode, from.like, s) {
		return nil
	}
	for len(from.ready) > 0 {
		b := from.ready[0]
		from.ready = from.ready[1:]
		if p.d.adopt(b.box, id) {
			return b
		}
		b.drop() // it died as it waited
	}
	return nil
}

// expect has the pool filled for s, if that is something that can be ready.
func (p *pool) expect(s *Spec) {
	if s.Writable || s.Network != NetworkNone || s.Node != "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pooled.want == 0 { // every launch of such a pool comes by here
		return
	}
	if old := p.pooled.set(s, p.pooled.want); len(old) > 0 {
		go p.discard(old)
	}
	p.turn.Broadcast()
}

// park replaces what is kept parked.
func (p *pool) park(s *Spec, n int) {
	p.mu.Lock()
	old := p.parked.set(s, n)
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

// filled waits until all is ready, or never will be.
func (p *pool) filled() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.done && (p.pooled.lacks() || p.parked.lacks()) {
		p.turn.Wait()
	}
	if p.done {
		return ErrClosed
	}
	return errors.Join(p.pooled.err, p.parked.err)
}

// busy counts launches under way.
func (p *pool) busy(n int) {
	p.mu.Lock()
	p.work += n
	if n > 0 {
		p.asked += n
	}
	if p.work == 0 && (p.done || p.pooled.lacks() || p.parked.lacks()) { // else nobody waits for it
		p.turn.Broadcast()
	}
	p.mu.Unlock()
}

// rests says whether no launch is under way and none has begun since it was called with
// the same since before.
func (p *pool) rests(since *int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	quiet := p.work == 0 && p.asked == *since
	*since = p.asked
	return quiet
}

// alone says whether no other launch than the caller's is under way.
func (p *pool) alone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.work == 1
}

// calm is how long nothing must have been launched before the pool is filled
// again: the program that was launched last has the processors to itself. The sleep may
// end late (see timerSlack).
const calm = 2 * time.Millisecond

// niceness is this process's, and says whether a child that a thread of lower priority
// clones can take it back: only who may raise a priority can (setpriority(2), EACCES), which
// nobody may in a user namespace.
func niceness() (nice int, regains bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	n, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return 0, false
	}
	nice = 20 - n // as the kernel counts
	regains = unix.Setpriority(unix.PRIO_PROCESS, 0, nice-1) == nil
	if regains {
		unix.Setpriority(unix.PRIO_PROCESS, 0, nice)
	}
	return nice, regains
}

// fill keeps the pool full until it is closed, at a low priority if sandboxes need not
// keep that. Several threads do, one sandbox each at a time: an empty pool is filled by all
// processors. What can't be made is given up until something else is asked for: launches go
// on without, and say so by their mode. The calling thread must be one of the stage's and
// never end, since its children would with it.
func (p *pool) fill() {
	if p.d.yields {
		unix.Setpriority(unix.PRIO_PROCESS, 0, p.d.nice+10) // of this thread alone
	}
	defer p.fills.Done()
	seen := 0
	for {
		p.mu.Lock()
		for !p.done && (p.work > 0 || !p.pooled.wants() && !p.parked.wants()) {
			p.turn.Wait()
		}
		done, asked, next := p.done, p.asked, &p.pooled
		if p.parked.wants() {
			next = &p.parked
		}
		like, quiet := next.like, asked == seen
		if !done && quiet {
			next.made++
		}
		p.mu.Unlock()
		if done {
			return
		}
		if !quiet {
			seen = asked
			time.Sleep(calm)
			continue
		}
		b, err := p.d.seed(next.mode, like)
		p.d.bear()
		if err != nil {
			p.d.abort(b)
			b = nil
		}
		if b = p.keep(next, like, b, err); b != nil {
			p.discard([]*birth{b})
		}
	}
}

// keep puts what was made for like on its shelf, and returns it if it is not wanted there
// any more.
func (p *pool) keep(on *shelf, like *Spec, b *birth, err error) *birth {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.turn.Broadcast()
	on.made--
	switch {
	case err == errGone: // ended by somebody: another instead
	case !suits(on.mode, like, on.like), len(on.ready) >= on.want:
		return b
	case err != nil:
		on.err = fmt.Errorf("make a %s sandbox: %w", on.mode, err)
	default:
		on.ready = append(on.ready, b)
	}
	return nil
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
	p.fills.Wait()
}
