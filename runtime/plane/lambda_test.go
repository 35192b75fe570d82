package plane

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

func lambda(t *testing.T, r LambdaRules) *script { return &script{t: t, p: NewLambda(r)} }

func TestEnvironmentServesOneInvocationAtATime(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute})
	want(t, s.arrive(0, 0), "start 1 for 0 deployed")
	want(t, s.arrive(0, 1), "start 2 for 1 scale-out")
	want(t, s.ready(1, 1), "dispatch 0 to 1 cold deployed")
	want(t, s.arrive(1, 2), "start 3 for 2 scale-out") // 1 is busy
}

func TestIdleEnvironmentIsReused(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute})
	s.arrive(0, 0)
	s.ready(1, 1)
	want(t, s.done(2, 1, 0), "freeze 1")
	want(t, s.arrive(61.999, 1), "dispatch 1 to 1 warm")
}

func TestTriggerWaitsForTheEnvironmentThatItStarted(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute})
	s.arrive(0, 0)
	s.arrive(0, 1)
	s.ready(1, 1)
	// 1 gets idle while trigger 1 waits for 2: Lambda does not move it.
	want(t, s.done(2, 1, 0), "freeze 1")
	want(t, s.ready(3, 2), "dispatch 1 to 2 cold scale-out")
}

func TestKeepAliveReclaimsIdleEnvironments(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute})
	s.arrive(0, 0)
	s.ready(1, 1)
	s.done(2, 1, 0)
	if s.wake != 62*time.Second {
		t.Errorf("wake-up at %v, want 62 s", s.wake)
	}
	want(t, s.tick(61))
	want(t, s.tick(62), "stop 1")
	want(t, s.arrive(63, 1), "start 2 for 1 expired")
}

func TestKeepAliveOfZeroReclaimsAtOnce(t *testing.T) {
	s := lambda(t, LambdaRules{})
	s.arrive(0, 0)
	s.ready(1, 1)
	want(t, s.done(2, 1, 0), "stop 1")
}

func TestNegativeKeepAliveNeverReclaims(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: -1})
	s.arrive(0, 0)
	s.ready(1, 1)
	s.done(2, 1, 0)
	want(t, s.tick(1e6))
	if s.wake != 0 {
		t.Errorf("wake-up at %v, want none", s.wake)
	}
}

func TestRoutesToTheEnvironmentThatWasIdleShortest(t *testing.T) {
	for name, test := range map[string]struct {
		leastRecent bool
		want        string
	}{
		"most recent by default": {false, "dispatch 9 to 1 warm"},
		"least recent on demand": {true, "dispatch 9 to 2 warm"},
	} {
		t.Run(name, func(t *testing.T) {
			s := lambda(t, LambdaRules{KeepAlive: time.Minute, LeastRecent: test.leastRecent})
			s.arrive(0, 0)
			s.arrive(0, 1)
			s.ready(1, 1)
			s.ready(1, 2)
			s.done(2, 2, 1)
			s.done(3, 1, 0)
			want(t, s.arrive(4, 9), test.want)
		})
	}
}

func TestThrottlesBeyondTheConcurrencyLimit(t *testing.T) {
	for name, test := range map[string]struct {
		rules LambdaRules
		want  string
	}{
		"the account's": {LambdaRules{Concurrency: 2}, "refuse 2 ConcurrentInvocationLimitExceeded"},
		"reserved":      {LambdaRules{Concurrency: 2, Reserved: true}, "refuse 2 ReservedFunctionConcurrentInvocationLimitExceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			s := lambda(t, test.rules)
			s.arrive(0, 0)
			s.arrive(0, 1)
			want(t, s.arrive(0, 2), test.want)
			s.ready(1, 1)
			s.done(2, 1, 0)
			want(t, s.arrive(2, 3), "start 3 for 3 expired") // one has finished
		})
	}
}

func TestAccountRunsAThousandAtOnceUnlessSet(t *testing.T) {
	s := lambda(t, LambdaRules{})
	for i := range 1000 {
		if got := s.arrive(0, Trigger(i)); got[0].Verb != StartUnit {
			t.Fatalf("trigger %d: %s", i, say(got[0]))
		}
	}
	want(t, s.arrive(0, 1000), "refuse 1000 ConcurrentInvocationLimitExceeded")
}

