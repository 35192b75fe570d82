package invoke

import (
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// What event sources do with functions (runtime/trigger). A function is named by
// its name or its ARN, with a qualifier perhaps.

// Invoke has a function handle an event, and calls answer once, before it returns.
// The error says that the function is not there, or can't be invoked yet.
func (s *Service) Invoke(function string, r live.Request, answer func(live.Result)) error {
	t, no := parseTarget(function, "")
	if no != nil {
		return no
	}
	ride, no := s.find(t)
	if no != nil {
		return no
	}
	ride.serve(r, answer)
	return nil
}

// Enqueue has a function handle an event asynchronously, of whatever size, and
// calls done once when nothing more is tried: with the last attempt's result, when
// the first began, and how many reached the function. The error says that there is
// no such function, or no room.
func (s *Service) Enqueue(function string, r live.Request, done func(r live.Result, taken results.Stamp, attempts int)) error {
	t, no := parseTarget(function, "")
	if no != nil {
		return no
	}
	if r.ID == "" {
		r.ID = newID()
	}
	ended := func(e Event, r live.Result) { done(r, e.Taken, e.Invoked) }
	return s.put(Event{Function: t.name, Qualifier: t.qualifier, Request: r, Ended: ended})
}

// Timeout is how long an invocation of a function may take. The error says that
// there is none.
func (s *Service) Timeout(function string) (time.Duration, error) {
	t, no := parseTarget(function, "")
	if no != nil {
		return 0, no
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if f := s.functions[t.name]; f != nil {
		if v := f.resolve(t.qualifier); v != nil {
			return time.Duration(v.config.Timeout) * time.Second, nil
		}
	}
	return 0, t.notFound()
}

// Destinations take what became of asynchronous events, beside functions.
type Destinations interface {
	// Deliver sends a record, or an event with its attributes, to what an ARN names.
	Deliver(arn string, body []byte, attributes map[string]string) error
}

// ended tells who wants to know that nothing more is tried.
func (s *Service) ended(e Event, res live.Result) {
	switch {
	case e.Ended != nil:
		e.Ended(e, res)
	case s.config.Ended != nil:
		s.config.Ended(e, res)
	}
}

// letterAttributes are those of an event in a dead-letter queue (AWS
// documentation: "Adding a dead-letter queue").
func letterAttributes(e Event, res live.Result, why plane.Condition) map[string]string {
	code := "200" // an error of the function
	if res.Outcome == results.OutcomeThrottled {
		code = "429"
	}
	text := string(res.Payload)
	if text == "" {
		text = string(why)
	}
	return map[string]string{"RequestID": e.Request.ID, "ErrorCode": code, "ErrorMessage": text[:min(len(text), 1024)]}
}
