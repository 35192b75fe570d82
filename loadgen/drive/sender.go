package drive

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/results"
)

// trigger is one trigger on its way.
type trigger struct {
	seq  uint64
	at   time.Duration // intended, from the storm's start
	ctx  context.Context
	data []byte
	conn conn          // but over HTTP/2
	turn chan struct{} // over HTTP/2: closed when it is to be sent

	state  state        // guarded by sender.mu
	sent   atomic.Int64 // results.Stamp; 0: not yet
	failed atomic.Bool  // the write failed; err says how
	err    error

	armed atomic.Bool // counted as ready for the start
	tries int         // connections that turned out to be dead before they were used

	postponed bool // until its time: no connection could be had before
}

type state int

const (
	fresh  state = iota
	queued       // the sender will send it
	gone         // the sender sent it, or tried
	taken        // taken back before it was sent
)

// sender writes triggers at their intended times from a thread of its own.
type sender struct {
	mu      sync.Mutex
	queue   queue
	start   results.Stamp // of the storm; 0: not yet
	until   results.Stamp // what the thread sleeps for
	stopped bool
	bell    bell
	ended   chan struct{}

	spin spin
}

func newSender() *sender {
	s := &sender{ended: make(chan struct{})}
	go s.run()
	return s
}

const never = results.Stamp(math.MaxInt64)

// begin starts the storm's clock: a trigger at t is sent at start + t.
func (s *sender) begin(start results.Stamp) {
	s.mu.Lock()
	s.start = start
	s.mu.Unlock()
	s.bell.ring()
}

// add queues a trigger. It reports false, and leaves it, after stop.
func (s *sender) add(t *trigger) bool {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return false
	}
	t.state = queued
	s.queue.add(t)
	sooner := s.start != 0 && s.start.Add(t.at) < s.until
	s.mu.Unlock()
	if sooner {
		s.bell.ring()
	}
	return true
}

// takeBack reports whether t had not been sent, which it then won't be.
func (s *sender) takeBack(t *trigger) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch t.state {
	case queued:
		s.queue.remove(t)
		t.state = taken
	case gone:
		return false
	}
	return true
}

// stop ends the thread. Nothing is sent once it has returned.
func (s *sender) stop() {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.bell.ring()
	<-s.ended
}

func (s *sender) run() {
	runtime.LockOSThread() // and never unlocked: the thread, with its slack, ends with the goroutine
	defer close(s.ended)
	sharpen()
	last := results.Stamp(0) // intended send of the trigger before
	for {
		t, due, ok := s.next(last)
		if !ok {
			return
		}
		if t == nil {
			continue
		}
		for results.Now() < due {
		}
		s.fire(t)
		last = due
	}
}

// next takes the earliest trigger off the queue if it is near enough to spin
// for. Otherwise it sleeps and returns none. ok is false after stop.
func (s *sender) next(last results.Stamp) (t *trigger, due results.Stamp, ok bool) {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return nil, 0, false
	}
	heard := s.bell.rings.Load()
	wake := never
	if s.start != 0 {
		t = s.queue.first()
	}
	if t != nil {
		due = s.start.Add(t.at)
		wake = due.Add(-s.spin.window(due.Sub(last)))
		if results.Now() >= wake {
			s.queue.pop()
			t.state = gone
			s.until = 0
			s.mu.Unlock()
			return t, due, true
		}
	}
	s.until = wake
	s.mu.Unlock()
	s.bell.wait(heard, wake)
	if late := results.Now() - wake; late >= 0 {
		s.spin.overslept(time.Duration(late))
	}
	return nil, 0, true
}

// fire writes t to its connection, or has its worker do so.
func (s *sender) fire(t *trigger) {
	if t.turn != nil {
		close(t.turn)
		return
	}
	t.sent.Store(int64(results.Now()))
	if err := t.conn.write(t.data); err != nil {
		t.err = err
		t.failed.Store(true)
		t.conn.interrupt()
	}
}
