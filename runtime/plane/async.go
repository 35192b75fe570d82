package plane

import "time"

// AsyncRules say what becomes of an event that was invoked asynchronously (AWS
// documentation: "Asynchronous invocation"). The zero value retries nothing;
// DefaultAsync is Lambda's.
type AsyncRules struct {
	Retries int           // after an error of the function
	MaxAge  time.Duration // of an event; it is given up then

	RetryDelay  time.Duration // before the first retry; each further one waits twice as long
	Backoff     time.Duration // before the first attempt after a throttle or an error of the service; doubles
	MaxBackoff  time.Duration // of those
	NoThrottled bool          // a throttled event isn't tried again: the function's reservation is 0
}

// DefaultAsync is what Lambda does without an event invoke configuration: two
// retries after one and two minutes, throttles from one second to five minutes
// apart, up to six hours.
func DefaultAsync() AsyncRules {
	return AsyncRules{
		Retries: 2, MaxAge: 6 * time.Hour, RetryDelay: time.Minute, Backoff: time.Second, MaxBackoff: 5 * time.Minute,
	}
}

// Attempts is how often an event was tried so far, by what came of it.
type Attempts struct {
	Failed    int // errors of the function
	Throttled int // in a row: throttles and errors of the service
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
	return r.within(age, min(r.Backoff<<min(a.Throttled-1, 20), r.MaxBackoff))
}

func (r AsyncRules) within(age, wait time.Duration) (time.Duration, Condition) {
	if age+wait > r.MaxAge {
		return 0, ConditionAge
	}
	return wait, ""
}
