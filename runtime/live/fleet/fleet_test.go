package fleet

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

// onNodes are rules of n units on nodes that hold per each.
func onNodes(n, per int) Rules {
	return Rules{Slots: 2, Min: n, PerNode: per, Place: PlaceSpread, Nodes: NodesCapacityProvider, RoundRobin: true}
}

// send sends n requests, one every gap, and waits for all answers.
func send(f *Fleet, n int, gap time.Duration) []Answer {
	answers := make([]Answer, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { answers[i] = f.Serve(context.Background(), Request{Body: []byte("x")}) })
		time.Sleep(gap)
	}
	all.Wait()
	return answers
}

func TestUnitsStandOnTheirNodesBeforeTheFirstRequest(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: onNodes(6, 2)}, func(t *testing.T, f *Fleet) {
		ready(t, f, 6)
		if _, nodes := h.left(); nodes != 3 {
			t.Errorf("%d nodes for 6 units of which each holds 2", nodes)
		}
		h.mu.Lock()
		slices.Sort(h.held)
		held, most := strings.Join(h.held, " "), h.most
		h.mu.Unlock()
		if held != "n1 n1 n2 n2 n3 n3" {
			t.Errorf("units are on %s", held)
		}
		if most > 4 {
			t.Errorf("%d launches at once, 4 are allowed", most)
		}
		a := f.Serve(t.Context(), Request{Body: []byte("ping")})
		if a.Status != 200 || string(a.Body) != "ping" || a.Outcome != results.OutcomeServed || a.Evidence.Start != results.StartWarm || a.Evidence.Node == "" || a.Evidence.Environment == "" {
			t.Errorf("answer %+v", a)
		}
		if a.Evidence.Phases.Sum() != a.Evidence.Responded.Sub(a.Evidence.Received) {
			t.Errorf("phases %v are not the time of %v", a.Evidence.Phases, a.Evidence.Responded.Sub(a.Evidence.Received))
		}
	})
}

func TestADeadNodeIsNoticedByItsHealthChecksAndReplacedByTheScaler(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: onNodes(8, 2), Speed: 60}, func(t *testing.T, f *Fleet) {
		ready(t, f, 8)
		var answers []Answer
		stormed := make(chan struct{})
		go func() {
			answers = send(f, 1000, 5*time.Millisecond)
			close(stormed)
		}()
		time.Sleep(700 * time.Millisecond)
		n, err := f.KillNode(0)
		if err != nil || n != 1 {
			t.Fatalf("killed node %d, error %v", n, err)
		}
		if c := f.Census(); c.Units.Nodes != 4 {
			t.Errorf("%d nodes at once after a kill: nobody has said a word", c.Units.Nodes)
		}
		<-stormed
		l := f.Losses()[0]
		if l.Units != 2 || l.Ready != 8 || l.Noticed == 0 || l.Back == 0 || l.Lost == 0 {
			t.Errorf("loss %+v", l)
		}
		lost, served := 0, 0
		for _, a := range answers {
			switch {
			case a.Status == 502 && a.Outcome == results.OutcomeFailed:
				lost++
			case a.Status == 200:
				served++
			default:
				t.Fatalf("answer %+v", a)
			}
		}
		c := f.Census()
		if lost+served != 1000 || c.Counts.Lost != lost || l.Lost != lost || c.Units.Idle+c.Units.Busy != 8 || c.Units.Nodes != 4 {
			t.Errorf("%d lost, %d served; %+v, %+v", lost, served, c, l)
		}
	})
}

// The two checks of 30 s that AWS waits for pass in a second at 60 times the speed.
func TestNoticeTakesTheHealthChecksOfTheRules(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: onNodes(4, 2), Speed: 60}, func(t *testing.T, f *Fleet) {
		ready(t, f, 4)
		time.Sleep(100 * time.Millisecond)
		if _, err := f.KillNode(2); err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		for f.Losses()[0].Noticed == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(at); took < 500*time.Millisecond || took > 1010*time.Millisecond {
			t.Errorf("noticed after %v", took)
		}
		if _, err := f.KillNode(2); !errors.Is(err, ErrNoNode) {
			t.Errorf("a dead node was killed again: %v", err)
		}
	})
}

