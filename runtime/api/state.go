package api

import (
	"net/http"

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
	failed // aborted or closed

	toResponse // names of transitions only
	toError
)

func (s state) String() string {
	return [...]string{
		"Started", "Ready", "Running", "RuntimeResponseSentState", "InitError", "Failed",
		"InvocationResponse", "InvocationErrorResponse",
	}[s]
}

// next blocks until there is an event. A next while an event is out renders it
// again; a newer next takes the place of an older one that still blocks (the
// runtime has hung up).
func (c *conn) next(head http.Header) error {
	e := c.env
	at := results.Now()
	e.mu.Lock()
	if e.closed { // the peer is dead: Drain
		e.mu.Unlock()
		return ErrClosed
	}
	was := e.state
	switch was {
	case initFailed, failed:
		e.mu.Unlock()
		return c.refuse(errTransition(was, ready))
	case running:
		p := e.current
		e.mu.Unlock()
		return c.deliver(p)
	case started:
		e.firstNext, e.firstInstruction = at, told(head)
	}
	e.state = ready
	if w := e.waiting; w != nil && w != c {
		close(w.wake)
	}
	e.waiting = c
	e.mu.Unlock()

	if was == started && e.config.Ready != nil {
		e.config.Ready(at)
	} else if was == sent && e.config.Idle != nil {
		e.config.Idle(at)
	}
	switch w, ok := <-c.wake; {
	case !ok:
		return ErrClosed
	case w.p == nil:
		return w.err
	default:
		return c.deliver(w.p)
	}
}

func (c *conn) deliver(p *pending) error {
	e := c.env
	e.mu.Lock()
	if p.delivered == 0 {
		p.delivered = results.Now()
	}
	e.mu.Unlock()
	return c.event(p)
}

// claim takes the right to answer invocation id, or says why not.
func (e *Environment) claim(id string, to state) (*pending, *refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.state == running && e.current.ID == id && !e.answering:
		e.answering = true
		return e.current, nil
	case e.state == running || e.state == sent:
		return nil, &errRequestID
	}
	r := errTransition(e.state, to)
	return nil, &r
}

// settle answers p, unless it was aborted meanwhile.
func (e *Environment) settle(p *pending, r Response) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != p {
		return
	}
	r.Delivered = p.delivered
	e.state, e.current = sent, nil
	p.answer <- outcome{response: r}
}

// unclaim leaves p unanswered: its answer broke off. The runtime may try again.
func (e *Environment) unclaim(p *pending) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == p {
		e.answering = false
	}
}

// initError handles POST init/error.
func (c *conn) initError(req *http.Request) error {
	e := c.env
	body, _, err := readBody(req)
	if err != nil {
		return c.refuse(errTruncated)
	}
	e.mu.Lock()
	was := e.state
	if was == started {
		e.state = initFailed
	}
	e.mu.Unlock()
	if was != started {
		return c.refuse(errTransition(was, initFailed))
	}
	err = c.ok()
	if e.config.InitError != nil {
		e.config.InitError(InitError{Type: SanitizeErrorType(req.Header.Get(headerErrorType)), Payload: body})
	}
	return err
}
