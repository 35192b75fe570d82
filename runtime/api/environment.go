package api

import (
	"net"
	"slices"
	"sync"
	"time"

	"coldstorm/results"
)

// Environment is the Runtime API of one execution environment. Its methods may
// be called from any goroutine.
type Environment struct {
	config   Config
	listener net.Listener
	nonce    string         // begins the Lambda-Runtime-Invocation-Id of this environment
	serving  sync.WaitGroup // the acceptor and the connections

	telemetry telemetry

	mu               sync.Mutex
	state            state
	out              []*pending // with the runtime, or on their way to it
	unsent           []*pending // those of out that no next has fetched
	answered         int        // invocations after which the runtime has not asked again
	attempts         uint64
	late             []string // request ids that were aborted last, the oldest first
	waiting          []*conn  // whose next blocks; the oldest first
	restoring        *conn    // whose restore/next blocks
	firstNext        results.Stamp
	firstInstruction results.Stamp // as the runtime told; 0 if it didn't
	extensions       []*extension
	announced        bool // the end of init
	asked            int  // asks of the runtime after an answer, not yet passed on to Idle
	conns            map[*conn]struct{}
	closed           bool
	left             bool // no event will come any more
}

// New serves the Runtime API on l until Close or Drain.
func New(l net.Listener, c Config) *Environment {
	if c.Version == "" {
		c.Version = "$LATEST"
	}
	e := &Environment{
		config: c, listener: l, nonce: NewID()[:19], conns: make(map[*conn]struct{}, 1),
	}
	for _, name := range c.Extensions {
		e.extensions = append(e.extensions, &extension{name: name, id: NewID(), external: true})
	}
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

// Extended reports whether an extension registered, which is how a runtime asks
// for SIGTERM before it is killed.
func (e *Environment) Extended() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.extensions, func(x *extension) bool { return x.state != extensionStarted })
}

// Invoke hands inv to the runtime and returns its answer. It has no time limit
// of its own: Abort, AbortOne, Drain and Close end it, with their error. A
// function error is a Response with an ErrorType, not an error. With an error,
// the Response still tells when the event was delivered, if it was, and whether
// its Stream had begun.
func (e *Environment) Invoke(inv Invocation) (Response, error) {
	p := &pending{Invocation: inv, answer: make(chan outcome, 1)}
	if inv.Stream != nil {
		p.flow = newFlow()
	}
	e.mu.Lock()
	if no := e.busy(); no != nil {
		e.mu.Unlock()
		return Response{}, no
	}
	e.attempts++
	p.attempt = e.attempts
	e.out = append(e.out, p)
	e.state = running
	var send func()
	if len(e.extensions) > 0 {
		send = e.tellInvoke(p)
	}
	w := e.nextWaiting()
	direct := w != nil && len(p.Payload) <= oneWrite
	if w != nil {
		p.delivered = results.Now()
	} else {
		e.unsent = append(e.unsent, p)
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
	if send != nil {
		send()
	}
	if p.flow != nil {
		out := p.drain(inv.Stream)
		return out.response, out.err
	}
	out := <-p.answer
	return out.response, out.err
}

// busy says why no invocation can begin now. The caller holds the lock.
func (e *Environment) busy() error {
	switch {
	case e.closed || e.state == failed:
		return ErrClosed
	case e.state == ready:
		return nil
	case e.config.concurrency() > 1 && (e.state == running || e.state == sent) && len(e.out)+e.answered < e.config.concurrency():
		return nil
	}
	return ErrNotReady
}

// nextWaiting takes the connection whose next has waited longest, or nil. The
// caller holds the lock.
func (e *Environment) nextWaiting() *conn {
	if len(e.waiting) == 0 {
		return nil
	}
	w := e.waiting[0]
	e.waiting = slices.Delete(e.waiting, 0, 1)
	return w
}

// Restore wakes a runtime that waits in restore/next. It reports whether there
// was one.
func (e *Environment) Restore() bool {
	e.mu.Lock()
	w := e.restoring
	e.restoring = nil
	if e.state == restoreReady {
		e.state = restoring
	}
	e.mu.Unlock()
	if w != nil {
		w.wake <- woken{restored: true}
	}
	return w != nil
}

// Abort ends every pending invocation with err. Whatever the runtime sends from
// then on is refused. It doesn't wait.
func (e *Environment) Abort(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.abort(err)
}

func (e *Environment) abort(err error) {
	for len(e.out) > 0 {
		e.finish(e.out[0], outcome{response: Response{Delivered: e.out[0].delivered}, err: err})
	}
	e.state = failed
	e.leave()
}

// Fail ends every pending invocation with err, as Abort does, but leaves
// extensions waiting, for Shutdown.
func (e *Environment) Fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := e.left
	e.left = true
	e.abort(err)
	e.left = left
}

// AbortOne ends one invocation with err and leaves the runtime alive: what it
// sends for it later is refused as late, and it may ask for work again (a timeout
// of an environment with several invocations at once). Where the event was not
// delivered yet, as Invoke's Response tells, the runtime never sees it, and no ask
// follows.
func (e *Environment) AbortOne(id string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.find(id); p != nil {
		if p.delivered != 0 {
			e.answered++
		}
		e.finish(p, outcome{response: Response{Delivered: p.delivered}, err: err})
		e.settled()
	}
}

func (e *Environment) find(id string) *pending {
	for _, p := range e.out {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// finish gives p its outcome. The caller holds the lock.
func (e *Environment) finish(p *pending, o outcome) {
	i := slices.Index(e.out, p)
	if i < 0 {
		return
	}
	e.out = slices.Delete(e.out, i, i+1)
	if i := slices.Index(e.unsent, p); i >= 0 {
		e.unsent = slices.Delete(e.unsent, i, i+1)
	}
	if o.err != nil {
		e.late = append(e.late, p.ID)
		e.late = e.late[max(0, len(e.late)-lateKept):]
	}
	p.answer <- o
	if p.flow != nil {
		close(p.flow.over)
	}
}

// lateKept is how many request ids of timeouts are kept (AWS Runtime Interface
// Emulator, its part for managed instances).
const lateKept = 1000

// leave ends what extensions wait for. The caller holds the lock.
func (e *Environment) leave() {
	if e.left {
		return
	}
	e.left = true
	for _, x := range e.extensions {
		if x.waiting != nil {
			close(x.waiting.wake)
			x.waiting = nil
		}
	}
}

// hangUp ends every next that blocks. The caller holds the lock.
func (e *Environment) hangUp() {
	for _, w := range e.waiting {
		close(w.wake)
	}
	e.waiting = nil
	if w := e.restoring; w != nil {
		e.restoring = nil
		close(w.wake)
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
	e.hangUp()
	e.leave() // also with an event out: its answer is waited for here
	for _, p := range e.out {
		if p.flow != nil { // its caller may be slow to take what comes
			defer time.AfterFunc(drainLimit, func() { e.Abort(err) }).Stop()
			break
		}
	}
	e.mu.Unlock()
	e.serving.Wait()
	e.telemetry.close()
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
	e.hangUp()
	e.mu.Unlock()
	e.serving.Wait()
	e.telemetry.close()
	return err
}
