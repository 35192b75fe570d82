package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/trigger"
)

// An event is done with long after its publishing is answered. Its completion comes
// on the endpoint's control stream under the id that the answer named, and makes the
// trigger's sample: done when the handler was, with its evidence.

// sameEndpoint is --completions without a URL: those of the URL's own endpoint.
const sameEndpoint = "auto"

// follower joins triggers and completions, in whichever order they come.
type follower struct {
	record func(results.Sample)
	body   io.Closer

	mu      sync.Mutex
	ids     map[uint64]string             // by position, of triggers that were answered and not observed yet
	pending map[string]results.Sample     // by id: published, and not done with
	early   map[string]trigger.Completion // done with, and not observed yet
	moved   chan struct{}                 // gets a token when an event has ended
	ended   chan struct{}                 // closed at the stream's end

	latencies          []time.Duration // of what was answered and, if it was published, ended
	last               results.Stamp   // when the last of them did
	way                map[results.Start]map[string]*stats.Set
	invocations        map[uint64]bool // that have ended, by their hash: whether an event of theirs was served. A batch's events have one in common
	coldStarts         int             // of invocations
	unnamed, elsewhere int             // answers without an id; completions by another machine's clock
	again              int             // events that had reached the function before
}

// invocation tells one from another.
type invocation struct {
	environment string
	received    results.Stamp
}

var invocationSeed = maphash.MakeSeed()

// follow opens the control stream.
func follow(ctx context.Context, stream string, record func(results.Sample)) (*follower, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, stream, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("completions: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("completions: %s answers %s", stream, resp.Status)
	}
	f := newFollower(record, resp.Body)
	go func() {
		defer close(f.ended)
		for lines := json.NewDecoder(resp.Body); ; {
			var c trigger.Completion
			if lines.Decode(&c) != nil {
				return
			}
			f.complete(c, results.Now())
		}
	}()
	return f, nil
}

// newFollower is a follower of a stream whose reader closes ended, as it does once body
// is closed.
func newFollower(record func(results.Sample), body io.Closer) *follower {
	return &follower{
		record: record, body: body, ids: map[uint64]string{}, pending: map[string]results.Sample{}, early: map[string]trigger.Completion{},
		moved: make(chan struct{}, 1), ended: make(chan struct{}), way: map[results.Start]map[string]*stats.Set{}, invocations: map[uint64]bool{},
	}
}

// answered notes what the endpoint calls a trigger.
func (f *follower) answered(seq uint64, h http.Header) {
	if id := cmp.Or(h.Get(trigger.TriggerHeader), h.Get("X-Amzn-Requestid")); id != "" {
		f.mu.Lock()
		f.ids[seq] = id
		f.mu.Unlock()
	}
}

// sample takes a trigger whose publishing has ended.
func (f *follower) sample(s results.Sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := f.ids[s.Seq]
	delete(f.ids, s.Seq)
	c, done := f.early[id]
	switch {
	case s.Outcome != results.OutcomeServed:
		f.keep(s)
	case id == "":
		f.unnamed++
		f.keep(s)
	case done:
		delete(f.early, id)
		f.end(s, c, results.Now())
	default:
		f.pending[id] = s
	}
}

// keep records a trigger that has ended.
func (f *follower) keep(s results.Sample) {
	if s.Sent != 0 && s.Status != 0 {
		f.latencies, f.last = append(f.latencies, s.Latency()), max(f.last, s.Done)
	}
	f.record(s)
}

// complete takes a completion. Of an event that is handled again, the first counts;
// others, and those of events that others publish, are kept until the storm's end.
func (f *follower) complete(c trigger.Completion, at results.Stamp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.pending[c.Trigger]
	if !ok {
		if _, met := f.early[c.Trigger]; !met {
			f.early[c.Trigger] = c
		}
		return
	}
	delete(f.pending, c.Trigger)
	f.end(s, c, at)
	select {
	case f.moved <- struct{}{}:
	default:
	}
}

// end records a trigger that is done with. at is when its completion came.
func (f *follower) end(s results.Sample, c trigger.Completion, at results.Stamp) {
	answered := s.Done
	s.Outcome, s.Done = c.Outcome, cmp.Or(c.Done, at)
	if s.Outcome != results.OutcomeServed {
		s.Reason = "event " + cmp.Or(c.Reason, string(c.Outcome))
	}
	evidence, err := results.ParseEvidence(c.Evidence)
	if err != nil {
		evidence = results.Evidence{Start: results.StartUnknown}
	}
	s.Evidence = f.once(evidence, s.Outcome == results.OutcomeServed)
	if c.Attempts > 1 {
		f.again++
	}
	// Accepted between the send and its answer, or by another machine's clock.
	if c.Publish < s.Sent || c.Publish > answered {
		f.elsewhere++
		s.Done, s.Phases, s.Moments, s.Received, s.Responded = at, results.Phases{}, results.Moments{}, 0, 0
		f.keep(s)
		return
	}
	s.Way = results.Way{Publish: c.Publish, Poll: c.Poll, Invoke: c.Invoke, Handler: c.Handler, Attempts: c.Attempts}
	if c.Invoke != 0 {
		s.Phases.Queue += c.Invoke.Sub(c.Publish) // it waited in its source
	}
	s.Phases.Transport = 0
	s.Phases.Transport = s.Total() - s.Phases.Sum()
	f.keep(s)
	if s.Outcome == results.OutcomeServed {
		f.part(s.Start, results.WayNames[0], c.Publish.Sub(s.Intended))
		for _, p := range c.Parts() {
			f.part(s.Start, p.Name, p.Took)
		}
	}
}

// once leaves what an invocation used to the first of its events, so that sums over
// events are sums over invocations; and why it was cold, and the moments of its start, to
// the first that was served, as those are what cold starts are counted by.
func (f *follower) once(e results.Evidence, served bool) results.Evidence {
	if e.Environment == "" {
		return e
	}
	i := maphash.Comparable(invocationSeed, invocation{e.Environment, e.Received})
	told, met := f.invocations[i]
	if met {
		e.Billed, e.CPU = 0, 0
	} else if e.Start == results.StartCold {
		f.coldStarts++
	}
	if told {
		e.Cause, e.Moments = "", results.Moments{}
	}
	f.invocations[i] = told || served
	return e
}

// wait returns when every event is done with, or none was for as long as patience, or ctx
// is at its end; what is left then is recorded as it stands.
func (f *follower) wait(ctx context.Context, patience time.Duration) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	why, outcome := "not done with in time", results.OutcomeTimedOut
	for f.left() > 0 {
		select {
		case <-f.moved:
			timer.Reset(patience)
			continue
		case <-timer.C:
		case <-f.ended:
			why, outcome = "completions ended", results.OutcomeFailed
		case <-ctx.Done():
			why, outcome = "stopped before the event was done with", results.OutcomeFailed
		}
		break
	}
	f.body.Close()
	<-f.ended
	for _, id := range slices.Sorted(maps.Keys(f.pending)) {
		s := f.pending[id]
		s.Outcome, s.Reason, s.Done = outcome, why, results.Now()
		f.record(s)
	}
}

func (f *follower) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pending)
}

// stream is the URL of completions.
func (o *stormOptions) stream(to string) (string, error) {
	u, err := url.Parse(o.completions)
	if o.completions == sameEndpoint {
		if u, err = url.Parse(to); err == nil {
			u = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/coldstorm/completions"}
		}
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", usageError("such as --completions=http://127.0.0.1:3001/coldstorm/completions; without a value, those of the URL's own endpoint", "--completions %q is no URL", o.completions)
	}
	return u.String(), nil
}
