package record_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"coldstorm/loadgen/record"
	"coldstorm/results"
)

const (
	ms = time.Millisecond
	t0 = results.Stamp(5_000_000_000)
)

// sample is a trigger intended at, sent 1 ms later and served after latency.
func sample(seq int, at, latency time.Duration, start results.Start) results.Sample {
	return results.Sample{
		Seq: uint64(seq), Intended: t0.Add(at), Sent: t0.Add(at + ms), Done: t0.Add(at + latency),
		Outcome: results.OutcomeServed, Status: 200,
		Evidence: results.Evidence{Start: start},
	}
}

func TestCounts(t *testing.T) {
	var r record.Recorder
	cold := sample(0, 0, 50*ms, results.StartCold)
	cold.Cause = results.CauseScaleOut
	throttled := sample(2, 0, 2*ms, results.StartUnknown)
	throttled.Outcome, throttled.Reason = results.OutcomeThrottled, "ConcurrentInvocationLimitExceeded"
	timedOut := sample(3, 0, 2*ms, "")
	timedOut.Outcome, timedOut.Reason = results.OutcomeTimedOut, "Sandbox.Timedout"
	failed := sample(4, 0, 2*ms, results.StartCold)
	failed.Outcome, failed.Reason, failed.Cause = results.OutcomeFailed, "HTTP 503", results.CauseCrashed
	strange := sample(5, 0, 2*ms, "")
	strange.Outcome = "vanished"
	unsent := results.Sample{Seq: 6, Intended: t0, Outcome: results.OutcomeUnsent}
	for _, s := range []results.Sample{
		cold, sample(1, 0, 2*ms, results.StartWarm), throttled, timedOut, failed, strange, unsent,
		sample(7, 0, 2*ms, ""), sample(8, 0, 2*ms, results.StartRestored),
	} {
		r.Add(s)
	}
	want := results.Counts{
		Offered: 9, Served: 4, Throttled: 1, Failed: 2, TimedOut: 1, Unsent: 1,
		Cold: 1, Warm: 1, Ready: 1, Unknown: 1,
		Causes:  map[results.Cause]int{results.CauseScaleOut: 1},
		Reasons: map[string]int{"ConcurrentInvocationLimitExceeded": 1, "Sandbox.Timedout": 1, "HTTP 503": 1},
	}
	if diff := cmp.Diff(want, r.Counts()); diff != "" {
		t.Error(diff)
	}
	if !r.Counts().Accounted() {
		t.Error("a trigger is not accounted for")
	}
	r.Counts().Causes[results.CauseScaleOut] = 99
	if r.Counts().Causes[results.CauseScaleOut] != 1 {
		t.Error("counts handed out can be changed from outside")
	}
}

func TestColdAndWarmAreNeverMixed(t *testing.T) {
	var r record.Recorder
	for i := range 10 {
		r.Add(sample(i, 0, time.Duration(i+100)*ms, results.StartCold))
		r.Add(sample(i, 0, time.Duration(i+2)*ms, results.StartWarm))
	}
	failed := sample(20, 0, 900*ms, results.StartCold)
	failed.Outcome = results.OutcomeFailed
	r.Add(failed)
	s := r.Series()
	if q := s.Latency[results.StartCold]; q.N != 10 || q.Min != 100*ms || q.Max != 109*ms || q.P50 != 104*ms {
		t.Errorf("cold: %+v", q)
	}
	if q := s.Latency[results.StartWarm]; q.N != 10 || q.Max != 11*ms {
		t.Errorf("warm: %+v", q)
	}
	if q := s.Total; q.N != 10 || q.Min != 99*ms {
		t.Errorf("total of cold starts: %+v", q)
	}
	if q := s.Lag; q.N != 21 || q.P50 != ms {
		t.Errorf("lag: %+v", q)
	}
	if len(s.Spectra[results.StartCold]) == 0 || len(s.Spectra) != 2 {
		t.Errorf("spectra: %v", s.Spectra)
	}
}

