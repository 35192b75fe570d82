package drive_test

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

func TestAClosedLoopHasNoMoreInFlightThanClients(t *testing.T) {
	const callers = 4
	var inside, most atomic.Int64
	all4 := make(chan struct{}) // closed once every client was inside at once
	srv := serve(t, func(http.ResponseWriter, *http.Request) {
		n := inside.Add(1)
		defer inside.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == callers {
			select {
			case <-all4:
			default:
				close(all4)
			}
		}
		<-all4
	})
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Loop{N: 40, Callers: callers}})
	if most.Load() != callers {
		t.Errorf("%d in flight at once, want %d", most.Load(), callers)
	}
	if rep.Sent != 40 || len(all) != 40 || rep.Skew != 0 {
		t.Errorf("%+v", rep)
	}
	for _, s := range all {
		if s.Outcome != results.OutcomeServed || s.Intended == 0 {
			t.Errorf("trigger %d: %s, intended at %d", s.Seq, s.Outcome, s.Intended)
		}
	}
}

func TestAClientThinksBetweenItsAnswerAndItsNextTrigger(t *testing.T) {
	const pause = 20 * time.Millisecond
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	all, _ := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Loop{N: 6, Callers: 1, Pause: pause}})
	slices.SortFunc(all, func(a, b results.Sample) int { return int(a.Intended - b.Intended) })
	for i := 1; i < len(all); i++ {
		if got := all[i].Intended.Sub(all[i-1].Done); got < pause {
			t.Errorf("trigger %d is intended %v after the answer before, want at least %v", i, got, pause)
		}
	}
}

func TestAStopEndsClientsThatThink(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// Were the pauses waited for, the test would run into its own time limit.
	all, rep := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: storm.Loop{N: 100, Callers: 3, Pause: time.Hour}}, func(results.Sample) { stop() })
	if n := unsent(t, all); n < 97 || n+rep.Sent != 100 || !rep.Stopped {
		t.Errorf("%d unsent and %d sent of 100", n, rep.Sent)
	}
}

func TestABurstBeyondVegetaIsFiredWithoutIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- drive.ServeNull(l) }()
	t.Cleanup(func() { l.Close(); <-served })
	a := drive.Attack{URL: "http://" + l.Addr().String(), Schedule: storm.Burst{N: 6000}, Connections: 64}
	all, rep := fire(t, a)
	if !rep.Direct || rep.Sent != 6000 || len(all) != 6000 {
		t.Errorf("direct %v, %d sent, %d samples", rep.Direct, rep.Sent, len(all))
	}
	for _, s := range all {
		if s.Outcome != results.OutcomeServed || s.Intended != rep.Start || s.Sent < s.Intended {
			t.Fatalf("trigger %d: %s %q, intended at %d, sent at %d, storm at %d", s.Seq, s.Outcome, s.Reason, s.Intended, s.Sent, rep.Start)
		}
	}
	a.Schedule = storm.Burst{N: 100}
	if _, rep = fire(t, a); rep.Direct {
		t.Error("a small burst was fired without vegeta")
	}
}

func TestAStopEndsAStormWithoutVegeta(t *testing.T) {
	release := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	srv := serve(t, func(http.ResponseWriter, *http.Request) {
		stop()
		<-release
	})
	defer close(release)
	all, rep := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 6000}, Connections: 10}, func(results.Sample) {})
	if n := unsent(t, all); !rep.Direct || !rep.Stopped || n+rep.Sent != 6000 || rep.Sent > 10 {
		t.Errorf("%d unsent and %d sent of 6,000 over 10 connections; %+v", n, rep.Sent, rep)
	}
}
