package trigger

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// functions are fakes: each event is handled by behave, at once.
type functions struct {
	behave  func(function string, event []byte) live.Result // nil: served, with nothing
	timeout time.Duration                                   // 0: 3 s

	mu     sync.Mutex
	events []string // in the order in which they came
}

var errNone = errors.New("no such function")

func (f *functions) Timeout(function string) (time.Duration, error) {
	if function == "none" {
		return 0, errNone
	}
	if f.timeout > 0 {
		return f.timeout, nil
	}
	return 3 * time.Second, nil
}

func (f *functions) Invoke(function string, r live.Request, answer func(live.Result)) error {
	f.mu.Lock()
	f.events = append(f.events, string(r.Payload))
	f.mu.Unlock()
	received := results.Now()
	res := live.Result{}
	if f.behave != nil {
		res = f.behave(function, r.Payload)
	}
	if res.Outcome == "" {
		res.Outcome = results.OutcomeServed
	}
	res.RequestID = r.ID
	res.Evidence.Received, res.Evidence.Responded = received, results.Now()
	res.Evidence.Start, res.Evidence.Environment = results.StartWarm, "e"
	answer(res)
	return nil
}

func (f *functions) Enqueue(function string, r live.Request, done func(live.Result, results.Stamp, int)) error {
	taken := results.Now()
	return f.Invoke(function, r, func(res live.Result) { done(res, taken, 1) })
}

// last is the event that came last, and how many there were.
func (f *functions) last(t *testing.T) (event string, n int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) == 0 {
		t.Fatal("no event came")
	}
	return f.events[len(f.events)-1], len(f.events)
}

// sources are those of a test, ended with it.
func sources(t testing.TB, f *functions) *Sources {
	t.Helper()
	s := New(Config{URL: "http://localhost", Say: func(format string, args ...any) { t.Logf(format, args...) }})
	s.Connect(f)
	t.Cleanup(func() { end(s) })
	return s
}

// end is to be called within the bubble that a test runs in, before it ends.
func end(s *Sources) {
	s.Stop()
	s.Wait()
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func add(t testing.TB, s *Sources, x Source) {
	t.Helper()
	if err := s.Add(x); err != nil {
		t.Fatal(err)
	}
}
