package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// triggered is what run knows of a scenario before it measures.
func triggered(t *testing.T, storms string) *liveTarget {
	t.Helper()
	sc, err := workloads.Parse("t.yaml", []byte("function: {path: f, timeout: 10s}\npayloads: [{name: a, inline: '1'}, {name: b, inline: '22'}]\n"+storms))
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{scenario: sc}
	if r.payloads, err = loadPayloads(sc); err != nil {
		t.Fatal(err)
	}
	return &liveTarget{runner: r}
}

func TestAFunctionIsTriedWithWhatItWillGet(t *testing.T) {
	for _, c := range []struct {
		name, storms string
		want         []string
	}{
		{"requests", "storms: [{shape: burst, n: 1}]", []string{"payload a", "payload b"}},
		{"asynchronous ones are the same", "storms: [{shape: burst, n: 1, trigger: async}]", []string{"payload a", "payload b"}},
		{"messages alone", "storms: [{shape: burst, n: 1, trigger: queue}, {name: c, shape: burst, n: 2, trigger: queue}]", []string{"payload a by queue", "payload b by queue"}},
		{"each its own", "storms: [{shape: burst, n: 1, payloads: [a]}, {name: c, shape: burst, n: 2, trigger: bucket, payloads: [b]}]", []string{"payload a", "payload b by bucket"}},
		{"both ways", "storms: [{shape: burst, n: 1, payloads: [a]}, {name: c, shape: burst, n: 2, trigger: bucket, payloads: [a]}]", []string{"payload a", "payload a by bucket", "payload b"}},
		{"a sweep is of requests", "storms: [{shape: burst, n: 1, trigger: queue}]\nsweep: {burst: [1], payload: b}", []string{"payload a by queue", "payload b", "payload b by queue"}},
	} {
		var got []string
		for _, x := range triggered(t, c.storms).trials() {
			got = append(got, x.what)
			if wrapped := strings.Contains(x.what, " by "); wrapped != (x.event != nil) || wrapped && !strings.Contains(string(x.event.Body), "Records") {
				t.Errorf("%s: %s has event %+v", c.name, x.what, x.event)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhatASourceCannotCarryIsRefused(t *testing.T) {
	l := triggered(t, "storms: [{shape: burst, n: 1, trigger: {queue: {visibility: 20s}}}]")
	if err := l.checkTriggers(); err != nil {
		t.Fatal(err)
	}
	l.scenario.Function.Timeout = time.Minute
	if err := l.checkTriggers(); err == nil || !strings.Contains(err.Error(), "before the function's timeout of 1m0s") {
		t.Errorf("a timeout beyond the visibility: error %v", err)
	}
	l.scenario.Function.Timeout = time.Second
	l.payloads[1].Body = make([]byte, workloads.MaxEvent+1)
	if err := l.checkTriggers(); err == nil || !strings.Contains(err.Error(), "payload b has 1,048,577 bytes, and queue carries 1,048,576") {
		t.Errorf("a large payload: error %v", err)
	}
	l.scenario.Storms[0].Trigger = workloads.Trigger{}
	if err := l.checkTriggers(); err != nil {
		t.Errorf("as a request: %v", err)
	}
}

func TestPatienceCoversWhatASourceMayTake(t *testing.T) {
	for _, c := range []struct {
		trigger workloads.Trigger
		want    time.Duration
	}{
		{workloads.Trigger{Kind: workloads.TriggerQueue}, 60*time.Second + 10*time.Second + patienceSpare},
		{workloads.Trigger{Kind: workloads.TriggerQueue, Window: 5 * time.Second, Visibility: 20 * time.Second}, 35*time.Second + patienceSpare},
		{workloads.Trigger{Kind: workloads.TriggerAsync, Retries: 2, RetryDelay: time.Minute}, 5*time.Minute + 10*time.Second + patienceSpare},
		{workloads.Trigger{Kind: workloads.TriggerSchedule, Retries: 2, RetryDelay: time.Hour}, 2*time.Hour + 10*time.Second + patienceSpare},
	} {
		if got := patience(c.trigger, 10*time.Second); got != c.want {
			t.Errorf("%s: %v, want %v", c.trigger, got, c.want)
		}
	}
}

func TestStormsOfEventsAreProjectedAndNotLearntFrom(t *testing.T) {
	st := workloads.Storm{Name: "q", Shape: workloads.ShapeBurst, N: 10}
	if !projected(st) || !open(st) {
		t.Fatal("a burst of requests is not projected")
	}
	st.Trigger.Kind = workloads.TriggerQueue
	if !projected(st) || !open(st) {
		t.Error("a burst of events is not projected")
	}
	if l := triggered(t, "storms: [{shape: burst, n: 2, trigger: queue}]"); len(l.containedStorms(sim.Profile{})) != 0 {
		t.Error("containers run a storm of events")
	}
	m := heard("q", 0.1, [2]string{"cold", "p"}, [2]string{"warm", "p"})
	if len(quietest([]measured{m})) != 1 {
		t.Fatal("nothing is learnt from a storm of requests")
	}
	m.storm = st
	if got := quietest([]measured{m}); len(got) != 0 {
		t.Errorf("learnt from %d storms of events", len(got))
	}
	if rows := fidelity(workloads.Scenario{}, sim.Profile{}, 2, []measured{m}, around{}); len(rows) != 0 {
		t.Errorf("held the simulation against events: %v", rows)
	}
}
