package workloads

import (
	"fmt"
	"time"
)

// TriggerKind names a way by which triggers reach a function other than as a request
// that is answered when the function is done.
type TriggerKind string

// The kinds of triggers.
const (
	TriggerAsync    TriggerKind = "async"    // invocations of type Event
	TriggerQueue    TriggerKind = "queue"    // messages of a queue that an event source mapping polls
	TriggerBucket   TriggerKind = "bucket"   // objects created in a folder
	TriggerSchedule TriggerKind = "schedule" // a rule that is due
)

// TriggerKinds lists every TriggerKind.
var TriggerKinds = []TriggerKind{TriggerAsync, TriggerQueue, TriggerBucket, TriggerSchedule}

// Trigger is how the triggers of a storm reach the function. The zero value is a request
// each. Of a kind only what belongs to it is set.
type Trigger struct {
	Kind TriggerKind

	Batch       int           // queue: messages of an invocation at most; 10 by default
	Window      time.Duration // queue: how long a batch is gathered
	Concurrency int           // queue: invocations at once; 0: Lambda's 1,250
	Visibility  time.Duration // queue: how long a message that was received is hidden; 0: six times the function's timeout, and the window
	Partial     bool          // queue: the function reports which messages of a batch failed

	Retries    int           // all others: after an error of the function; 2 by default
	RetryDelay time.Duration // all others: before the first retry, the second waits twice as long; a minute by default
	Jitter     float64       // all others: how wide the wait after a throttle is drawn about its mean, 0..1; 1 by default (assumed: AWS publishes none)
	MaxAge     time.Duration // all others: after which an event is given up; 6 hours by default
}

// Direct reports whether each trigger is a request that is answered when the function is
// done.
func (t Trigger) Direct() bool { return t.Kind == "" }

// Wrapped reports whether the function gets a payload within an event of its source, and
// not as it is.
func (t Trigger) Wrapped() bool { return !t.Direct() && t.Kind != TriggerAsync }

// String says it in words.
func (t Trigger) String() string {
	switch t.Kind {
	case "":
		return "request"
	case TriggerQueue:
		s := fmt.Sprintf("queue, batches of up to %d", t.Batch)
		if t.Window > 0 {
			s += " gathered for " + short(t.Window)
		}
		if t.Concurrency > 0 {
			s += fmt.Sprintf(", %d invocations at once", t.Concurrency)
		}
		return s
	}
	if t.Retries == 0 {
		return string(t.Kind) + ", no retries"
	}
	if t.Retries == 1 {
		return fmt.Sprintf("%s, a retry after %s", t.Kind, short(t.RetryDelay))
	}
	return fmt.Sprintf("%s, retries after %s and %s", t.Kind, short(t.RetryDelay), short(2*t.RetryDelay))
}
