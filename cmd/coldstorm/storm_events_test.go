package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/results"
	"coldstorm/runtime/trigger"
)

// streamed is a follower of a stream that gets what is sent to the channel, and ends
// when that is closed.
func streamed(t *testing.T, record func(results.Sample)) (*follower, chan trigger.Completion) {
	t.Helper()
	lines := make(chan trigger.Completion)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		for {
			select {
			case c, ok := <-lines:
				if !ok {
					return
				}
				json.NewEncoder(w).Encode(c)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	f, err := follow(context.Background(), s.URL, record)
	if err != nil {
		t.Fatal(err)
	}
	return f, lines
}

// published is a trigger that was published at a time of its own.
func published(f *follower, seq int) results.Sample {
	at := results.Stamp(1e9 + seq*1e6)
	s := results.Sample{Seq: uint64(seq), Intended: at, Sent: at + 100, Done: at + 1000, Outcome: results.OutcomeServed, Status: 202, Evidence: results.Evidence{Start: results.StartUnknown}}
	f.answered(s.Seq, http.Header{trigger.TriggerHeader: {fmt.Sprint("id ", seq)}})
	return s
}

func completion(s results.Sample) trigger.Completion {
	e := results.Evidence{Start: results.StartWarm, Received: s.Sent + 3000, Responded: s.Sent + 9000, Environment: "e", Phases: results.Phases{Invoke: 4000}}
	return trigger.Completion{
		Trigger: fmt.Sprint("id ", s.Seq), Outcome: results.OutcomeServed, Evidence: e.String(),
		Publish: s.Sent + 500, Poll: s.Sent + 2000, Invoke: s.Sent + 3000, Handler: s.Sent + 5000, Done: s.Sent + 9000,
	}
}

func TestAnEventEndsWhenItsHandlerIsDone(t *testing.T) {
	got := map[uint64]results.Sample{}
	f, lines := streamed(t, func(s results.Sample) { got[s.Seq] = s })
	first, early, failed, foreign := published(f, 0), published(f, 1), published(f, 2), published(f, 3)
	f.sample(first)
	f.complete(completion(early), results.Now()) // before its publishing is observed
	f.sample(early)
	f.sample(failed)
	f.sample(foreign)
	bad := completion(failed)
	bad.Outcome, bad.Evidence = results.OutcomeFailed, ""
	other := completion(foreign)
	other.Publish += results.Stamp(time.Hour)
	for _, c := range []trigger.Completion{completion(first), bad, other, {Trigger: "another's"}} {
		lines <- c
	}
	f.wait(context.Background(), time.Minute)

	for _, seq := range []uint64{0, 1} {
		s := got[seq]
		if s.Done != s.Sent+9000 || s.Start != results.StartWarm || s.Phases.Queue != 2500 || s.Phases.Sum() != s.Total() || len(s.WaySpans()) != len(results.WayNames) {
			t.Errorf("trigger %d: %+v", seq, s)
		}
	}
	if s := got[2]; s.Outcome != results.OutcomeFailed || s.Reason != "event failed" {
		t.Errorf("the failed one: %+v", s)
	}
	if s := got[3]; f.elsewhere != 1 || s.Start != results.StartWarm || s.Phases != (results.Phases{}) || s.Done <= s.Sent+9000 {
		t.Errorf("the one of another clock (%d): %+v", f.elsewhere, s)
	}
	if len(f.latencies) != 4 || slices.Min(f.latencies) != got[0].Latency() || f.last != got[3].Done {
		t.Errorf("ended with latencies %v, the last at %d", f.latencies, f.last)
	}
	way := f.parts()
	if len(way) != len(wayNames) || way[0].Time.P50 != 600 || way[1].Part != "publish to poll" || way[1].Time.P50 != 1500 || way[1].Time.N != 2 {
		t.Errorf("way: %+v", way)
	}
}

func TestEventsThatDoNotEndAreAccountedFor(t *testing.T) {
	ended := func(f *follower, lines chan trigger.Completion) context.Context {
		close(lines)
		return context.Background()
	}
	stopped := func(*follower, chan trigger.Completion) context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx
	}
	late := func(*follower, chan trigger.Completion) context.Context { return context.Background() }
	for name, c := range map[string]struct {
		how      func(*follower, chan trigger.Completion) context.Context
		patience time.Duration
		outcome  results.Outcome
		reason   string
	}{
		"the stream ended": {ended, time.Hour, results.OutcomeFailed, "completions ended"},
		"Ctrl-C":           {stopped, time.Hour, results.OutcomeFailed, "stopped before the event was done with"},
		"no patience":      {late, 0, results.OutcomeTimedOut, "not done with in time"},
	} {
		var got []results.Sample
		f, lines := streamed(t, func(s results.Sample) { got = append(got, s) })
		f.sample(published(f, 7))
		refused := published(f, 8)
		refused.Outcome = results.OutcomeThrottled
		f.sample(refused)
		nameless := published(f, 9)
		delete(f.ids, 9)
		f.sample(nameless)
		f.wait(c.how(f, lines), c.patience)
		if len(got) != 3 || got[0].Outcome != results.OutcomeThrottled || got[1].Outcome != results.OutcomeServed || f.unnamed != 1 {
			t.Fatalf("%s: %+v", name, got)
		}
		if s := got[2]; s.Outcome != c.outcome || s.Reason != c.reason || s.Done == 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestABatchUsesWhatOneInvocationDoes(t *testing.T) {
	got := map[uint64]results.Sample{}
	f, lines := streamed(t, func(s results.Sample) { got[s.Seq] = s })
	batch := []results.Sample{published(f, 0), published(f, 1), published(f, 2)}
	e := results.Evidence{Start: results.StartWarm, Environment: "e", Received: batch[2].Sent + 3000, Responded: batch[2].Sent + 9000, Billed: time.Millisecond, CPU: 500}
	for i, s := range batch {
		f.sample(s)
		c := completion(s)
		c.Evidence, c.Invoke, c.Handler, c.Done = e.String(), e.Received, e.Received, e.Responded
		if i == 2 {
			c.Attempts = 2
		}
		lines <- c
	}
	f.wait(context.Background(), time.Minute)
	var billed, cpu time.Duration
	for _, s := range got {
		billed, cpu = billed+s.Billed, cpu+s.CPU
		if s.Done != e.Responded || s.Environment != "e" || s.Phases.Sum() != s.Total() {
			t.Errorf("%+v", s)
		}
	}
	if billed != time.Millisecond || cpu != 500 || len(f.invocations) != 1 || f.again != 1 {
		t.Errorf("billed %v, %v of a processor, in %d invocations, %d handled again", billed, cpu, len(f.invocations), f.again)
	}
}

func TestOfAnEventThatIsHandledAgainTheFirstTimeCounts(t *testing.T) {
	var got []results.Sample
	f := newFollower(func(s results.Sample) { got = append(got, s) }, nil)
	for seq, before := range []int{0, 1, 2} { // completions that come before its publishing is observed
		s := published(f, seq)
		failed, served := completion(s), completion(s)
		failed.Outcome, failed.Reason, served.Attempts = results.OutcomeFailed, "Odd", 2
		all := []trigger.Completion{failed, served}
		for _, c := range all[:before] {
			f.complete(c, results.Now())
		}
		f.sample(s)
		for _, c := range all[before:] {
			f.complete(c, results.Now())
		}
	}
	if len(got) != 3 || f.again != 0 || f.left() != 0 {
		t.Fatalf("%d samples, %d of another time, %d left", len(got), f.again, f.left())
	}
	for _, s := range got {
		if s.Outcome != results.OutcomeFailed || s.Reason != "event Odd" {
			t.Errorf("trigger %d: %s, %s", s.Seq, s.Outcome, s.Reason)
		}
	}
}

func TestABatchHasOneColdStart(t *testing.T) {
	got := record.Recorder{}
	f := newFollower(got.Add, nil)
	for i, reported := range []bool{true, false, false} { // the function says that it failed on the first
		s := published(f, i)
		c := completion(s)
		e := results.Evidence{Start: results.StartCold, Cause: results.CauseScaleOut, Mode: "cold", Environment: "e", Received: 5e9, Responded: 6e9, Billed: time.Millisecond}
		e.Moments[results.MomentAsk], e.Moments[results.MomentReceived], e.Moments[results.MomentReady] = 5e9, 5e9+1000, 5e9+9000
		c.Evidence, c.Invoke, c.Handler, c.Done = e.String(), e.Received, e.Received+9000, e.Responded
		if reported {
			c.Outcome, c.Reason = results.OutcomeFailed, trigger.ReasonReported
		}
		f.sample(s)
		f.complete(c, results.Now())
	}
	s := got.Series()
	if s.Counts.Cold != 2 || s.BilledMS != 1 || s.Counts.Causes[results.CauseScaleOut] != 1 || len(s.Breakdown) != 1 || s.Breakdown[0].Total.N != 1 {
		t.Errorf("%d events cold, %d ms billed, causes %v, parts %+v", s.Counts.Cold, s.BilledMS, s.Counts.Causes, s.Breakdown)
	}
	if f.coldStarts != 1 || len(f.invocations) != 1 {
		t.Errorf("%d cold starts in %d invocations", f.coldStarts, len(f.invocations))
	}
}

// stream is the body of one that has nothing to read.
type stream struct{ ended chan struct{} }

func (s *stream) Close() error { close(s.ended); return nil }

func TestPatienceIsWithTheNextEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := map[uint64]results.Outcome{}
		body := &stream{}
		f := newFollower(func(s results.Sample) { got[s.Seq] = s.Outcome }, body)
		body.ended = f.ended
		for seq := range 3 {
			f.sample(published(f, seq))
		}
		for i, late := range []time.Duration{9 * time.Second, 18 * time.Second} {
			s := published(f, i)
			time.AfterFunc(late, func() { f.complete(completion(s), results.Now()) })
		}
		began := time.Now()
		f.wait(context.Background(), 10*time.Second)
		want := map[uint64]results.Outcome{0: results.OutcomeServed, 1: results.OutcomeServed, 2: results.OutcomeTimedOut}
		if took := time.Since(began); took != 28*time.Second || !maps.Equal(got, want) {
			t.Errorf("%v after %v, want %v after 28s", got, took, want)
		}
	})
}
