package plane

import (
	"testing"
	"time"
)

func TestTriggersShareTheStartOfAnEnvironmentUntilItIsFull(t *testing.T) {
	s := &script{t: t, p: NewLambda(LambdaRules{Slots: 3, KeepAlive: -1})}
	want(t, s.arrive(0, 1), "start 1 for 1 deployed")
	want(t, s.arrive(0, 2), "2 awaits 1")
	want(t, s.arrive(0, 3), "3 awaits 1")
	want(t, s.arrive(0, 4), "start 2 for 4 scale-out")
	want(t, s.arrive(0, 5), "5 awaits 2")
	want(t, s.ready(1, 1), "dispatch 1 to 1 cold deployed", "dispatch 2 to 1 cold deployed", "dispatch 3 to 1 cold deployed")
	want(t, s.ready(1, 2), "dispatch 4 to 2 cold scale-out", "dispatch 5 to 2 cold scale-out")
	want(t, s.arrive(2, 6), "dispatch 6 to 2 warm")
	want(t, s.arrive(2, 7), "start 3 for 7 scale-out")
}

func TestAnEnvironmentIsFrozenOnceNothingIsInIt(t *testing.T) {
	s := &script{t: t, p: NewLambda(LambdaRules{Slots: 2, KeepAlive: -1})}
	s.arrive(0, 1)
	s.arrive(0, 2)
	s.ready(1, 1)
	want(t, s.done(2, 1, 1))
	want(t, s.done(2, 1, 2), "freeze 1")
}

func TestRoutingAmongEnvironmentsWithRoom(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		spread bool
		to     string
	}{
		{"to the one with the most triggers", false, "dispatch 9 to 1 warm"},
		{"to the one with the fewest", true, "dispatch 9 to 3 warm"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			s := &script{t: t, p: NewLambda(LambdaRules{Slots: 3, KeepAlive: -1, LeastRecent: tt.spread})}
			for i := range Trigger(9) {
				s.arrive(0, i)
			}
			for u := range Unit(3) {
				s.ready(1, u+1)
			}
			s.done(2, 1, 0) // two are left
			for i := range Trigger(2) {
				s.done(2, 2, 3+i) // one
			}
			for i := range Trigger(3) {
				s.done(2, 3, 6+i) // none
			}
			want(t, s.arrive(3, 9), tt.to)
		})
	}
}

func TestADeathTakesWhatWaitedForTheStartWithIt(t *testing.T) {
	s := &script{t: t, p: NewLambda(LambdaRules{Slots: 2, Concurrency: 2, KeepAlive: -1})}
	s.arrive(0, 1)
	s.arrive(0, 2)
	want(t, s.arrive(0, 3), "refuse 3 ConcurrentInvocationLimitExceeded")
	want(t, s.send(1, Event{Kind: Gone, Unit: 1}))
	want(t, s.arrive(2, 4), "start 2 for 4 crashed")
	want(t, s.arrive(2, 5), "5 awaits 2")
	s.ready(3, 2)
	want(t, s.send(4, Event{Kind: Gone, Unit: 2}))
	want(t, s.arrive(5, 6), "start 3 for 6 crashed")
}

func TestABusyEnvironmentBeyondItsLifetimeTakesNothingMore(t *testing.T) {
	s := &script{t: t, p: NewLambda(LambdaRules{Slots: 2, KeepAlive: -1, Lifetime: 10 * time.Second})}
	s.arrive(0, 1)
	s.arrive(0, 2)
	s.ready(1, 1)
	want(t, s.done(9, 1, 1))
	want(t, s.arrive(10, 3), "dispatch 3 to 1 warm")
	want(t, s.done(11, 1, 2))
	want(t, s.arrive(12, 4), "start 2 for 4 scale-out")
	want(t, s.done(13, 1, 3), "stop 1")
}
