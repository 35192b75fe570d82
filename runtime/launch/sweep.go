package launch

import (
	"strings"
	"sync"
	"time"
)

// A sweeper removes what dead sandboxes leave, once nothing has been launched for a while.
// The kernel destroys cgroups and network namespaces in threads that it doesn't preempt,
// milliseconds at a time: during a storm these would keep the generator, and the next
// sandbox, from a processor.
type sweeper struct {
	d *daemon

	mu    sync.Mutex
	dead  []*box // oldest first
	haste int    // how many wait for all of them to go
	turn  chan struct{}
}

// What the sweeper leaves lying, and for how long after the last launch.
const (
	mostDead = 1024
	calmDead = 100 * time.Millisecond
)

func newSweeper(d *daemon) *sweeper { return &sweeper{d: d, turn: make(chan struct{}, 1)} }

// leave has a dead sandbox removed later. At once is what a node must be rid of to end,
// and what other runtimes made.
func (s *sweeper) leave(b *box) {
	if s.d.runtime.kind != builtin || strings.Contains(b.group, "/") {
		go s.d.release(b)
		return
	}
	s.mu.Lock()
	first := len(s.dead) == 0
	s.dead = append(s.dead, b)
	s.mu.Unlock()
	if first {
		s.wake()
	}
}

// hurry has everything removed at once from now on, until it is called with -1.
func (s *sweeper) hurry(n int) {
	s.mu.Lock()
	s.haste += n
	s.mu.Unlock()
	s.wake()
}

func (s *sweeper) wake() {
	select {
	case s.turn <- struct{}{}:
	default:
	}
}

// sweep never ends.
func (s *sweeper) sweep() {
	asked := 0
	for {
		b, more := s.next(&asked)
		switch {
		case b != nil:
			s.d.release(b)
		case more:
			select {
			case <-s.turn:
			case <-time.After(calmDead):
			}
		default:
			<-s.turn
		}
	}
}

// next takes the oldest, if its time has come, and says whether there are more. asked is
// how many launches there had been when it was last called.
func (s *sweeper) next(asked *int) (b *box, more bool) {
	calm := s.d.pool.rests(asked)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.dead)
	if n == 0 {
		return nil, false
	}
	if !calm && s.haste == 0 && n <= mostDead {
		return nil, true
	}
	b, s.dead = s.dead[0], s.dead[1:]
	return b, true
}