func TestScaleOutIsAThousandThenAHundredASecond(t *testing.T) {
	s := lambda(t, LambdaRules{Concurrency: 5000})
	started := func(from, n int, at float64) int {
		count := 0
		for i := range n {
			if s.arrive(at, Trigger(from+i))[0].Verb == StartUnit {
				count++
			}
		}
		return count
	}
	for _, step := range []struct {
		at   float64
		want int
	}{{0, 1000}, {0, 0}, {1, 100}, {3.5, 250}, {100, 1000}} {
		if got := started(0, 1500, step.at); got != step.want {
			t.Errorf("at %g s %d environments start, want %d", step.at, got, step.want)
		}
	}
}

func TestScaleOutDoesNotBoundWarmStarts(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, ScaleOutBurst: 1, ScaleOutRate: 0.001})
	s.arrive(0, 0)
	want(t, s.arrive(0, 1), "refuse 1 ConcurrentInvocationLimitExceeded")
	s.ready(1, 1)
	s.done(2, 1, 0)
	want(t, s.arrive(2, 2), "dispatch 2 to 1 warm")
}

func TestRequestsASecondAreTenTimesTheConcurrency(t *testing.T) {
	s := lambda(t, LambdaRules{Concurrency: 1, KeepAlive: time.Minute, Reserved: true})
	s.arrive(0, 0)
	s.ready(0.001, 1)
	s.done(0.001, 1, 0)
	for i := Trigger(1); i < 10; i++ {
		s.arrive(0.001, i)
		s.done(0.001, 1, i)
	}
	want(t, s.arrive(0.001, 10), "refuse 10 ReservedFunctionInvocationRateLimitExceeded")
	want(t, s.arrive(0.2, 11), "dispatch 11 to 1 warm")
}

func TestProvisionedConcurrencySpillsOverToOnDemand(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, Provisioned: 2})
	want(t, s.tick(0), "start 1 provisioned", "start 2 provisioned")
	want(t, s.ready(1, 1), "freeze 1")
	want(t, s.ready(1, 2), "freeze 2")
	want(t, s.arrive(2, 0), "dispatch 0 to 2 provisioned")
	want(t, s.arrive(2, 1), "dispatch 1 to 1 provisioned")
	want(t, s.arrive(2, 2), "start 3 for 2 scale-out")
	want(t, s.ready(3, 3), "dispatch 2 to 3 cold scale-out")
	want(t, s.done(4, 3, 2), "freeze 3")
	want(t, s.done(4, 1, 1), "freeze 1")
	want(t, s.arrive(5, 3), "dispatch 3 to 1 provisioned") // ready capacity first
	want(t, s.tick(100), "stop 3")                         // keep-alive takes on-demand ones only
}

func TestProvisionedEnvironmentTakesTenRequestsASecond(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, Provisioned: 1})
	s.tick(0)
	s.ready(0, 1)
	for i := range Trigger(10) {
		s.arrive(1, i)
		s.done(1, 1, i)
	}
	want(t, s.arrive(1, 10), "start 2 for 10 scale-out")
	want(t, s.arrive(1.1, 11), "dispatch 11 to 1 provisioned")
}

func TestProvisionedEnvironmentTakesItsRequestsAlsoWhereAnotherCountsThoseOfAll(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, Provisioned: 1, RequestRate: -1, ProvisionedRate: 2})
	s.tick(0)
	s.ready(0, 1)
	for i := range Trigger(2) {
		want(t, s.arrive(1, i), fmt.Sprintf("dispatch %d to 1 provisioned", i))
		s.done(1, 1, i)
	}
	want(t, s.arrive(1, 2), "start 2 for 2 scale-out")
	want(t, s.arrive(1.5, 3), "dispatch 3 to 1 provisioned")
}

func TestVersionsOfAFunctionShareItsScaleOut(t *testing.T) {
	shared := NewScaleOut(2, 1)
	rules := func(since time.Duration) LambdaRules {
		return LambdaRules{ScaleOut: shared, Since: since, ScaleOutBurst: 1000, ScaleOutRate: 100}
	}
	old, young := lambda(t, rules(0)), lambda(t, rules(10*time.Second))
	want(t, old.arrive(10, 0), "start 1 for 0 deployed")
	want(t, young.arrive(0, 0), "start 1 for 0 deployed")
	want(t, old.arrive(10, 1), "refuse 1 ConcurrentInvocationLimitExceeded")
	want(t, young.arrive(0.5, 1), "refuse 1 ConcurrentInvocationLimitExceeded")
	want(t, young.arrive(1, 1), "start 2 for 1 scale-out") // one a second comes back, to either
	want(t, old.arrive(11, 2), "refuse 2 ConcurrentInvocationLimitExceeded")
	want(t, old.arrive(12, 2), "start 2 for 2 scale-out")
}