func TestAContainerThatDiesIsReplacedAtOnce(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 2, Slots: 1}}, func(t *testing.T, f *Fleet) {
		ready(t, f, 2)
		lost := make(chan Answer)
		for range 2 {
			go func() { lost <- f.Serve(t.Context(), Request{}) }()
		}
		time.Sleep(time.Millisecond)
		if _, err := f.KillUnit(0); err != nil {
			t.Fatal(err)
		}
		a, b := <-lost, <-lost
		if a.Status+b.Status != 502+200 {
			t.Errorf("answers %d and %d, one unit of two died", a.Status, b.Status)
		}
		ready(t, f, 2)
		l := f.Losses()[0]
		if h.count() != 3 || l.Back == 0 || l.Node != 0 || l.Units != 1 {
			t.Errorf("%d launches, %+v", h.count(), l)
		}
	})
}

func TestAnInstanceIsANodeOfItsOwn(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 3}, UnitNode: true, Speed: 60}, func(t *testing.T, f *Fleet) {
		ready(t, f, 3)
		if _, nodes := h.left(); nodes != 3 {
			t.Errorf("%d nodes of 3 instances", nodes)
		}
		if _, err := f.KillNode(0); err != nil {
			t.Fatal(err)
		}
		if c := f.Census(); c.Units.Idle != 3 {
			t.Errorf("the end of an instance was noticed at once: %+v", c.Units)
		}
		for f.Losses()[0].Back == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		if _, nodes := h.left(); nodes != 3 {
			t.Errorf("%d nodes after one was replaced", nodes)
		}
	})
}

func TestStartsThatFailBackOff(t *testing.T) {
	for _, tt := range []struct {
		rule string
		set  func(*host)
	}{
		{"a launch that fails", func(h *host) { h.refuse = true }},
		{"a process that ends", func(h *host) { h.dead = true }},
	} {
		h := newHost()
		tt.set(h)
		in(t, h, Config{Rules: Rules{Min: 1}}, func(t *testing.T, f *Fleet) {
			if err := f.Wait(t.Context(), 0); err == nil {
				t.Errorf("%s: no error", tt.rule)
			}
			time.Sleep(10 * time.Minute) // at once, then after 10, 20, 40, 80, 160, 300 s
			if n := h.count(); n != 7 && n != 8 {
				t.Errorf("%s: %d starts in ten minutes", tt.rule, n)
			}
		})
	}
}

// A service throttle holds every launch while tasks are never ready, and no other.
func TestBackOffIsThatOfTheRules(t *testing.T) {
	h := newHost()
	h.dead = true
	rules := Rules{Min: 3, Backoff: plane.ServiceThrottle.With(time.Minute, 2*time.Minute, 0)}
	in(t, h, Config{Rules: rules}, func(t *testing.T, f *Fleet) {
		time.Sleep(time.Second) // three die, and all that were missing by then wait for the third's back-off
		first := h.count()
		time.Sleep(110 * time.Second)
		if n := h.count(); n != first {
			t.Errorf("%d starts within two minutes, %d at first", n, first)
		}
		time.Sleep(20 * time.Second)
		if n := h.count(); n <= first {
			t.Errorf("no start after the longest back-off")
		}
	})
	h = newHost()
	in(t, h, Config{Rules: Rules{Min: 1, Backoff: plane.ServiceThrottle}}, func(t *testing.T, f *Fleet) {
		for range 5 {
			ready(t, f, 1)
			if _, err := f.KillUnit(0); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		time.Sleep(time.Second)
		if n := h.count(); n != 6 {
			t.Errorf("%d starts of a task that was ready each time it died five times, want 6 at once", n)
		}
	})
}

func TestASickUnitIsReplaced(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 2}}, func(t *testing.T, f *Fleet) {
		ready(t, f, 2)
		d := f.units[1].door.(*hatch)
		d.mu.Lock()
		d.sick = true
		d.mu.Unlock()
		time.Sleep(45 * time.Second)
		if h.count() != 2 {
			t.Error("replaced after one check that failed")
		}
		time.Sleep(30 * time.Second)
		ready(t, f, 2)
		if n := h.count(); n != 3 {
			t.Errorf("%d launches", n)
		}
	})
}

