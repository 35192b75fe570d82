package plane

import (
	"fmt"
	"testing"
	"time"
)

// parcels are n messages of this many bytes.
func parcels(n, bytes int) (all []Parcel) {
	for i := range n {
		all = append(all, Parcel{Delivery{Message: Message(i + 1), Receives: 1}, bytes})
	}
	return all
}

// sizes are those of batches.
func sizes(all []Batch) (n []int) {
	for _, b := range all {
		n = append(n, len(b))
	}
	return n
}

func TestFivePollersBegin(t *testing.T) {
	p := NewPoller(PollerRules{})
	p.Observe(0, 1000)
	equal(t, p.Room(), 50)
	equal(t, sizes(p.Take(0, parcels(50, 1))), []int{10, 10, 10, 10, 10})
	equal(t, fmt.Sprint(p.Room(), p.Busy()), "0 5")
	p.Done(true)
	equal(t, p.Room(), 10)
}

func TestPollersGrowByThreeHundredAMinuteWhileMessagesWait(t *testing.T) {
	p := NewPoller(PollerRules{BatchSize: 1})
	for s := range 121 {
		p.Observe(seconds(float64(s)), 100_000)
		p.Take(seconds(float64(s)), parcels(p.Room(), 1))
		p.Observe(seconds(float64(s)), 100_000)
		switch s {
		case 0:
			equal(t, p.Pollers(), 5)
		case 60:
			equal(t, p.Pollers(), 305)
		case 120:
			equal(t, p.Pollers(), 605)
		}
	}
}

func TestPollersDoNotGrowWhileThereIsRoom(t *testing.T) {
	p := NewPoller(PollerRules{})
	for s := range 60 {
		p.Observe(seconds(float64(s)), 0)
		p.Take(seconds(float64(s)), parcels(10, 1))
		p.Observe(seconds(float64(s)), 0)
		p.Done(true)
	}
	equal(t, p.Pollers(), 5)
}

func TestMaximumConcurrencyIsTheMost(t *testing.T) {
	for concurrency, want := range map[int]int{0: 1250, 2: 2, 40: 40} {
		p := NewPoller(PollerRules{Concurrency: concurrency, BatchSize: 1})
		for s := range 600 {
			p.Observe(seconds(float64(s)), 1)
			p.Take(seconds(float64(s)), parcels(p.Room(), 1))
			p.Observe(seconds(float64(s)), 1)
		}
		equal(t, p.Busy(), want)
		_, more := p.Next()
		equal(t, more, false)
	}
}

func TestPollersFallToFiveAndThenToTwo(t *testing.T) {
	p := NewPoller(PollerRules{BatchSize: 1})
	for s := range 10 {
		p.Observe(seconds(float64(s)), 1)
		p.Take(seconds(float64(s)), parcels(p.Room(), 1))
		p.Observe(seconds(float64(s)), 1)
	}
	for p.Busy() > 0 {
		p.Done(true)
	}
	p.Observe(seconds(9), 0)
	equal(t, p.Pollers(), 50)
	for second, want := range []int{10: 50, 68: 50, 69: 5, 128: 5, 129: 2} {
		if want > 0 {
			p.Observe(seconds(float64(second)), 0)
			equal(t, p.Pollers(), want)
		}
	}
}

func TestFailuresCostPollersButTwo(t *testing.T) {
	p := NewPoller(PollerRules{})
	p.Observe(0, 1)
	p.Take(0, parcels(50, 1))
	for want := range []int{4, 3, 2, 2} {
		p.Done(false)
		equal(t, p.Pollers(), max(2, 4-want))
	}
}

func TestABatchIsGatheredUntilItIsFull(t *testing.T) {
	p := NewPoller(PollerRules{BatchSize: 100, Window: 5 * time.Second})
	p.Observe(0, 0)
	equal(t, sizes(p.Take(0, parcels(60, 1))), []int(nil))
	equal(t, p.Room(), 440)
	equal(t, sizes(p.Take(seconds(1), parcels(60, 1))), []int{100})
	equal(t, sizes(p.Due(seconds(5.9))), []int(nil)) // the rest came after a second
	equal(t, sizes(p.Due(seconds(6))), []int{20})
}

