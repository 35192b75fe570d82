package plane

import (
	"testing"
	"time"
)

// learned is the policy after n idle times of each of these lengths.
func learned(n int, idle ...time.Duration) *Hybrid {
	h := &Hybrid{}
	for range n {
		for _, d := range idle {
			h.Idle(d)
		}
	}
	return h
}

func TestHybridUnloadsUntilTheFifthPercentileAndKeepsToTheNinetyNinthWithATenthOfMargin(t *testing.T) {
	h := learned(20, 30*time.Minute+10*time.Second)
	unloaded, kept := h.Windows()
	if unloaded != 27*time.Minute { // 30 less a tenth
		t.Errorf("unloaded for %v, want 27 minutes", unloaded)
	}
	if end := unloaded + kept; end != 34*time.Minute+6*time.Second { // 31 and a tenth
		t.Errorf("kept until %v, want 34 minutes and 6 s", end)
	}
}

func TestHybridDoesNotUnloadWhereTheFifthPercentileIsBelowAMinute(t *testing.T) {
	if unloaded, kept := learned(30, 20*time.Second).Windows(); unloaded != 0 || kept != 66*time.Second {
		t.Errorf("unloaded for %v, kept for %v, want 0 and 66 s", unloaded, kept)
	}
}

func TestHybridKeepsForItsRangeWhereTheHistogramIsNotRepresentative(t *testing.T) {
	spread := &Hybrid{} // as many in each bin: a coefficient of variation of 0
	for m := range 240 {
		spread.Idle(time.Duration(m) * time.Minute)
	}
	for name, h := range map[string]*Hybrid{
		"nothing known": {}, "evenly spread": spread, "beyond the range": learned(9, 5*time.Hour),
	} {
		if unloaded, kept := h.Windows(); unloaded != 0 || kept != 4*time.Hour {
			t.Errorf("%s: unloaded for %v, kept for %v, want 0 and 4 h", name, unloaded, kept)
		}
	}
}

func TestPrewarmedEnvironmentStandsWhenThePeriodicTriggerComes(t *testing.T) {
	s := &script{t: t, p: NewPrewarmed(LambdaRules{}, learned(20, 30*time.Minute))}
	want(t, s.arrive(0, 0), "start 1 for 0 deployed")
	s.ready(1, 1)
	want(t, s.done(2, 1, 0), "freeze 1", "stop 1")
	load := 2 + 27*60.0
	if s.wake != time.Duration(load)*time.Second {
		t.Fatalf("wake-up at %v, want 27 minutes after the end", s.wake)
	}
	want(t, s.tick(load), "start 2")
	want(t, s.ready(load+1, 2), "freeze 2")
	want(t, s.arrive(2+30*60, 1), "dispatch 1 to 2 warm")
}

func TestPrewarmedEnvironmentGoesWhenNoTriggerComes(t *testing.T) {
	s := &script{t: t, p: NewPrewarmed(LambdaRules{}, learned(20, 30*time.Minute))}
	s.arrive(0, 0)
	s.ready(1, 1)
	s.done(2, 1, 0)
	s.tick(s.wake.Seconds())
	s.ready(s.wake.Seconds()+1, 2)
	want(t, s.tick(s.wake.Seconds()), "stop 2")
	if c := s.p.Census(); c != (Census{}) {
		t.Errorf("census %+v", c)
	}
}

func TestTriggerBeforeThePrewarmingIsAColdStartAndEndsIt(t *testing.T) {
	s := &script{t: t, p: NewPrewarmed(LambdaRules{}, learned(20, 30*time.Minute))}
	s.arrive(0, 0)
	s.ready(1, 1)
	s.done(2, 1, 0)
	want(t, s.arrive(60, 1), "start 2 for 1 expired")
	want(t, s.tick(2+27*60))
}
