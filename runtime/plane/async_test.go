package plane

import (
	"testing"
	"time"
)

func TestAFailedEventIsTriedAgainAfterOneAndTwoMinutes(t *testing.T) {
	r := DefaultAsync()
	for failed, want := range map[int]struct {
		wait time.Duration
		end  Condition
	}{1: {time.Minute, ""}, 2: {2 * time.Minute, ""}, 3: {0, ConditionExhausted}} {
		wait, end := r.AfterFailure(Attempts{Failed: failed}, 0)
		if wait != want.wait || end != want.end {
			t.Errorf("after %d failures: %v %q", failed, wait, end)
		}
	}
}

func TestRetriesAreConfigured(t *testing.T) {
	r := DefaultAsync()
	r.Retries = 0
	_, end := r.AfterFailure(Attempts{Failed: 1}, 0)
	equal(t, end, ConditionExhausted)
}

func TestAThrottledEventBacksOffToFiveMinutes(t *testing.T) {
	r := DefaultAsync()
	r.Jitter = 0
	for throttled, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1000: 5 * time.Minute} {
		wait, end := r.AfterThrottle(Attempts{Throttled: throttled}, time.Hour)
		if wait != want || end != "" {
			t.Errorf("after %d throttles: %v %q, want %v", throttled, wait, end, want)
		}
	}
}

func TestAnEventIsGivenUpAtItsMaximumAge(t *testing.T) {
	r := DefaultAsync()
	_, end := r.AfterThrottle(Attempts{Throttled: 100}, 6*time.Hour-time.Minute)
	equal(t, end, ConditionAge)
	_, end = r.AfterFailure(Attempts{Failed: 1}, 6*time.Hour-time.Second)
	equal(t, end, ConditionAge)
}

func TestAStoppedFunctionsEventsAreNotTriedAgain(t *testing.T) {
	r := DefaultAsync()
	r.NoThrottled = true
	_, end := r.AfterThrottle(Attempts{Throttled: 1}, 0)
	equal(t, end, ConditionExhausted)
}

func TestWhatWasThrottledTogetherComesBackSpread(t *testing.T) {
	r := DefaultAsync()
	for throttled, due := range map[int]time.Duration{1: time.Second, 4: 8 * time.Second} {
		const n = 1000
		var tenths [10]int
		for i := range uint64(n) {
			a := Attempts{Event: i, Throttled: throttled}
			wait, end := r.AfterThrottle(a, 0)
			if again, _ := r.AfterThrottle(a, 0); end != "" || wait != again || wait < due/2 || wait >= due*3/2 {
				t.Fatalf("event %d after %d throttles: %v and %v, %q", i, throttled, wait, again, end)
			}
			tenths[10*(wait-due/2)/due]++
		}
		for i, got := range tenths { // 100 each: twelve standard deviations
			if got < n/10/2 || got > n/10*2 {
				t.Errorf("%d of %d come back in tenth %d of the time after %d throttles", got, n, i, throttled)
			}
		}
	}
	other := r
	other.Seed = 1
	a, _ := r.AfterThrottle(Attempts{Throttled: 1}, 0)
	b, _ := other.AfterThrottle(Attempts{Throttled: 1}, 0)
	if a == b {
		t.Error("another seed draws the same")
	}
	if wait, _ := r.AfterThrottle(Attempts{Throttled: 50}, 0); wait > r.MaxBackoff {
		t.Errorf("a wait of %v", wait)
	}
}