func TestABatchIsInvokedWhenItsWindowEnds(t *testing.T) {
	p := NewPoller(PollerRules{Window: 5 * time.Second})
	p.Take(seconds(1), parcels(3, 1))
	at, ok := p.Next()
	equal(t, fmt.Sprint(at, ok), "6s true")
	equal(t, sizes(p.Take(seconds(6), nil)), []int{3})
	_, ok = p.Next()
	equal(t, ok, false)
}

func TestWithoutAWindowABatchIsInvokedAtOnce(t *testing.T) {
	p := NewPoller(PollerRules{})
	equal(t, sizes(p.Take(0, parcels(3, 1))), []int{3})
}

func TestABatchIsAtMostSixMegabytes(t *testing.T) {
	p := NewPoller(PollerRules{BatchSize: 100, Window: time.Minute})
	equal(t, sizes(p.Take(0, parcels(50, 256<<10))), []int{24, 24})
}

func TestAThrottledBatchIsTriedUntilItsMessagesReturn(t *testing.T) {
	p := NewPoller(PollerRules{})
	at, waits := time.Duration(0), []time.Duration{}
	for n := 1; ; n++ {
		wait, again := p.AfterThrottle(n, at, 0, 30*time.Second)
		if !again {
			break
		}
		waits, at = append(waits, wait), at+wait
	}
	equal(t, waits, "[1s 2s 4s 8s]")
}

func TestTheVisibilityTimeoutCoversTheFunctions(t *testing.T) {
	equal(t, CheckVisibility(29*time.Second, 30*time.Second) != nil, true)
	equal(t, CheckVisibility(30*time.Second, 30*time.Second), nil)
	equal(t, AdvisedVisibility(30*time.Second, 5*time.Second), 185*time.Second)
}

func TestPollerRulesAreLambdas(t *testing.T) {
	for _, tt := range []struct {
		rules PollerRules
		ok    bool
	}{
		{PollerRules{}, true},
		{PollerRules{BatchSize: 10}, true},
		{PollerRules{BatchSize: 11}, false},
		{PollerRules{BatchSize: 11, Window: time.Second}, true},
		{PollerRules{BatchSize: 10_000, Window: 300 * time.Second}, true},
		{PollerRules{BatchSize: 10_001, Window: time.Second}, false},
		{PollerRules{Window: 301 * time.Second}, false},
		{PollerRules{Window: 1500 * time.Millisecond}, false},
		{PollerRules{BatchSize: -1}, false},
		{PollerRules{Concurrency: 1}, false},
		{PollerRules{Concurrency: 2}, true},
		{PollerRules{Concurrency: 1001}, false},
	} {
		if err := tt.rules.Check(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.rules, err)
		}
	}
}

func TestProvisionedPollersAreThereAndGrowFaster(t *testing.T) {
	r, err := PollerRules{BatchSize: 1}.Provisioned(3, 50)
	if err != nil || r.Check() != nil {
		t.Fatal(err, r.Check())
	}
	p := NewPoller(r)
	equal(t, p.Pollers(), 30) // ten invocations of each
	for s := range 13 {
		p.Observe(seconds(float64(s)), 100_000)
		p.Take(seconds(float64(s)), parcels(p.Room(), 1))
		p.Observe(seconds(float64(s)), 100_000)
	}
	equal(t, p.Pollers(), 230) // a thousand a minute
	for s := 13; s < 100; s++ {
		p.Observe(seconds(float64(s)), 100_000)
		p.Take(seconds(float64(s)), parcels(p.Room(), 1))
		p.Observe(seconds(float64(s)), 100_000)
	}
	equal(t, p.Pollers(), 500)
	for range 500 {
		p.Done(true)
	}
	p.Observe(seconds(1000), 0)
	equal(t, p.Pollers(), 30)
}

func TestProvisionedPollersHaveTheirBounds(t *testing.T) {
	r, err := PollerRules{}.Provisioned(0, 0)
	equal(t, fmt.Sprint(err, r.Initial, r.Concurrency), "<nil> 20 2000")
	for _, x := range [][2]int{{1, 0}, {201, 0}, {5, 4}, {2, 2001}} {
		if _, err := (PollerRules{}).Provisioned(x[0], x[1]); err == nil {
			t.Errorf("%v is taken", x)
		}
	}
	if _, err := (PollerRules{Concurrency: 5}).Provisioned(2, 3); err == nil {
		t.Error("a maximum concurrency is taken")
	}
}
