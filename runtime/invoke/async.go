package invoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// maxEvent bounds an asynchronous event in bytes (AWS Lambda quotas; 256 KB
// until October 2025).
const maxEvent = 1 << 20

// Event is one asynchronous invocation under way.
type Event struct {
	Function  string // name
	Qualifier string
	Request   live.Request
	Arrived   time.Time
	Attempts  plane.Attempts
	Invoked   int           // attempts that reached the function
	Taken     results.Stamp // when the first attempt began; 0 before

	// Ended is called when nothing more is tried, with the last attempt's result;
	// nil: Config's is. A Queue that outlives its process loses it.
	Ended func(Event, live.Result)
}

// A Queue keeps asynchronous events until they are to be invoked.
type Queue interface {
	// Put has an event invoked after a time. The error says that there is no room.
	Put(e Event, after time.Duration) error
	// Close ends all, and returns how many events were still waiting.
	Close() int
}

// NewQueue makes a queue that hands its events to invoke, each on a goroutine of
// its own.
type NewQueue func(invoke func(Event)) Queue

// maxQueued bounds the events that wait in memory.
const maxQueued = 100_000

// errQueueFull says that too many events wait.
var errQueueFull = errors.New("the queue of asynchronous events is full")

// memoryQueue is a Queue that doesn't outlive its process.
type memoryQueue struct {
	invoke func(Event)

	mu      sync.Mutex
	waiting map[*time.Timer]struct{}
	closed  bool
}

// NewMemoryQueue is a NewQueue of a queue in memory.
func NewMemoryQueue(invoke func(Event)) Queue {
	return &memoryQueue{invoke: invoke, waiting: map[*time.Timer]struct{}{}}
}

var _ Queue = (*memoryQueue)(nil)

func (q *memoryQueue) Put(e Event, after time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.waiting) >= maxQueued {
		return errQueueFull
	}
	var t *time.Timer
	t = time.AfterFunc(after, func() {
		q.mu.Lock()
		_, mine := q.waiting[t]
		delete(q.waiting, t)
		q.mu.Unlock()
		if mine {
			q.invoke(e)
		}
	})
	q.waiting[t] = struct{}{}
	return nil
}

func (q *memoryQueue) Close() int {
	q.mu.Lock()
	q.closed = true
	lost := len(q.waiting)
	for t := range q.waiting {
		t.Stop()
	}
	clear(q.waiting)
	q.mu.Unlock()
	return lost
}

// An intake takes asynchronous events into a queue, and numbers them.
type intake struct {
	queue  Queue
	events atomic.Uint64 // so far
}

// put takes an event in.
func (i *intake) put(e Event) error {
	e.Arrived, e.Attempts.Event = time.Now(), i.events.Add(1)
	return i.queue.Put(e, 0)
}