func TestPhasesOfColdStarts(t *testing.T) {
	var r record.Recorder
	for i, sandbox := range []time.Duration{10 * ms, 0, 20 * ms} {
		s := sample(i, 0, 100*ms, results.StartCold)
		s.Phases = results.Phases{Sandbox: sandbox, Invoke: 5 * ms, Transport: 99*ms - sandbox - 5*ms}
		s.Mode, s.Billed, s.MaxMemory = "cold", 7*ms, int64(100+i)
		r.Add(s)
	}
	warm := sample(3, 0, 10*ms, results.StartWarm)
	warm.Phases.Invoke, warm.CPU = 3*ms, 2*ms
	r.Add(warm)
	s := r.Series()
	if q := s.Phases[results.PhaseSandbox]; q.N != 3 || q.P50 != 10*ms || q.Min != 0 {
		t.Errorf("sandbox: %+v, want one without it to count as zero", q)
	}
	if _, ok := s.Phases[results.PhaseQueue]; ok {
		t.Error("a phase that never happened is listed")
	}
	if q := s.Phases[results.PhaseInvoke]; q.N != 3 || q.Max != 5*ms {
		t.Errorf("invoke: %+v, want cold starts alone", q)
	}
	if s.Service[results.StartWarm].P50 != 3*ms || s.Service[results.StartCold].P50 != 5*ms {
		t.Errorf("service: %+v", s.Service)
	}
	if s.BilledMS != 21 || s.PeakMemory != 102 || fmt.Sprint(s.Modes) != "[cold]" || s.CPU.P50 != 2*ms {
		t.Errorf("billed %d ms, peak %d, modes %v, cpu %v", s.BilledMS, s.PeakMemory, s.Modes, s.CPU.P50)
	}
}

func TestSkewIsOfBurstsAlone(t *testing.T) {
	var burst, rate record.Recorder
	for i := range 3 {
		s := sample(i, 0, 50*ms, results.StartWarm)
		s.Sent = t0.Add(time.Duration(i) * ms)
		burst.Add(s)
		rate.Add(sample(i, time.Duration(i)*ms, 50*ms, results.StartWarm))
	}
	if got := burst.Series().Skew; got != 2*ms {
		t.Errorf("burst: %v", got)
	}
	if got := rate.Series().Skew; got != 0 {
		t.Errorf("rate: %v", got)
	}
}

func TestTimeline(t *testing.T) {
	var r record.Recorder
	r.Add(sample(0, 0, 15*ms, results.StartCold))
	r.Add(sample(1, 5*ms, 2*ms, results.StartWarm))
	throttled := sample(2, 11*ms, 2*ms, "")
	throttled.Outcome = results.OutcomeThrottled
	r.Add(throttled)
	failed := sample(3, 21*ms, 2*ms, "")
	failed.Outcome = results.OutcomeFailed
	r.Add(failed)
	r.Add(results.Sample{Seq: 4, Intended: t0.Add(time.Hour), Outcome: results.OutcomeUnsent})
	r.AddCensus(record.Census{At: t0.Add(12 * ms), Starting: 1, Idle: 2, Busy: 3})
	r.AddCensus(record.Census{At: t0.Add(19 * ms), Starting: 0, Idle: 4, Busy: 2})
	every := 10 * ms
	want := []results.TimelinePoint{
		{At: 0, Every: every, Offered: 2, Completed: 1, InFlight: 1, Starting: -1, Idle: -1, Busy: -1},
		{At: every, Every: every, Offered: 1, Completed: 1, Cold: 1, Throttled: 1, Starting: 0, Idle: 4, Busy: 2},
		{At: 2 * every, Every: every, Offered: 1, Errors: 1, Starting: 0, Idle: 4, Busy: 2},
	}
	if diff := cmp.Diff(want, r.Series().Timeline); diff != "" {
		t.Error(diff)
	}
}

