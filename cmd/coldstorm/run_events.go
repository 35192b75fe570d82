package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/trigger"
	"coldstorm/workloads"
)

// A storm may come by an event source: its triggers are published as they are due, and
// each ends when its handler is done. What tries the function or makes environments ready
// before it is a request with the event that the source would make.

// sourceName is what the one source of a storm is called.
const sourceName = "storm"

// source is the event source of a storm; none of asynchronous invocations.
func (l *liveTarget) source(t workloads.Trigger) trigger.Source {
	function := l.scenario.Function.Name
	switch t.Kind {
	case workloads.TriggerQueue:
		return trigger.Source{Queue: &trigger.Queue{
			Name: sourceName, Function: function, Visibility: t.Visibility, Partial: t.Partial,
			Rules: pollerRules(t),
		}}
	case workloads.TriggerBucket:
		return trigger.Source{Bucket: &trigger.Bucket{Name: sourceName, Folder: l.objects(), Function: function}}
	case workloads.TriggerSchedule:
		return trigger.Source{Schedule: &trigger.Schedule{Name: sourceName, Function: function, Expression: "rate(365 days)"}} // due when it is published
	}
	return trigger.Source{}
}

// objects is the folder of a storm's objects.
func (l *liveTarget) objects() string { return filepath.Join(l.work, "objects") }

// events are what the payloads of a storm are to its function.
func (l *liveTarget) events(st workloads.Storm) []drive.Payload {
	all := fired(chosen(l.payloads, st.Payloads))
	if !st.Trigger.Wrapped() {
		return all
	}
	source := l.source(st.Trigger)
	if st.Trigger.Kind == workloads.TriggerSchedule {
		return []drive.Payload{{Name: string(st.Trigger.Kind), Body: source.Event(nil)}}
	}
	for i := range all {
		all[i].Body = source.Event(all[i].Body)
	}
	return all
}

// attach makes the event source of a storm, if it has one, until detach is called. Once
// ctx has ended, the engine's own end is that of the source: it waits for no handler.
func (l *liveTarget) attach(ctx context.Context, st workloads.Storm) (detach func() error, err error) {
	t := st.Trigger
	if t.Direct() {
		return func() error { return nil }, nil
	}
	events := engine.Events{Async: asyncRules(t, l.scenario.Seed)}
	if t.Wrapped() {
		events.Sources = []trigger.Source{l.source(t)}
	}
	if t.Kind == workloads.TriggerBucket {
		if err := os.Mkdir(l.objects(), 0o700); err != nil {
			return nil, fmt.Errorf("storm %s: %w", st.Name, err)
		}
	}
	if err := l.engine.Attach(events); err != nil {
		return nil, fmt.Errorf("storm %s: %w", st.Name, err)
	}
	return func() error {
		if ctx.Err() != nil {
			return nil
		}
		defer os.RemoveAll(l.objects())
		return l.engine.Detach()
	}, nil
}

// asyncRules are those of a storm's events; seed is the scenario's.
func asyncRules(t workloads.Trigger, seed int64) plane.AsyncRules {
	r := plane.DefaultAsync()
	r.Retries, r.RetryDelay, r.MaxAge, r.Jitter, r.Seed = t.Retries, t.RetryDelay, t.MaxAge, t.Jitter, seed
	return r
}

// publish has an attack publish its triggers to the storm's source, and follows them to
// their ends.
func (l *liveTarget) publish(ctx context.Context, st workloads.Storm, a *drive.Attack, record func(results.Sample)) (*follower, error) {
	switch st.Trigger.Kind {
	case workloads.TriggerAsync:
		a.Header = http.Header{"X-Amz-Invocation-Type": {"Event"}}
	case workloads.TriggerSchedule:
		a.Payloads = nil
		fallthrough
	default:
		a.URL = l.engine.URL() + "/coldstorm/publish/" + sourceName
	}
	f, err := follow(context.WithoutCancel(ctx), l.engine.URL()+"/coldstorm/completions", record)
	if err != nil {
		return nil, fmt.Errorf("storm %s: %w", st.Name, err)
	}
	a.Answered = f.answered
	return f, nil
}

// patienceSpare is how long no event of a storm may end beyond what its source explains.
const patienceSpare = 10 * time.Second

// patience is how long it can take until the next event of a source ends.
func patience(t workloads.Trigger, timeout time.Duration) time.Duration {
	if t.Kind == workloads.TriggerQueue { // a message that was throttled comes back when it is visible again
		return cmp.Or(t.Visibility, plane.AdvisedVisibility(timeout, t.Window)) + t.Window + timeout + patienceSpare
	}
	retry := t.RetryDelay << max(0, t.Retries-1)
	return max(retry, plane.DefaultAsync().MaxBackoff) + timeout + patienceSpare
}

// judgeEvents notes what a reader must know of a storm by an event source.
func (l *liveTarget) judgeEvents(m measured, f *follower) {
	text := fmt.Sprintf("its triggers come as events (%s), each of which ends when its handler is done", m.Trigger)
	if n := m.Counts.Offered - m.Counts.Unsent; m.Invocations > 0 && m.Invocations < m.Counts.Served { // some shared one
		text += fmt.Sprintf("; %s events were handled in %s invocations, and starts, phases and service times are, for each event, those of its invocation", thousands(n), thousands(m.Invocations))
	}
	l.note(results.LevelInfo, m.Name, "%s", text)
	if f.again > 0 {
		l.note(results.LevelWarn, m.Name, "%d events were handed to the function more than once: their latency holds the retries, and their start, phases and billed time are of the last attempt", f.again)
	}
}