func TestProvisionedEnvironmentThatDiesIsReplaced(t *testing.T) {
	s := lambda(t, LambdaRules{Provisioned: 1})
	s.tick(0)
	s.ready(1, 1)
	want(t, s.send(2, Event{Kind: Gone, Unit: 1}), "start 2 provisioned")
	want(t, s.send(3, Event{Kind: Gone, Unit: 2})) // failed to start: not for ever
}

func TestWarmEnvironmentsStandBeforeTheFirstTrigger(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, Warm: 1})
	want(t, s.tick(0), "start 1 deployed")
	want(t, s.ready(0, 1), "freeze 1")
	want(t, s.arrive(1, 0), "dispatch 0 to 1 warm")
	want(t, s.arrive(1, 1), "start 2 for 1 scale-out")
}

func TestSnapStartRestores(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, Restore: true})
	s.arrive(0, 0)
	want(t, s.ready(1, 1), "dispatch 0 to 1 restored restored")
	s.done(2, 1, 0)
	want(t, s.arrive(3, 1), "dispatch 1 to 1 warm")
}

func TestCausesOfColdStarts(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute})
	want(t, s.arrive(0, 0), "start 1 for 0 deployed")
	want(t, s.arrive(0, 1), "start 2 for 1 scale-out")
	s.ready(1, 1)
	s.ready(1, 2)
	s.done(2, 1, 0)
	want(t, s.send(3, Event{Kind: Gone, Unit: 2}))
	want(t, s.arrive(3, 2), "dispatch 2 to 1 warm")
	want(t, s.arrive(4, 3), "start 3 for 3 crashed")
	s.done(5, 1, 2)
	s.ready(5, 3)
	s.done(6, 3, 3)
	want(t, s.arrive(200, 4), "stop 1", "stop 3", "start 4 for 4 expired")
	want(t, s.arrive(200, 5), "start 5 for 5 expired")
	want(t, s.arrive(200, 6), "start 6 for 6 scale-out") // there had been two
}

func TestEnvironmentThatDiesWhileIdleIsNotUsed(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute})
	s.arrive(0, 0)
	s.ready(1, 1)
	s.done(2, 1, 0)
	s.send(3, Event{Kind: Gone, Unit: 1})
	want(t, s.arrive(4, 1), "start 2 for 1 crashed")
}

func TestFailedStartFreesItsConcurrency(t *testing.T) {
	s := lambda(t, LambdaRules{Concurrency: 1})
	s.arrive(0, 0)
	s.send(1, Event{Kind: Gone, Unit: 1})
	want(t, s.arrive(2, 1), "start 2 for 1 crashed")
}

func TestEventsOfUnknownUnitsAreIgnored(t *testing.T) {
	s := lambda(t, LambdaRules{})
	for _, k := range []Kind{Ready, Done, Gone, Abandon, NodeUp, NodeGone, Tick} {
		want(t, s.send(0, Event{Kind: k, Unit: 7}))
		want(t, s.send(0, Event{Kind: k, Unit: -1}))
	}
}

// A burst of 300 that is sent again until it is taken in: the environments are a
// full bucket at once, and then as many a second as refill it.
func TestEnvironmentsFollowTheScaleOutBucket(t *testing.T) {
	s := lambda(t, LambdaRules{Concurrency: 1000, ScaleOutBurst: 100, ScaleOutRate: 10, RequestRate: -1, KeepAlive: time.Minute})
	next := 0
	for second := 0; next < 300; second++ {
		for next < 300 {
			got := s.arrive(float64(second), Trigger(next))
			if got[0].Verb != StartUnit {
				want(t, got, "refuse "+strconv.Itoa(next)+" ConcurrentInvocationLimitExceeded")
				break
			}
			next++
		}
		if expected := min(300, 100+10*second); next != expected {
			t.Fatalf("after %d s there are %d environments, want %d", second, next, expected)
		}
	}
}

func TestProvisionedConcurrencyIsUsedWhenAllOfItIsReady(t *testing.T) {
	s := lambda(t, LambdaRules{KeepAlive: time.Minute, Provisioned: 2})
	s.tick(0)
	s.ready(1, 1)
	want(t, s.arrive(2, 0), "start 3 for 0 scale-out")
	s.ready(3, 2)
	want(t, s.arrive(4, 1), "dispatch 1 to 2 provisioned")
	if ready, failed := s.p.(*Lambda).Provisioned(); ready != 2 || failed != 0 {
		t.Errorf("%d ready and %d failed, want 2 and 0", ready, failed)
	}
}
