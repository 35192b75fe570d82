package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"coldstorm/results"
)

// state is the runtime's, named as the AWS Runtime Interface Emulator names
// them in its errors (core/states.go).
type state uint8

const (
	started state = iota // init
	ready                // waits for an event, or is about to
	running              // has an event
	sent                 // has answered it
	initFailed
	failed       // aborted or closed
	restoreReady // waits for its restore
	restoring    // was restored, and runs its hooks
	restoreFailed

	toResponse // names of transitions only
	toError
)

func (s state) String() string {
	return [...]string{
		"Started", "Ready", "Running", "RuntimeResponseSentState", "InitError", "Failed",
		"RestoreReady", "Restoring", "RuntimeRestoreErrorState",
		"InvocationResponse", "InvocationErrorResponse",
	}[s]
}

// next blocks until there is an event. A next while an event is out renders it
// again; a newer next takes the place of an older one that still blocks (the
// runtime has hung up). With several invocations at once neither is so: each
// next is a loop of its own.
func (c *conn) next(head http.Header) error {
	e := c.env
	at := results.Now()
	e.mu.Lock()
	if e.closed { // the peer is dead: Drain
		e.mu.Unlock()
		return ErrClosed
	}
	many := e.config.concurrency() > 1
	was := e.state
	switch was {
	case initFailed, failed, restoreReady, restoreFailed:
		e.mu.Unlock()
		return c.refuse(errTransition(was, ready))
	case started, restoring:
		e.firstNext, e.firstInstruction, e.state = at, told(head), ready
	case running:
		if p := e.fetch(many); p != nil {
			var hook func(results.Stamp)
			if many && e.answered > 0 { // a loop that answered has asked again, and gets work at once
				e.answered--
				e.asked++
				hook = e.quiet()
			}
			e.mu.Unlock()
			if hook != nil {
				hook(at)
			}
			return c.event(p)
		}
	case sent:
		if !many {
			e.state = ready
		}
	}
	if !many {
		for _, w := range e.waiting {
			close(w.wake)
		}
		e.waiting = e.waiting[:0]
	}
	if e.answered > 0 {
		e.answered--
		e.asked++
	}
	e.waiting = append(e.waiting, c)
	hook := e.quiet()
	e.mu.Unlock()
	if hook != nil {
		hook(at)
	}
	return c.await()
}

// fetch is the event that a next gets at once, or nil. The caller holds the
// lock.
func (e *Environment) fetch(many bool) *pending {
	if len(e.unsent) > 0 {
		p := e.unsent[0]
		e.unsent = slices.Delete(e.unsent, 0, 1)
		p.delivered = results.Now()
		return p
	}
	if many {
		return nil
	}
	return e.out[0]
}

// await blocks until the connection is woken, and does what it then is to do.
func (c *conn) await() error {
	switch w, ok := <-c.wake; {
	case !ok:
		return ErrClosed
	case w.restored:
		return c.reply(http.StatusOK, contentJSON, "", "")
	case w.raw != nil:
		_, err := c.net.Write(w.raw)
		return err
	case w.p == nil:
		return w.err
	default:
		return c.event(w.p)
	}
}

// claim takes the right to answer invocation id, or says why not.
func (e *Environment) claim(id string, req *http.Request, to state) (*pending, *refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.find(id)
	switch {
	case p != nil && !e.echoes(p, req):
		return nil, &errLate
	case p != nil && !p.answering && p.delivered != 0:
		p.answering = true
		return p, nil
	case p == nil && slices.Contains(e.late, id):
		return nil, &errLate
	case e.state == running || e.state == sent || e.state == ready && e.config.concurrency() > 1:
		return nil, &errRequestID
	}
	r := errTransition(e.state, to)
	return nil, &r
}

// echoes reports whether an answer is one to this attempt at an invocation: it
// carries its id, or none, as of runtimes that don't know of it.
func (e *Environment) echoes(p *pending, req *http.Request) bool {
	h := req.Header[headerInvocationID]
	if len(h) == 0 {
		return true
	}
	rest, ok := strings.CutPrefix(h[0], e.nonce)
	return ok && rest == strconv.FormatUint(p.attempt, 10)
}

// settle answers p, unless it was aborted meanwhile.
func (e *Environment) settle(p *pending, r Response) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.find(p.ID) != p {
		return
	}
	r.Delivered = p.delivered
	e.answered++
	e.finish(p, outcome{response: r})
	e.settled()
}

// settled is the state after an answer. The caller holds the lock.
func (e *Environment) settled() {
	if e.state != running || len(e.out) > 0 {
		return
	}
	e.state = sent
	if len(e.waiting) > 0 { // of several at once, some ask already
		e.state = ready
	}
}

// unclaim leaves p unanswered: its answer broke off. The runtime may try again.
func (e *Environment) unclaim(p *pending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p.answering = false
}

// initError handles POST init/error. In a runtime that was just restored it
// means restore/error.
func (c *conn) initError(req *http.Request) error {
	e := c.env
	e.mu.Lock()
	was := e.state
	switch was {
	case started:
		e.state = initFailed
	case restoring:
		e.state = restoreFailed
	}
	e.mu.Unlock()
	switch was {
	case started:
		return c.giveUp(req, e.config.InitError)
	case restoring:
		return c.giveUp(req, e.config.RestoreError)
	}
	return c.refuse(errTransition(was, initFailed))
}

// restoreNext handles GET restore/next: it blocks until the environment was
// restored.
func (c *conn) restoreNext() error {
	e := c.env
	at := results.Now()
	e.mu.Lock()
	was, closed := e.state, e.closed
	if closed || was != started {
		e.mu.Unlock()
		if closed {
			return ErrClosed
		}
		return c.refuse(errTransition(was, restoreReady))
	}
	e.state, e.restoring = restoreReady, c
	e.mu.Unlock()
	if e.config.RestoreReady != nil {
		e.config.RestoreReady(at)
	}
	return c.await()
}

// restoreError handles POST restore/error.
func (c *conn) restoreError(req *http.Request) error {
	e := c.env
	e.mu.Lock()
	was := e.state
	if was == restoring {
		e.state = restoreFailed
	}
	e.mu.Unlock()
	if was != restoring {
		return c.refuse(errTransition(was, restoreFailed))
	}
	return c.giveUp(req, e.config.RestoreError)
}

// giveUp reads what the runtime has to say at its end, and tells it before the
// runtime is answered: it then exits, which must not be taken for the reason.
func (c *conn) giveUp(req *http.Request, tell func(InitError)) error {
	limit := c.env.config.maxError()
	body, size, err := c.body.all(limit)
	answer := c.ok
	switch {
	case err != nil:
		body, answer = nil, func() error { return c.refuse(errTruncated) }
	case size > limit:
		body, answer = nil, func() error { return c.refuse(tooLarge(limit)) }
	default:
		body, _ = withoutCause(body, contentType(req))
	}
	if tell != nil {
		tell(InitError{Type: SanitizeErrorType(req.Header.Get(headerErrorType)), Payload: body})
	}
	return answer()
}
