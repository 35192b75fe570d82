package invoke

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// outcomes is a function whose invocations end one after the other as listed, and are
// served after that.
type outcomes []results.Outcome

func (o *outcomes) Serve(r live.Request, answer func(live.Result)) {
	out := results.OutcomeServed
	if len(*o) > 0 {
		out, *o = (*o)[0], (*o)[1:]
	}
	answer(live.Result{RequestID: r.ID, Outcome: out, Reason: map[bool]string{true: "Odd"}[out == results.OutcomeFailed]})
}

func TestDeferredEventsFollowTheRulesOfAnAccount(t *testing.T) {
	fail, refuse := results.OutcomeFailed, results.OutcomeThrottled
	for _, c := range []struct {
		name     string
		function outcomes
		outcome  results.Outcome
		reason   string
		attempts int
		took     time.Duration
	}{
		{"served at once", nil, results.OutcomeServed, "", 1, 0},
		{"served by the last retry", outcomes{fail, fail}, results.OutcomeServed, "", 3, 3 * time.Minute},
		{"given up", outcomes{fail, fail, fail}, results.OutcomeFailed, "Odd", 3, 3 * time.Minute},
		{"refused twice", outcomes{refuse, refuse}, results.OutcomeServed, "", 1, 3 * time.Second},
		{"too old", outcomes{refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse}, refuse, "EventAgeExceeded", 0, 255 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rules := plane.DefaultAsync()
				rules.MaxAge, rules.Jitter = 5*time.Minute, 0
				ended := 0
				began := time.Now()
				done := func(id string, r live.Result, attempts int) {
					ended++
					if took := time.Since(began); r.Outcome != c.outcome || r.Reason != c.reason || attempts != c.attempts || took != c.took || id == "" {
						t.Errorf("%s %q after %d attempts and %v, want %s %q after %d and %v", r.Outcome, r.Reason, attempts, took, c.outcome, c.reason, c.attempts, c.took)
					}
				}
				function := c.function
				d := NewDeferred(DeferredConfig{
					Lookup: func(string) Function { return &function }, Rules: rules,
					Ended: func(e Event, r live.Result) { done(e.Request.ID, r, e.Invoked) },
				})
				w := httptest.NewRecorder()
				r := httptest.NewRequest("POST", "/2015-03-31/functions/f/invocations", strings.NewReader("1"))
				r.Header.Set("X-Amz-Invocation-Type", "Event")
				Handler{Lookup: d.config.Lookup, Deferred: d}.ServeHTTP(w, r)
				if w.Code != 202 || w.Header().Get("X-Amzn-Requestid") == "" {
					t.Errorf("answered %d, %v", w.Code, w.Header())
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				function, began = append(outcomes(nil), c.function...), time.Now()
				if err := d.Enqueue("f", live.Request{ID: "x"}, func(r live.Result, _ results.Stamp, attempts int) { done("x", r, attempts) }); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if ended != 2 {
					t.Errorf("%d events ended, of one that came as a request and one that did not", ended)
				}
			})
		})
	}
}

func TestDeferredEventsNeedAFunctionAndRoom(t *testing.T) {
	d := NewDeferred(DeferredConfig{Lookup: func(string) Function { return nil }})
	if _, err := d.Timeout("f"); err == nil {
		t.Error("no function has a timeout")
	}
	if err := d.Invoke("f", live.Request{}, nil); err == nil {
		t.Error("no function was invoked")
	}
	d.Close()
	if err := d.Enqueue("f", live.Request{}, nil); err == nil {
		t.Error("an event was taken after the end")
	}
}

func TestThrottledEventsComeBackEachAtATimeOfItsOwn(t *testing.T) {
	back := func(seed int64) (waits []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			rules := plane.DefaultAsync()
			rules.Seed = seed
			function := make(outcomes, 10)
			for i := range function {
				function[i] = results.OutcomeThrottled
			}
			d := NewDeferred(DeferredConfig{Lookup: func(string) Function { return &function }, Rules: rules})
			began := time.Now()
			for range 10 {
				d.Enqueue("f", live.Request{ID: "x"}, func(live.Result, results.Stamp, int) { waits = append(waits, time.Since(began)) })
				synctest.Wait() // it is refused
			}
			time.Sleep(time.Minute)
		})
		return waits
	}
	first := back(1)
	if len(first) != 10 || slices.Equal(first, back(2)) || !slices.Equal(first, back(1)) {
		t.Errorf("waits %v with seed 1, %v again, %v with 2", first, back(1), back(2))
	}
	for i := range first { // in the order in which they come back
		if first[i] < 500*time.Millisecond || first[i] >= 1500*time.Millisecond || i > 0 && first[i] == first[i-1] {
			t.Errorf("waits %v", first)
		}
	}
}
