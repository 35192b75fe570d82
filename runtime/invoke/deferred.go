package invoke

import (
	"net/http"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// Deferred takes asynchronous events for functions that are there without an account, and
// has them handled by the rules of one. What becomes of an event is told to who enqueued
// it, or to Ended; it has no destination. Its methods may be called from any goroutine.
type Deferred struct {
	config DeferredConfig
	intake
}

// DeferredConfig says how a Deferred behaves.
type DeferredConfig struct {
	Lookup  func(name string) Function // nil: there is none
	Timeout func(name string) time.Duration
	Rules   plane.AsyncRules
	Ended   func(Event, live.Result) // told of events that came as requests
}

// NewDeferred makes a Deferred, which has to be closed.
func NewDeferred(c DeferredConfig) *Deferred {
	d := &Deferred{config: c}
	d.queue = NewMemoryQueue(d.attempt)
	return d
}

// Close ends it, and returns how many events were still waiting, which are lost.
func (d *Deferred) Close() int { return d.queue.Close() }

// Invoke is Service.Invoke.
func (d *Deferred) Invoke(function string, r live.Request, answer func(live.Result)) error {
	f := d.config.Lookup(function)
	if f == nil {
		return target{name: function}.notFound()
	}
	f.Serve(r, answer)
	return nil
}

// Enqueue is Service.Enqueue.
func (d *Deferred) Enqueue(function string, r live.Request, done func(r live.Result, taken results.Stamp, attempts int)) error {
	ended := func(e Event, r live.Result) { done(r, e.Taken, e.Invoked) }
	return d.put(Event{Function: function, Request: r, Ended: ended})
}

// Timeout is Service.Timeout.
func (d *Deferred) Timeout(function string) (time.Duration, error) {
	if d.config.Lookup(function) == nil {
		return 0, target{name: function}.notFound()
	}
	return d.config.Timeout(function), nil
}

// take answers a request of type Event.
func (d *Deferred) take(w http.ResponseWriter, function string, req live.Request) {
	if len(req.Payload) > maxEvent {
		tooLarge("InvokeFunction", maxEvent).write(w)
		return
	}
	req.ID, req.Tail = newID(), false
	w.Header()["X-Amzn-Requestid"] = []string{req.ID}
	if err := d.put(Event{Function: function, Request: req, Ended: d.config.Ended}); err != nil {
		asServiceError(err).write(w)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// attempt has an event handled once, and sees to what follows.
func (d *Deferred) attempt(e Event) {
	if e.Taken == 0 {
		e.Taken = results.Now()
	}
	req := e.Request
	req.Received = 0
	err := d.Invoke(e.Function, req, func(res live.Result) {
		wait, end := e.next(d.config.Rules, &res)
		if end != "" || d.queue.Put(e, wait) != nil {
			e.Ended(e, res)
		}
	})
	if err != nil {
		e.Ended(e, live.Result{RequestID: req.ID, Outcome: results.OutcomeFailed, Reason: "ResourceNotFoundException"})
	}
}
