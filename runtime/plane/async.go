package plane

import (
	"math/rand/v2"
	"time"
)

// AsyncRules say what becomes of an event that was invoked asynchronously (AWS
// documentation: "Asynchronous invocation"). The zero value retries nothing;
// DefaultAsync is Lambda's.
type AsyncRules struct {
	Retries int           // after an error of the function
	MaxAge  time.Duration // of an event; it is given up then

	RetryDelay time.Duration // before the first retry; each further one waits twice as long
	Backoff    time.Duration // before the first attempt after a throttle or an error of the service; doubles
	MaxBackoff time.Duration // of those
	// Jitter is how wide about those each wait is drawn, in shares of it: 1 is from half to
	// one and a half times as long, 0 not at all. The draws follow from Seed and the event's
	// number, so that one event waits the same on either clock.
	Jitter      float64
	Seed        int64
	NoThrottled bool // a throttled event isn't tried again: the function's reservation is 0
}

// DefaultAsync is what Lambda does without an event invoke configuration: two
// retries after one and two minutes, throttles from one second to five minutes
// apart, up to six hours. AWS publishes the range of the back-off, and no jitter: that of
// DefaultJitter is assumed, as events that were throttled together would come back together
// without any.
func DefaultAsync() AsyncRules {
	return AsyncRules{
		Retries: 2, MaxAge: 6 * time.Hour, RetryDelay: time.Minute, Backoff: time.Second, MaxBackoff: 5 * time.Minute, Jitter: DefaultJitter,
	}
}

// DefaultJitter is assumed: it spreads what was throttled at once evenly up to when the
// next wait, twice as long, would begin, and keeps the mean wait that is published.
const DefaultJitter = 1.0

// Attempts is how often an event was tried so far, by what came of it.
type Attempts struct {
	Event     uint64 // the event's number, of which its jitter is drawn
	Failed    int    // errors of the function
	Throttled int    // in a row: throttles and errors of the service
}

// Condition says why an event is done with, in the words of Lambda's destination
// records.
type Condition string

// The conditions of an event's end.
const (
	ConditionSuccess   Condition = "Success"
	ConditionExhausted Condition = "RetriesExhausted"
	ConditionAge       Condition = "EventAgeExceeded"
)

// AfterFailure is what follows an error of the function: a further attempt after
// wait, or an end by a condition that isn't empty. Age is the event's.
func (r AsyncRules) AfterFailure(a Attempts, age time.Duration) (wait time.Duration, end Condition) {
	if a.Failed > r.Retries {
		return 0, ConditionExhausted
	}
	return r.within(age, r.RetryDelay<<min(a.Failed-1, 20))
}

// AfterThrottle is AfterFailure for an event that did not reach the function.
func (r AsyncRules) AfterThrottle(a Attempts, age time.Duration) (wait time.Duration, end Condition) {
	if r.NoThrottled {
		return 0, ConditionExhausted
	}
	wait = min(r.Backoff<<min(a.Throttled-1, 20), r.MaxBackoff)
	return r.within(age, min(r.jittered(wait, a), r.MaxBackoff))
}

// jittered draws a wait about the one that is due.
func (r AsyncRules) jittered(wait time.Duration, a Attempts) time.Duration {
	if r.Jitter <= 0 {
		return wait
	}
	draw := rand.NewPCG(uint64(r.Seed), a.Event<<8^uint64(a.Throttled)).Uint64()
	u := float64(draw>>11) / (1 << 53) // [0, 1)
	return time.Duration(float64(wait) * (1 + r.Jitter*(u-0.5)))
}

func (r AsyncRules) within(age, wait time.Duration) (time.Duration, Condition) {
	if age+wait > r.MaxAge {
		return 0, ConditionAge
	}
	return wait, ""
}
