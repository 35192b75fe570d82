package invoke

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// belt is a queue whose events move when a test says so.
type belt struct {
	invoke func(Event)

	mu     sync.Mutex
	events []Event
	waits  []time.Duration
}

func (b *belt) Put(e Event, after time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events, b.waits = append(b.events, e), append(b.waits, after)
	return nil
}

func (b *belt) Close() int { return 0 }

// step invokes the event that has waited longest, and returns how long it was to
// wait; false if there is none.
func (b *belt) step() (time.Duration, bool) {
	if len(b.events) == 0 {
		return 0, false
	}
	e, w := b.events[0], b.waits[0]
	b.events, b.waits = b.events[1:], b.waits[1:]
	b.invoke(e)
	return w, true
}

// run moves everything, and returns the waits.
func (b *belt) run() (waits []time.Duration) {
	for {
		w, ok := b.step()
		if !ok {
			return waits
		}
		waits = append(waits, w)
	}
}

// failing is an account with a function "f" that fails as often as its event
// says, and "sink", which keeps what it is given.
func failing(t *testing.T) (s *Service, b *belt, sunk *[]string) {
	b, sunk = &belt{}, new([]string)
	failed := 0
	s, _ = account(t, &workshop{behave: func(c live.Config, r live.Request) live.Result {
		if c.Name == "sink" {
			*sunk = append(*sunk, string(r.Payload))
			return live.Result{}
		}
		var times int
		json.Unmarshal(r.Payload, &times)
		if failed++; failed <= times {
			return live.Result{Outcome: results.OutcomeFailed, ErrorType: "Function.Odd", Payload: []byte(`{"errorType":"Function.Odd"}`)}
		}
		return live.Result{Payload: []byte(`"done"`)}
	}}, Config{Queue: func(invoke func(Event)) Queue { b.invoke = invoke; return b }})
	create(t, s, "f")
	create(t, s, "sink")
	return s, b, sunk
}

const invocations = "/2015-03-31/functions/f/invocations"

func send(t *testing.T, s *Service, event string) {
	t.Helper()
	if code, kind, _ := talk(t, s, "POST", invocations, event, "X-Amz-Invocation-Type", "Event"); code != 202 {
		t.Fatal(code, kind)
	}
}

func TestAnEventIsRetriedTwice(t *testing.T) {
	for failures, want := range map[string]string{"0": "[0s]", "1": "[0s 1m0s]", "2": "[0s 1m0s 2m0s]", "9": "[0s 1m0s 2m0s]"} {
		s, b, _ := failing(t)
		send(t, s, failures)
		same(t, "waits of an event that fails "+failures+" times", b.run(), want)
	}
}

func TestDestinationsGetARecord(t *testing.T) {
	for _, tt := range []struct{ failures, config, condition, response string }{
		{"9", `{"MaximumRetryAttempts":1,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:lambda:us-east-1:123456789012:function:sink"}}}`, "RetriesExhausted", "Function.Odd"},
		{"0", `{"DestinationConfig":{"OnSuccess":{"Destination":"arn:aws:lambda:us-east-1:123456789012:function:sink"}}}`, "Success", "done"},
	} {
		s, b, sunk := failing(t)
		if code, kind, _ := talk(t, s, "PUT", "/2019-09-25/functions/f/event-invoke-config", tt.config); code != 200 {
			t.Fatal(code, kind)
		}
		send(t, s, tt.failures)
		b.run()
		if len(*sunk) != 1 {
			t.Fatalf("%d records", len(*sunk))
		}
		var r struct {
			Version        string
			RequestContext struct {
				Condition, FunctionArn string
				ApproximateInvokeCount int
			}
			RequestPayload, ResponsePayload json.RawMessage
		}
		if err := json.Unmarshal([]byte((*sunk)[0]), &r); err != nil {
			t.Fatal(err)
		}
		if r.RequestContext.Condition != tt.condition || string(r.RequestPayload) != tt.failures || !strings.Contains(string(r.ResponsePayload), tt.response) ||
			r.RequestContext.FunctionArn != "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST" {
			t.Errorf("record %s", (*sunk)[0])
		}
	}
}

func TestAStoppedFunctionsEventGoesToItsDestinationAtOnce(t *testing.T) {
	s, b, sunk := failing(t)
	talk(t, s, "PUT", "/2017-10-31/functions/f/concurrency", `{"ReservedConcurrentExecutions":0}`)
	talk(t, s, "PUT", "/2019-09-25/functions/f/event-invoke-config", `{"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:lambda:us-east-1:123456789012:function:sink"}}}`)
	send(t, s, "0")
	same(t, "waits", b.run(), "[0s 0s]")
	if len(*sunk) != 1 || !strings.Contains((*sunk)[0], `"approximateInvokeCount":0`) {
		t.Errorf("sunk %v", *sunk)
	}
}

func TestAThrottledEventIsTriedUntilThereIsRoom(t *testing.T) {
	s, b, _ := failing(t)
	s.config.Async.Jitter = 0
	s.account = plane.NewAccount(plane.AccountRules{Concurrency: 1, Unreserved: -1})
	s.account.Admit("other", 0)
	send(t, s, "0")
	var waits []time.Duration
	for range 4 {
		w, _ := b.step()
		waits = append(waits, w)
	}
	s.account.Leave("other")
	waits = append(waits, b.run()...)
	same(t, "waits", waits, "[0s 1s 2s 4s 8s]")
}

func TestADeletedFunctionsEventIsDropped(t *testing.T) {
	s, b, _ := failing(t)
	send(t, s, "0")
	talk(t, s, "DELETE", "/2015-03-31/functions/f", "")
	same(t, "waits", b.run(), "[0s]")
}

func TestAnEventOfMoreThanAMegabyteIsRefused(t *testing.T) {
	s, _, _ := failing(t)
	code, kind, _ := talk(t, s, "POST", invocations, strings.Repeat("x", maxEvent+1), "X-Amz-Invocation-Type", "Event")
	same(t, "answer", words(code, kind), "413 RequestTooLargeException")
}

func TestEventsInMemory(t *testing.T) {
	done := make(chan string)
	q := NewMemoryQueue(func(e Event) { done <- e.Function })
	if err := q.Put(Event{Function: "now"}, 0); err != nil {
		t.Fatal(err)
	}
	same(t, "event", <-done, "now")
	for range 3 {
		if err := q.Put(Event{}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "events left", q.Close(), 3)
	if err := q.Put(Event{}, 0); err == nil {
		t.Error("a closed queue takes events")
	}
}
