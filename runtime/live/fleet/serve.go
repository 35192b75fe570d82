package fleet

import (
	"context"
	"errors"
	"net/http"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/plane"
)

// Request is one that came to the load balancer.
type Request struct {
	ID       string        // a new one if empty
	Received results.Stamp // now, if 0
	Method   string
	Path     string // with the query
	Header   http.Header
	Body     []byte
}

// Answer is what a request gets.
type Answer struct {
	ID       string
	Status   int // of HTTP
	Header   http.Header
	Body     []byte
	Outcome  results.Outcome
	Reason   string // unless it was served
	Evidence results.Evidence
}

// What ends a request beside its unit's own answer.
var (
	errClosed   = errors.New("fleet is closed")
	errUnitLost = errors.New("unit died")
)

// Serve sends a request through the load balancer and waits for what becomes of it. A
// caller whose ctx ends while the request waits gives it up; the answer is a timeout then.
func (f *Fleet) Serve(ctx context.Context, r Request) Answer {
	if r.Received == 0 {
		r.Received = results.Now()
	}
	if r.ID == "" {
		r.ID = api.NewID()
	}
	a := f.submit(ctx)
	var out Answer
	if a.unit == nil {
		out = refused(r, a.refused)
	} else {
		out = a.unit.serve(ctx, r, a)
	}
	f.count(a.unit, out)
	return out
}

// submit brings a request to the plane, and waits until a unit takes it or none will.
func (f *Fleet) submit(ctx context.Context) assignment {
	t := make(chan assignment, 1)
	f.mu.Lock()
	f.counts.Offered++
	f.counts.InFlight++
	if f.closed {
		f.mu.Unlock()
		return assignment{refused: plane.ReasonNoTargets}
	}
	f.next++
	id := f.next
	f.triggers[id] = t
	f.handle(plane.Event{Kind: plane.Arrive, Trigger: id})
	f.mu.Unlock()
	select {
	case a := <-t:
		return a
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.triggers[id] == nil { // it was assigned meanwhile
		return <-t
	}
	delete(f.triggers, id)
	f.handle(plane.Event{Kind: plane.Abandon, Trigger: id})
	return assignment{refused: plane.ReasonGatewayTimeout}
}

// serve has the unit answer a request that is its own.
func (u *unit) serve(ctx context.Context, r Request, a assignment) Answer {
	f := u.f
	ctx, cancel := context.WithTimeout(ctx, f.config.RequestTimeout)
	defer cancel()
	sent := results.Now()
	got, err := u.door.serve(ctx, r)
	responded := results.Now()
	f.mu.Lock()
	if !u.gone {
		f.handle(plane.Event{Kind: plane.Done, Unit: u.no})
	}
	f.mu.Unlock()
	if got.delivered != 0 {
		sent = got.delivered
	}
	e := results.Evidence{
		Environment: u.id, Served: a.served, Start: a.start, Cause: a.cause, Received: r.Received, Responded: responded,
	}
	if u.node != nil {
		e.Node = u.node.name
	}
	e.Phases.Queue, e.Phases.Invoke = sent.Sub(r.Received), responded.Sub(sent)
	out := Answer{ID: r.ID, Status: got.status, Header: got.header, Body: got.body, Evidence: e, Outcome: results.OutcomeServed}
	switch {
	case err == nil && got.functionError != "":
		out.Outcome, out.Reason = results.OutcomeFailed, got.functionError
	case err == nil && got.status >= 500:
		out.Outcome, out.Reason = results.OutcomeFailed, http.StatusText(got.status)
	case err == nil:
	case ctx.Err() != nil:
		out = refused(r, plane.ReasonGatewayTimeout)
		out.Evidence = e
	default:
		out = refused(r, plane.ReasonUnitLost)
		out.Evidence = e
	}
	return out
}

// refused is the load balancer's own answer (AWS: HTTP 502, 503 and 504 of an
// Application Load Balancer).
func refused(r Request, why plane.Reason) Answer {
	a := Answer{ID: r.ID, Outcome: results.OutcomeFailed, Reason: string(why), Status: http.StatusServiceUnavailable}
	switch why {
	case plane.ReasonQueueFull:
		a.Outcome = results.OutcomeThrottled
	case plane.ReasonUnitLost:
		a.Status = http.StatusBadGateway
	case plane.ReasonGatewayTimeout:
		a.Outcome, a.Status = results.OutcomeTimedOut, http.StatusGatewayTimeout
	}
	a.Evidence = results.Evidence{Start: results.StartUnknown, Received: r.Received, Responded: results.Now()}
	a.Evidence.Phases.Queue = a.Evidence.Responded.Sub(r.Received)
	return a
}

func (f *Fleet) count(u *unit, a Answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.InFlight--
	lost := a.Reason == string(plane.ReasonUnitLost)
	switch a.Outcome {
	case results.OutcomeServed:
		f.counts.Served++
	case results.OutcomeThrottled:
		f.counts.Throttled++
	case results.OutcomeTimedOut:
		f.counts.TimedOut++
	default:
		f.counts.Failed++
		if lost {
			f.counts.Lost++
		}
	}
	for _, l := range f.losses {
		if l.Back == 0 {
			if lost {
				l.Lost++
			} else if a.Outcome == results.OutcomeServed {
				l.Served++
			}
		}
	}
}
