package drive_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// unsent counts the samples that were never sent, and fails where one of them
// has a stamp of a send or an end.
func unsent(t *testing.T, all []results.Sample) int {
	t.Helper()
	n := 0
	for _, s := range all {
		if s.Outcome == results.OutcomeUnsent {
			n++
			if s.Sent != 0 || s.Done != 0 {
				t.Errorf("trigger %d is unsent, yet sent at %d and done at %d", s.Seq, s.Sent, s.Done)
			}
		}
	}
	return n
}

func TestAStopInALongGapTakesEffectAtOnce(t *testing.T) {
	var arrived atomic.Int64
	srv := serve(t, func(http.ResponseWriter, *http.Request) { arrived.Add(1) })
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// Were the gap waited for, the test would run into its own time limit.
	all, rep := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: storm.Gap{N: 100, Gap: time.Hour}},
		func(s results.Sample) {
			if s.Seq == 0 {
				stop()
			}
		})
	if n := unsent(t, all); n != 99 || all[0].Outcome != results.OutcomeServed {
		t.Errorf("%d unsent, want 99 and the first served", n)
	}
	if arrived.Load() != 1 || !rep.Stopped || rep.Sent != 1 {
		t.Errorf("%d arrived; report %+v", arrived.Load(), rep)
	}
	if at, _ := (storm.Gap{N: 100, Gap: time.Hour}).At(99); all[99].Intended != rep.Start.Add(at) {
		t.Error("what was not sent has lost its intended time")
	}
}

func TestAStopGivesUpWhatIsInFlight(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	release := make(chan struct{})
	var arrived atomic.Int64
	srv := serve(t, func(http.ResponseWriter, *http.Request) {
		if arrived.Add(1) == 5 {
			stop()
		}
		<-release
	})
	defer close(release)
	all, rep := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: storm.Constant{Rate: 100, For: time.Hour}}, func(results.Sample) {})
	lost := 0
	for _, s := range all {
		if s.Sent != 0 && (s.Outcome != results.OutcomeFailed || s.Reason != "stopped before the answer" || s.Done == 0) {
			t.Errorf("trigger %d: %s %q", s.Seq, s.Outcome, s.Reason)
		}
		if s.Sent != 0 {
			lost++
		}
	}
	if n := unsent(t, all); n+lost != len(all) || lost < 5 || lost != rep.Sent {
		t.Errorf("%d unsent and %d given up of %d; the report has %d sent", n, lost, len(all), rep.Sent)
	}
}

func TestAStopBeforeTheStormSendsNothing(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something arrived") })
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, sch := range []storm.Schedule{storm.Burst{N: 200}, storm.Sequence{N: 3}} {
		all, rep := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: sch}, func(results.Sample) {})
		if n := unsent(t, all); n != sch.Len() || !rep.Stopped {
			t.Errorf("%s: %d unsent", sch, n)
		}
	}
}

func TestAStopOfASequence(t *testing.T) {
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	all, _ := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: storm.Sequence{N: 100_000}}, func(s results.Sample) {
		if s.Seq == 3 {
			stop()
		}
	})
	if n := unsent(t, all); n < 50_000 {
		t.Errorf("%d unsent of 100,000, stopped at the fourth", n)
	}
}
