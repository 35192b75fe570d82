package sim

import (
	"reflect"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// events is a storm of the sample function by an event source.
func events(s Source, arrivals []time.Duration) Config {
	c := sample(workloads.ModelLambda)
	c.Source, c.Arrivals = &s, arrivals
	return c
}

func byQueue(r plane.PollerRules) Source { return Source{Poller: &r} }

func async() Source { return Source{Async: plane.DefaultAsync()} }

// evenly is n arrivals at a distance.
func evenly(n int, every time.Duration) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = time.Duration(i) * every
	}
	return all
}

// took is one part of the way; none where no event took it.
func took(o Outcome, start results.Start, name string) results.Quantiles {
	for _, p := range o.Way {
		if p.Start == start && p.Part == name {
			return p.Time
		}
	}
	return results.Quantiles{}
}

func TestAnEventWithRoomTakesAsLongAsARequest(t *testing.T) {
	c := sample(workloads.ModelLambda)
	c.Arrivals = evenly(200, 50*ms)
	want := mustRun(t, c)
	got := mustRun(t, events(async(), c.Arrivals))
	if !reflect.DeepEqual(want.Counts, got.Counts) || !reflect.DeepEqual(want.Latency, got.Latency) || !reflect.DeepEqual(want.Usage, got.Usage) {
		t.Errorf("requests %+v %+v, events %+v %+v", want.Counts, want.Latency, got.Counts, got.Latency)
	}
	if got.Invocations != 200 || took(got, results.StartWarm, "handler to done").P50 < 89*ms || took(got, results.StartWarm, "publish to poll").N > 0 {
		t.Errorf("%d invocations, way %+v", got.Invocations, got.Way)
	}
}

func TestThrottledEventsComeBackUntilThereIsRoom(t *testing.T) {
	c := events(async(), burst(100))
	c.Function.Concurrency = 5
	o := mustRun(t, c)
	if o.Counts.Served != 100 || o.Peak != 5 || o.Invocations != 100 {
		t.Errorf("%+v with %d environments, %d invocations", o.Counts, o.Peak, o.Invocations)
	}
	if waited := took(o, results.StartWarm, "poll to invoke"); waited.Max < time.Second {
		t.Errorf("none waited for its back-off: %+v", waited)
	}
	again := mustRun(t, c)
	if !reflect.DeepEqual(o, again) {
		t.Error("the same storm came to another outcome")
	}
}

func TestEventsWithoutRoomAreGivenUpAtTheirMaximumAge(t *testing.T) {
	s := async()
	s.Async.MaxAge = time.Minute
	c := events(s, burst(10))
	c.Function.Concurrency = 1
	c.Function.Timeout = 10 * time.Minute
	c.Profile.Payloads[0].Service = []time.Duration{5 * time.Minute}
	o := mustRun(t, c)
	if o.Counts.Served != 1 || o.Counts.Throttled != 9 || o.Counts.Reasons["EventAgeExceeded"] != 9 {
		t.Errorf("%+v", o.Counts)
	}
}

func TestAnEventOverTheTimeoutIsRetriedAndThenFails(t *testing.T) {
	s := async()
	s.Async.RetryDelay = time.Minute
	c := events(s, burst(1))
	c.Function.Timeout = 50 * ms
	o := mustRun(t, c)
	if o.Counts.TimedOut != 1 || o.Invocations != 3 || o.Recover < 3*time.Minute || o.Usage.Requests != 3 {
		t.Errorf("%+v after %d invocations and %v, %d billed", o.Counts, o.Invocations, o.Recover, o.Usage.Requests)
	}
}

func TestMessagesShareInvocations(t *testing.T) {
	o := mustRun(t, events(byQueue(plane.PollerRules{BatchSize: 10, Window: time.Second, Concurrency: 2}), burst(100)))
	if o.Counts.Served != 100 || o.Invocations > 20 || o.Peak > 2 || o.Usage.Requests != int64(o.Invocations) {
		t.Errorf("%+v in %d invocations with %d environments, %d billed", o.Counts, o.Invocations, o.Peak, o.Usage.Requests)
	}
	// Ten messages one after the other.
	if service := took(o, results.StartWarm, "handler to done"); service.Min < 890*ms || service.Max > 1110*ms {
		t.Errorf("a batch of ten of 100 ms took %+v", service)
	}
}

func TestAWindowIsWaitedForByABatchThatIsNotFull(t *testing.T) {
	o := mustRun(t, events(byQueue(plane.PollerRules{BatchSize: 10, Window: 5 * time.Second}), burst(3)))
	if got := took(o, results.StartCold, "poll to invoke"); o.Invocations != 1 || got.N != 3 || got.Min < 4990*ms || got.Max > 5010*ms {
		t.Errorf("%d invocations, from poll to invoke %+v", o.Invocations, got)
	}
}

// TestPollersGrowByThreeHundredAMinute holds the projection against the rule: five at
// first, and 300 a minute more while messages wait.
func TestPollersGrowByThreeHundredAMinute(t *testing.T) {
	c := events(byQueue(plane.PollerRules{BatchSize: 1}), burst(2000))
	c.Profile.Payloads[0].Service = []time.Duration{10 * time.Second}
	c.Function.Timeout = time.Minute
	o := mustRun(t, c)
	if o.Counts.Served != 2000 {
		t.Fatalf("%+v", o.Counts)
	}
	// In t minutes 5 + 300 t pollers have had (5 t + 150 t²) x 6 messages: 2,000 in 1.47.
	if o.Recover < 85*time.Second || o.Recover > 110*time.Second {
		t.Errorf("all done after %v with %d environments", o.Recover, o.Peak)
	}
}

func TestEventSourcesInvokeLambdaAlone(t *testing.T) {
	for _, m := range workloads.AllModels {
		c := sample(m)
		s := async()
		c.Source, c.Arrivals = &s, burst(3)
		ok, why := Sourced(m)
		if offered, _ := Offered(m, c.Function); !offered {
			continue
		}
		if _, err := Run(c); (err == nil) != ok || ok == (why != "") {
			t.Errorf("%s: %t %q, error %v", m, ok, why, err)
		}
	}
}