func TestNoUnitServesBeyondItsSlots(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 2, Slots: 3}}, func(t *testing.T, f *Fleet) {
		ready(t, f, 2)
		for _, a := range send(f, 40, 0) {
			if a.Status != 200 {
				t.Errorf("answer %+v", a)
			}
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, u := range f.units {
			if d := u.door.(*hatch); d.most > 3 {
				t.Errorf("%d requests at once in a unit of 3 slots", d.most)
			}
		}
	})
}

func TestTheBalancersOwnAnswers(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 1, Queue: -1}}, func(t *testing.T, f *Fleet) {
		if a := f.Serve(t.Context(), Request{}); a.Status != 503 || a.Reason != string(plane.ReasonNoTargets) {
			t.Errorf("before a unit is ready: %+v", a)
		}
		ready(t, f, 1)
		first := make(chan Answer)
		go func() { first <- f.Serve(t.Context(), Request{}) }()
		synctest.Wait()
		if a := f.Serve(t.Context(), Request{}); a.Status != 503 || a.Reason != string(plane.ReasonQueueFull) || a.Outcome != results.OutcomeThrottled {
			t.Errorf("no room in the queue: %+v", a)
		}
		<-first
	})
	h = newHost()
	h.service = time.Hour
	in(t, h, Config{Rules: Rules{Min: 1}, Speed: 60}, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		at := time.Now()
		for _, a := range send(f, 2, time.Second) {
			if a.Status != 504 || a.Outcome != results.OutcomeTimedOut {
				t.Errorf("answer %+v", a)
			}
		}
		if took := time.Since(at); took > 121*time.Second || took < 60*time.Second {
			t.Errorf("timeouts of a minute took %v at 60 times the speed", took)
		}
	})
}

func TestACallerWhoGivesUpIsCounted(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 1}}, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { f.Serve(ctx, Request{}) })
		}
		synctest.Wait()
		cancel()
		all.Wait()
		if a := f.Serve(t.Context(), Request{}); a.Status != 200 {
			t.Errorf("the next one: %+v", a)
		}
		if c := f.Census(); c.Counts.TimedOut != 3 || c.Units.Queued != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestDelaysOfAWSAreSleptWhenAskedFor(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Minute} {
		h := newHost()
		in(t, h, Config{Rules: onNodes(2, 2), Speed: 60, Boot: delay, Pull: 2 * delay}, func(t *testing.T, f *Fleet) {
			at := time.Now()
			ready(t, f, 2)
			if took, want := time.Since(at).Truncate(100*time.Millisecond), 3*delay/60; took != want {
				t.Errorf("delay %v: ready after %v", delay, took)
			}
		})
	}
}

func TestALimitIsSetOnceAUnitIsReady(t *testing.T) {
	h := newHost()
	in(t, h, Config{Rules: Rules{Min: 1}, Unit: Size{CPUs: 0.5}}, func(t *testing.T, f *Fleet) {
		ready(t, f, 1)
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		for b := range h.boxes {
			if b.cpu != 0.5 {
				t.Errorf("%g processors", b.cpu)
			}
		}
	})
}

func TestRulesByUnknownNamesAreRefused(t *testing.T) {
	for _, r := range []Rules{{Scaler: "guess"}, {Place: "anywhere"}, {Nodes: "someone"}} {
		if _, err := New(newHost(), Config{Rules: r}); err == nil {
			t.Errorf("%+v: no error", r)
		}
	}
}

func TestTheBalancerSpeaksHTTP(t *testing.T) {
	h := newHost()
	in(t, h, Config{Config: live.Config{Name: "f"}, Rules: Rules{Min: 1}}, func(t *testing.T, f *Fleet) {
		ask := func() *http.Response {
			w := httptest.NewRecorder()
			f.ServeHTTP(w, httptest.NewRequest("POST", "/thing?x=1", strings.NewReader("body")))
			return w.Result()
		}
		if res := ask(); res.StatusCode != 503 || res.Header.Get(results.ReasonHeader) != "NoHealthyTargets" {
			t.Errorf("%d %v", res.StatusCode, res.Header)
		}
		ready(t, f, 1)
		res := ask()
		e, err := results.ParseEvidence(res.Header.Get(results.EvidenceHeader))
		if res.StatusCode != 200 || err != nil || e.Start != results.StartWarm {
			t.Errorf("%d, evidence %+v, error %v", res.StatusCode, e, err)
		}
	})
}
