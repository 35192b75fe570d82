package engine

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"coldstorm/runtime/invoke"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/trigger"
)

// Events are how functions that are deployed without an account are reached beside
// requests: by invocations of type Event, and by event sources. They are served at URL as
// those of an account are (package trigger).
type Events struct {
	Async   plane.AsyncRules `json:"async"` // of events that are handled asynchronously; the zero value retries nothing, and gives up what can't be handled at once
	Sources []trigger.Source `json:"sources,omitempty"`
}

// Attach has events reach what is deployed, until Detach or the next Deploy. There must be
// none already.
func (e *Engine) Attach(x Events) error { return e.ask(command{Verb: verbAttach, Events: &x}) }

// Detach ends what Attach began, and returns when the invocations that it began are
// done with, but for asynchronous ones, which go on. Events that were not handled are lost.
func (e *Engine) Detach() error { return e.ask(command{Verb: verbDetach}) }

// attached are the Events of what is deployed.
type attached struct {
	sources  *trigger.Sources
	deferred *invoke.Deferred
	handler  http.Handler
}

var _ trigger.Functions = (*invoke.Deferred)(nil)

// attach begins them.
func (s *server) attach(x Events) error {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	switch {
	case s.service != nil:
		return errors.New("attach: an account has sources of its own")
	case s.attached.Load() != nil:
		return errors.New("attach: there are event sources already")
	}
	a := &attached{sources: trigger.New(trigger.Config{URL: s.url, Say: func(format string, args ...any) { fmt.Fprintf(s.stderr, "coldstorm: "+format+"\n", args...) }})}
	a.deferred = invoke.NewDeferred(invoke.DeferredConfig{
		Lookup: s.lookup, Timeout: s.timeout, Rules: x.Async,
		Ended: func(e invoke.Event, r live.Result) {
			a.sources.Asynchronous(e.Request.ID, e.Function, e.Arrived, e.Taken, e.Invoked, r)
		},
	})
	a.sources.Connect(a.deferred)
	a.handler = a.sources.Handler(invoke.Handler{Lookup: s.lookup, Deferred: a.deferred})
	for _, one := range x.Sources {
		if err := a.sources.Add(one); err != nil {
			a.stop()
			a.sources.Wait()
			return fmt.Errorf("attach: %w", err)
		}
	}
	s.attached.Store(a)
	return nil
}

func (s *server) detach() {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	if a := s.attached.Swap(nil); a != nil {
		a.stop()
		a.sources.Wait()
	}
}

// stop lets nothing more begin.
func (a *attached) stop() {
	a.sources.Stop()
	a.deferred.Close()
}

// timeout is that of a function that is deployed.
func (s *server) timeout(name string) time.Duration {
	if f, ok := s.lookup(name).(*live.Function); ok {
		return f.Config().Timeout
	}
	return 0
}