func TestTimelineIntervals(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{
		20 * ms:          10 * ms,
		999 * ms:         10 * ms,
		time.Second:      100 * ms,
		10 * time.Second: 100 * ms,
		30 * time.Second: 300 * ms,
		time.Hour:        time.Second,
	} {
		var r record.Recorder
		r.Add(sample(0, 0, took, results.StartWarm))
		line := r.Series().Timeline
		if line[0].Every != want {
			t.Errorf("%v: intervals of %v, want %v", took, line[0].Every, want)
		}
		completed := 0
		for _, p := range line {
			completed += p.Completed
		}
		if completed != 1 || line[len(line)-1].InFlight != 0 {
			t.Errorf("%v: %d completed, %d left in flight", took, completed, line[len(line)-1].InFlight)
		}
	}
}

func TestAnEmptySeries(t *testing.T) {
	var r record.Recorder
	s := r.Series()
	if s.Counts.Offered != 0 || s.Took != 0 || s.Timeline != nil || !s.Counts.Accounted() {
		t.Errorf("%+v", s)
	}
	if err := r.WriteHlog(io.Discard); err != nil {
		t.Error(err)
	}
}

func TestHlogReadsBack(t *testing.T) {
	r := record.Recorder{Name: "two\nlines"}
	for i := range 2500 {
		start := results.StartWarm
		if i%100 == 0 {
			start = results.StartCold
		}
		s := sample(i, time.Duration(i)*ms, time.Duration(i+2)*ms, start)
		s.Phases.Invoke = ms
		r.Add(s)
	}
	r.Add(sample(2500, 0, 2000*time.Second, results.StartWarm)) // beyond the range: clamped, not lost
	var buf bytes.Buffer
	if err := r.WriteHlog(&buf); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(buf.String(), "logged as that: 1]") {
		t.Errorf("no word of the value that was too long:\n%.300s", buf.String())
	}
	total := map[string]int64{}
	in := hdrhistogram.NewHistogramLogReader(&buf)
	var longest int64
	for {
		h, err := in.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		total[h.Tag()] += h.TotalCount()
		longest = max(longest, h.Max())
		if h.EndTimeMs()-h.StartTimeMs() != 1000 {
			t.Errorf("a line covers %d ms", h.EndTimeMs()-h.StartTimeMs())
		}
	}
	want := map[string]int64{"cold": 25, "cold-service": 25, "warm": 2476, "warm-service": 2475}
	if diff := cmp.Diff(want, total); diff != "" {
		t.Error(diff)
	}
	if d := time.Duration(longest); d < 899*time.Second || d > 901*time.Second {
		t.Errorf("longest %v, want 900 s in three digits", d)
	}
}

func TestManySamplesKeepTheirOrder(t *testing.T) {
	var r record.Recorder
	for i := range 5000 {
		r.Add(sample(i, 0, ms, results.StartWarm))
	}
	next := uint64(0)
	for s := range r.Samples() {
		if s.Seq != next {
			t.Fatalf("sample %d where %d belongs", s.Seq, next)
		}
		next++
	}
	if r.Len() != 5000 || next != 5000 {
		t.Errorf("%d samples, %d yielded", r.Len(), next)
	}
}

func ExampleRecorder() {
	r := record.Recorder{Name: "burst", Shape: "burst of 2 at once"}
	r.Add(results.Sample{
		Intended: 1_000_000, Sent: 1_000_500, Done: 81_000_000,
		Outcome: results.OutcomeServed, Evidence: results.Evidence{Start: results.StartCold},
	})
	r.Add(results.Sample{
		Seq: 1, Intended: 1_000_000, Sent: 1_002_000, Done: 3_000_000,
		Outcome: results.OutcomeThrottled, Reason: "ConcurrentInvocationLimitExceeded",
	})
	s := r.Series()
	fmt.Println(s.Counts.Served, s.Counts.Throttled, s.Latency[results.StartCold].P50, s.Skew)
	// Output: 1 1 80ms 1.5µs
}
