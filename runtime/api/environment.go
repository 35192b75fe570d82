package api

import (
	"net"
	"sync"
	"time"

	"coldstorm/results"
)

// Config describes the environment. Its hooks are called from the goroutine of
// the runtime's connection, without a lock; the runtime's next request waits
// until they return. A nil hook is not called.
type Config struct {
	FunctionName string // told to extensions
	Version      string // told to extensions; $LATEST if empty
	Handler      string // told to extensions

	Ready     func(results.Stamp) // the first next: init finished
	Idle      func(results.Stamp) // a next after an answer: the environment may be frozen
	InitError func(InitError)     // the runtime gave up; it is expected to exit
}

// Environment is the Runtime API of one execution environment. Its methods may
// be called from any goroutine.
type Environment struct {
	config   Config
	listener net.Listener
	serving  sync.WaitGroup // the acceptor and the connections

	mu               sync.Mutex
	state            state
	current          *pending // while running
	answering        bool     // the answer to current is being read
	waiting          *conn    // whose next blocks
	firstNext        results.Stamp
	firstInstruction results.Stamp   // as the runtime told; 0 if it didn't
	extensions       map[string]bool // by identifier
	conns            map[*conn]struct{}
	closed           bool
	gone             chan struct{} // closed when no event will come any more
	left             bool          // gone is closed
}

// New serves the Runtime API on l until Close or Drain.
func New(l net.Listener, c Config) *Environment {
	if c.Version == "" {
		c.Version = "$LATEST"
	}
	e := &Environment{config: c, listener: l, gone: make(chan struct{}), conns: make(map[*conn]struct{}, 1)}
	e.serving.Add(1)
	go e.accept()
	return e
}

func (e *Environment) accept() {
	defer e.serving.Done()
	for {
		nc, err := e.listener.Accept()
		if err != nil {
			return
		}
		c := newConn(e, nc)
		e.mu.Lock()
		if e.closed {
			e.mu.Unlock()
			nc.Close()
			return
		}
		e.conns[c] = struct{}{}
		e.serving.Add(1)
		e.mu.Unlock()
		go c.serve()
	}
}

// FirstNext is the moment of the runtime's first ask for work, 0 if it hasn't
// asked.
func (e *Environment) FirstNext() results.Stamp {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.firstNext
}

// Extended reports whether an internal extension registered, which is how a
// runtime asks for SIGTERM before it is killed.
func (e *Environment) Extended() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.extensions) > 0
}

// Invoke hands inv to the runtime and returns its answer. It has no time limit
// of its own: Abort, Drain and Close end it, with their error. A function error
// is a Response with an ErrorType, not an error. With an error, the Response
// still tells when the event was delivered, if it was.
func (e *Environment) Invoke(inv Invocation) (Response, error) {
	p := &pending{Invocation: inv, answer: make(chan outcome, 1)}
	e.mu.Lock()
	if e.closed || e.state != ready {
		defer e.mu.Unlock()
		if e.closed || e.state == failed {
			return Response{}, ErrClosed
		}
		return Response{}, ErrNotReady
	}
	e.state, e.current, e.answering = running, p, false
	w := e.waiting
	e.waiting = nil
	direct := w != nil && len(p.Payload) <= oneWrite
	if direct {
		p.delivered = results.Now()
	}
	e.mu.Unlock()
	if direct {
		// Written from here, the event is under way one change of goroutine
		// earlier. A large one could block here for longer than the caller's
		// patience.
		w.wake <- woken{err: w.event(p)}
	} else if w != nil {
		w.wake <- woken{p: p}
	}
	out := <-p.answer
	return out.response, out.err
}

// Abort ends the pending invocation, if there is one, with err. Whatever the
// runtime sends from then on is refused. It doesn't wait.
func (e *Environment) Abort(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.abort(err)
}

func (e *Environment) abort(err error) {
	if p := e.current; p != nil {
		e.current = nil
		p.answer <- outcome{response: Response{Delivered: p.delivered}, err: err}
	}
	e.state = failed
	e.leave()
}

// leave wakes extensions, which wait for ever. The caller holds the lock.
func (e *Environment) leave() {
	if !e.left {
		e.left = true
		close(e.gone)
	}
}

// drainLimit bounds how long Drain reads what a dead runtime left in its
// sockets.
const drainLimit = 100 * time.Millisecond

// Drain is for a runtime whose process has ended: the listener is closed, what
// the runtime had sent is still read and counts, and then a pending invocation
// ends with err. It returns when no connection is left.
func (e *Environment) Drain(err error) {
	e.listener.Close()
	e.mu.Lock()
	e.closed = true
	limit := time.Now().Add(drainLimit)
	for c := range e.conns {
		c.net.SetDeadline(limit)
	}
	if w := e.waiting; w != nil {
		e.waiting = nil
		close(w.wake)
	}
	e.leave() // also with an event out: its answer is waited for here
	e.mu.Unlock()
	e.serving.Wait()
	e.Abort(err)
}

// Close closes the listener and every connection, and ends a pending invocation
// with ErrClosed. It returns when no goroutine of the environment is left.
func (e *Environment) Close() error {
	err := e.listener.Close()
	e.mu.Lock()
	e.closed = true
	e.abort(ErrClosed)
	for c := range e.conns {
		c.net.Close()
	}
	if w := e.waiting; w != nil {
		e.waiting = nil
		close(w.wake)
	}
	e.mu.Unlock()
	e.serving.Wait()
	return err
}