// enqueue takes an event in for a function that is there.
func (s *Service) enqueue(w http.ResponseWriter, t target, req live.Request) {
	if len(req.Payload) > maxEvent {
		tooLarge("InvokeFunction", maxEvent).write(w)
		return
	}
	req.ID, req.Tail = newID(), false
	w.Header()["X-Amzn-Requestid"] = []string{req.ID}
	if err := s.put(Event{Function: t.name, Qualifier: t.qualifier, Request: req}); err != nil {
		asServiceError(err).write(w)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// attempt invokes an event once, and sees to what follows.
func (s *Service) attempt(e Event) {
	if e.Taken == 0 {
		e.Taken = results.Now()
	}
	t := target{e.Function, e.Qualifier}
	r, no := s.find(t)
	if no != nil && no.status == http.StatusNotFound {
		s.config.Say("asynchronous event %s: %v", e.Request.ID, no)
		s.ended(e, live.Result{RequestID: e.Request.ID, Outcome: results.OutcomeFailed, Reason: no.name})
		return
	}
	if no != nil {
		s.after(e, live.Result{Outcome: results.OutcomeThrottled, Reason: no.name}, latestVersion)
		return
	}
	req := e.Request
	req.Received = 0
	r.serve(req, func(res live.Result) { s.after(e, res, r.version[0]) })
}

// next counts an attempt in, and says what follows it: a further one after a time, or an
// end by a condition that isn't empty. Of an event that is too old, that is the reason.
func (e *Event) next(rules plane.AsyncRules, res *live.Result) (wait time.Duration, end plane.Condition) {
	age := time.Since(e.Arrived)
	switch res.Outcome {
	case results.OutcomeServed:
		e.Invoked++
		return 0, plane.ConditionSuccess
	case results.OutcomeThrottled:
		e.Attempts.Throttled++
		wait, end = rules.AfterThrottle(e.Attempts, age)
	default:
		e.Invoked++
		e.Attempts.Failed++
		e.Attempts.Throttled = 0
		wait, end = rules.AfterFailure(e.Attempts, age)
	}
	if end == plane.ConditionAge {
		res.Reason = string(end)
	}
	return wait, end
}

// after decides what follows an attempt.
func (s *Service) after(e Event, res live.Result, version string) {
	rules, to, letter := s.eventRules(e)
	wait, end := e.next(rules, &res)
	switch end {
	case "":
		if err := s.queue.Put(e, wait); err != nil {
			s.config.Say("asynchronous event %s is lost: %v", e.Request.ID, err)
			s.ended(e, res)
		}
		return
	case plane.ConditionSuccess:
		s.deliver(to.OnSuccess.Destination, e, record(e, res, version, end), nil)
		s.ended(e, res)
		return
	}
	s.deliver(to.OnFailure.Destination, e, record(e, res, version, end), nil)
	s.deliver(letter, e, e.Request.Payload, letterAttributes(e, res, end))
	s.ended(e, res)
	if to.OnFailure.Destination == "" && letter == "" {
		s.config.Say("asynchronous event %s for %s is given up: %s", e.Request.ID, e.Function, end)
	}
}

// eventRules are what the event's function says of asynchronous invocations:
// rules, destinations and a dead-letter queue.
func (s *Service) eventRules(e Event) (plane.AsyncRules, destinations, string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.config.Async
	f := s.functions[e.Function]
	if f == nil {
		return r, destinations{}, ""
	}
	c := f.events[target{qualifier: e.Qualifier}.key()]
	if c == nil {
		c = &EventInvokeConfig{}
	}
	r = c.rules(r)
	n, own := s.reserved(e.Function)
	r.NoThrottled = own && n == 0
	letter := ""
	if v := f.resolve(e.Qualifier); v != nil && v.config.DeadLetterConfig != nil {
		letter = v.config.DeadLetterConfig.TargetArn
	}
	return r, c.DestinationConfig, letter
}

// deliver sends what became of an event to its destination: a function of this
// account, or what Config.Destinations takes.
func (s *Service) deliver(to string, e Event, payload []byte, attributes map[string]string) {
	if to == "" {
		return
	}
	if !strings.Contains(to, ":function:") {
		if d := s.config.Destinations; d != nil {
			if err := d.Deliver(to, payload, attributes); err != nil {
				s.config.Say("asynchronous event %s: destination %s: %v: %s", e.Request.ID, to, err, payload)
			}
			return
		}
		s.config.Say("asynchronous event %s: destination %s is no function, and nothing else is built: %s", e.Request.ID, to, payload)
		return
	}
	t, no := parseTarget(to, "")
	if no != nil {
		s.config.Say("asynchronous event %s: destination %s: %v", e.Request.ID, to, no)
		return
	}
	err := s.put(Event{Function: t.name, Qualifier: t.qualifier, Request: live.Request{ID: newID(), Payload: payload}})
	if err != nil {
		s.config.Say("asynchronous event %s: destination %s: %v", e.Request.ID, to, err)
	}
}

// record is what a destination gets (AWS documentation: "Asynchronous
// invocation", destinations).
func record(e Event, res live.Result, version string, why plane.Condition) []byte {
	type object map[string]any
	r := object{
		"version": "1.0", "timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		"requestContext": object{
			"requestId": e.Request.ID, "functionArn": target{e.Function, version}.arn(),
			"condition": why, "approximateInvokeCount": e.Invoked,
		},
		"requestPayload": asJSON(e.Request.Payload),
	}
	if e.Invoked > 0 {
		context := object{"statusCode": http.StatusOK, "executedVersion": version}
		if res.Outcome != results.OutcomeServed {
			context["functionError"] = unhandled
		}
		r["responseContext"], r["responsePayload"] = context, asJSON(res.Payload)
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // what could fail was checked
	}
	return b
}

// asJSON is b as it is, if it is JSON, or as a text.
func asJSON(b []byte) json.RawMessage {
	if len(bytes.TrimSpace(b)) > 0 && json.Valid(b) {
		return b
	}
	text, err := json.Marshal(string(b))
	if err != nil {
		panic(err) // a string always marshals
	}
	return text
}
