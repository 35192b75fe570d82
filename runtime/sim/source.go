package sim

import (
	"fmt"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// Source is the event source by which the triggers of a storm come. Its rules are those
// that a run has on this host, in virtual time: plane.Queue and plane.Poller of a message
// queue, plane.AsyncRules of all others.
//
// Latencies are then from when an event is published to when its handler is done. What AWS
// takes to hand an event on, which it does not publish, is left out, and so is what a
// function fails but for its timeout. A batch takes as long as its messages do one after
// the other.
type Source struct {
	Poller     *plane.PollerRules // of a message queue; nil: events are invoked asynchronously
	Visibility time.Duration      // of the queue; 0: what AWS advises
	Async      plane.AsyncRules
}

// Sourced says whether a model can be simulated under events, and if not, why.
func Sourced(m workloads.Model) (ok bool, reason string) {
	switch m {
	case workloads.ModelLambda, workloads.ModelLambdaProvisioned, workloads.ModelLambdaSnapStart:
		return true, ""
	}
	return false, "event sources invoke Lambda; another service needs a consumer of its own"
}

// event is one that was published.
type event struct {
	arrived, polled int64
	attempts        plane.Attempts
	ended           bool
}

// handed is the events of one invocation, under way or to be tried again.
type handed struct {
	events    []int
	parcels   plane.Batch // of a queue
	received  int64       // from the queue
	invoked   int64       // handed to the function, the last time
	throttled int
}

// front is an event source in virtual time: it stands between arrivals and a plane.
type front struct {
	m       *machine
	source  Source
	timeout time.Duration
	events  []event
	under   map[plane.Trigger]*handed
	again   later // batches that wait for their next try
	wake    int64 // or never

	queue  *plane.Queue
	poller *plane.Poller

	invocations, colds int
	way                [startKinds][]tally
}

func newFront(m *machine, s Source, timeout time.Duration) *front {
	f := &front{m: m, source: s, timeout: timeout, under: map[plane.Trigger]*handed{}, wake: never}
	if s.Poller != nil {
		if f.source.Visibility == 0 {
			f.source.Visibility = plane.AdvisedVisibility(timeout, s.Poller.Window)
		}
		f.queue = plane.NewQueue(plane.QueueRules{Visibility: f.source.Visibility})
		f.poller = plane.NewPoller(*s.Poller)
	}
	for i := range f.way {
		f.way[i] = make([]tally, len(results.WayNames))
	}
	return f
}

// next is when the source has something to do, or never. Of no source it is never.
func (f *front) next() int64 {
	if f == nil {
		return never
	}
	return min(f.wake, f.again.next())
}

// publish takes an event in.
func (f *front) publish() {
	n := len(f.events)
	f.events = append(f.events, event{arrived: f.m.now, attempts: plane.Attempts{Event: uint64(n + 1)}})
	f.m.book.arrived(f.m.now)
	if f.queue == nil {
		f.events[n].polled = f.m.now
		f.invoke(&handed{events: []int{n}})
		return
	}
	f.queue.Send(time.Duration(f.m.now), -1)
	f.step()
}

// tick does what is due.
func (f *front) tick() {
	for f.again.next() <= f.m.now {
		f.invoke(f.again.pop())
	}
	if f.queue != nil && f.wake <= f.m.now {
		f.step()
	}
}

// idle is how long pollers sleep at most: so that they go away when there is nothing to do.
const idle = int64(time.Minute)

// step receives what there is room for, and invokes what is due.
func (f *front) step() {
	at := time.Duration(f.m.now)
	f.poller.Observe(at, f.queue.Counts(at).Visible)
	got, _, _ := f.queue.Receive(at, f.poller.Room(), -1)
	parcels := make([]plane.Parcel, len(got))
	for i, d := range got {
		parcels[i].Delivery = d
		if e := &f.events[d.Message-1]; !e.ended {
			e.polled = f.m.now
		}
	}
	for _, ready := range f.poller.Take(at, parcels) {
		b := &handed{parcels: ready, received: f.m.now}
		for _, p := range ready {
			b.events = append(b.events, int(p.Message-1))
			b.received = min(b.received, f.events[p.Message-1].polled)
		}
		f.invoke(b)
	}
	f.poller.Observe(at, f.queue.Counts(at).Visible)
	f.wake = f.m.now + idle
	if hidden, ok := f.queue.Next(at); ok && f.poller.Room() > 0 {
		f.wake = min(f.wake, int64(hidden))
	}
	if due, ok := f.poller.Next(); ok {
		f.wake = min(f.wake, int64(due))
	}
	f.wake = max(f.wake, f.m.now+1)
}

// invoke hands a batch to the function.
func (f *front) invoke(b *handed) {
	b.invoked = f.m.now
	t := f.m.triggers.add(f.m.now)
	f.under[t] = b
	f.m.handle(plane.Event{Kind: plane.Arrive, Trigger: t})
}

// size is how many events a trigger is; 1 without a source.
func (f *front) size(id plane.Trigger) int {
	if f == nil {
		return 1
	}
	return len(f.under[id].events)
}

// served takes the end of an invocation in.
func (f *front) served(id plane.Trigger, t *trigger) {
	b := f.ran(id, t)
	for _, n := range b.events {
		f.end(n, func(e *event) {
			f.m.book.served(n, &trigger{arrived: e.arrived, start: t.start, service: t.service}, f.m.now)
			handler := f.m.now - t.service
			last := e.arrived
			for i, at := range []int64{e.arrived, e.polled, b.invoked, handler, f.m.now} {
				f.way[t.start][i].add(at - last)
				last = at
			}
		})
	}
	for _, p := range b.parcels {
		f.queue.Delete(p.Message, p.Receives)
	}
	f.done(true)
}

// ran counts an invocation that reached the function.
func (f *front) ran(id plane.Trigger, t *trigger) *handed {
	b := f.under[id]
	delete(f.under, id)
	f.m.book.bill.invocation(t)
	f.invocations++
	if t.start != startWarm && t.start != startProvisioned {
		f.colds++
	}
	return b
}

// timedOut takes an invocation in that was over the function's timeout. A message counts as
// such at once, as in a run, and comes again when it is visible; another event is retried
// first.
func (f *front) timedOut(id plane.Trigger, t *trigger, reason string) {
	b := f.ran(id, t)
	end := func(n int) {
		f.end(n, func(e *event) {
			f.m.book.timedOut(n, &trigger{arrived: e.arrived, start: t.start, service: t.service}, reason, f.m.now)
		})
	}
	if f.queue != nil {
		for _, n := range b.events {
			end(n)
		}
		f.done(false)
		return
	}
	n := b.events[0]
	e := &f.events[n]
	e.attempts.Failed++
	e.attempts.Throttled = 0
	wait, over := f.source.Async.AfterFailure(e.attempts, time.Duration(f.m.now-e.arrived))
	if over != "" {
		if over == plane.ConditionAge {
			reason = string(over)
		}
		end(n)
		return
	}
	f.again.push(f.m.now+int64(wait), b)
}

// refused takes a batch in for which the function had no room.
func (f *front) refused(id plane.Trigger, reason plane.Reason) {
	b := f.under[id]
	delete(f.under, id)
	if f.queue != nil {
		b.throttled++
		wait, again := f.poller.AfterThrottle(b.throttled, time.Duration(f.m.now), time.Duration(b.received), f.source.Visibility)
		if !again { // it is left to the queue
			f.done(false)
			return
		}
		f.again.push(f.m.now+int64(wait), b)
		return
	}
	n := b.events[0]
	e := &f.events[n]
	e.attempts.Throttled++
	wait, over := f.source.Async.AfterThrottle(e.attempts, time.Duration(f.m.now-e.arrived))
	if over != "" {
		if over == plane.ConditionAge {
			reason = plane.Reason(over)
		}
		f.end(n, func(e *event) { f.m.book.refused(n, &trigger{arrived: e.arrived}, reason, f.m.now) })
		return
	}
	f.again.push(f.m.now+int64(wait), b)
}

// end tells what became of an event, once.
func (f *front) end(n int, tell func(*event)) {
	if e := &f.events[n]; !e.ended {
		e.ended = true
		tell(e)
	}
}

// done frees a batch's poller, which looks again after what is happening now.
func (f *front) done(well bool) {
	if f.poller != nil {
		f.poller.Done(well)
		f.wake = f.m.now
	}
}

// parts are the way of the events, by the kind of start; without what took no event as
// long as a histogram can tell.
func (f *front) parts() (all []results.WayPart) {
	for start := range f.way {
		for i := range f.way[start] {
			t := &f.way[start][i]
			if t.n == 0 {
				continue
			}
			if q := stats.FromHistogram(t.histogram()); int64(q.Max) >= shortest {
				all = append(all, results.WayPart{Start: startNames[start], Part: results.WayNames[i], Time: q})
			}
		}
	}
	return all
}

// Words say what the events of a storm were simulated by.
func (s Source) Words() string {
	by := "asynchronously, with retries and back-off"
	if s.Poller != nil {
		by = fmt.Sprintf("by pollers of a queue, in batches of up to %d, each of which takes as long as its messages one after the other", s.Poller.BatchSize)
	}
	return "projected as events that are invoked " + by + ", without AWS's own delays between, which it does not publish, and the price of the source"
}
