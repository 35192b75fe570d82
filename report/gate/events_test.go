package gate

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// events describes a made-up run of a storm by a queue: of each kind of start so many
// invocations, of so many events each.
type events struct {
	seed       uint64
	cold, warm int
	batch      int     // 0: 1
	poll       float64 // on the time from publish to poll; 0: 1
	handler    float64 // on that of the handler; 0: 1
	lost       int     // events that were not done with in time
	retried    int     // of the served ones
}

// medians of the parts of the way in milliseconds, cold and warm, in the order of
// results.WayNames. Each varies by itself, lognormal with a sigma of 0.1.
var medians = map[results.Start][]float64{
	results.StartCold: {1, 20, 2, 120, 10},
	results.StartWarm: {1, 20, 2, 0.5, 10},
}

func (e events) arm(id string) Arm {
	out := synthetic{}.arm(id)
	rng := rand.New(rand.NewPCG(e.seed, 7))
	add := func(n int, start results.Start) {
		for i := range n {
			took := slices.Clone(medians[start])
			for p := range took {
				took[p] *= math.Exp(0.1 * rng.NormFloat64())
			}
			took[1] *= max(e.poll, 1)
			took[4] *= max(e.handler, 1)
			for range max(e.batch, 1) { // they differ in when they were due alone
				s := results.Sample{
					Series: "orders", Seq: uint64(len(out.Samples)), Outcome: results.OutcomeServed,
					Intended: results.Stamp(1e9 + len(out.Samples)*1e3),
				}
				s.Environment, s.Served, s.Start = string(start), i, start
				at := s.Intended
				for p, to := range []*results.Stamp{&s.Way.Publish, &s.Way.Poll, &s.Way.Invoke, &s.Way.Handler, &s.Done} {
					at = at.Add(time.Duration(took[p] * 1e6))
					*to = at
				}
				s.Sent, s.Way.Attempts = s.Intended, 1
				if e.retried > 0 {
					e.retried--
					s.Way.Attempts = 2
				}
				out.Samples = append(out.Samples, s)
			}
		}
	}
	add(e.cold, results.StartCold)
	add(e.warm, results.StartWarm)
	served := len(out.Samples)
	for range e.lost {
		s := results.Sample{Series: "orders", Seq: uint64(len(out.Samples)), Outcome: results.OutcomeTimedOut, Intended: 1e9, Sent: 1e9}
		out.Samples = append(out.Samples, s)
	}
	per := max(e.batch, 1)
	out.Run.Series = []results.Series{{
		Name: "orders", Arrivals: "abc", Trigger: "queue, batches of up to 10",
		Counts: results.Counts{Offered: served + e.lost, Served: served, TimedOut: e.lost, Cold: per * e.cold, Warm: per * e.warm},
	}}
	return out
}

// one is the row of a metric and a part.
func one(t *testing.T, r Report, m Metric, part string) Row {
	t.Helper()
	for _, row := range r.Rows {
		if row.Metric == m && row.Part == part {
			return row
		}
	}
	t.Fatalf("no row of %s, %q", m, part)
	return Row{}
}

// eventLimits leave out what no run here is large enough for, or has no figure of.
var eventLimits = Limits{Repeats: 9_999, Effect: map[Metric]float64{WarmP99: Off, Cost: Off}}

func TestEqualRunsOfEventsPass(t *testing.T) {
	base, head := events{seed: 1, cold: 400, warm: 800}, events{seed: 2, cold: 400, warm: 800}
	r := Compare(base.arm("base"), head.arm("head"), eventLimits)
	for _, row := range r.Rows {
		if row.Verdict != Pass {
			t.Errorf("%s: %s, %s", title(row), row.Verdict, row.Why)
		}
	}
	if want := 3 + 2*len(results.WayNames) + 1; r.Verdict != Pass || len(r.Rows) != want {
		t.Errorf("%s of %d rows, want a pass of %d", r.Verdict, len(r.Rows), want)
	}
}

func TestASlowerPollIsARegression(t *testing.T) {
	base, head := events{seed: 1, cold: 200, warm: 400}, events{seed: 2, cold: 200, warm: 400, poll: 2}
	r := Compare(base.arm("base"), head.arm("head"), eventLimits)
	for _, m := range wayMetrics {
		for _, part := range append([]string{""}, results.WayNames...) {
			want := Pass
			if part == "" || part == results.WayNames[1] {
				want = Regression
			}
			row := one(t, r, m, part)
			if want == Regression && row.Verdict != want || want == Pass && row.Verdict == Regression {
				t.Errorf("%s: %s, %s", title(row), row.Verdict, row.Why)
			}
		}
	}
	// Of 33.5 ms, 20 more are six tenths of the whole, and the row shows the part itself.
	row := one(t, r, WarmP50, results.WayNames[1])
	if row.Effect < 0.5 || row.Effect > 0.7 || row.Base < 18e6 || row.Base > 22e6 || row.Head < 36e6 || row.Head > 44e6 {
		t.Errorf("a poll of 20 ms that takes twice as long: %+v", row)
	}
}

func TestAPartThatIsLittleOfTheWayRaisesNoAlarm(t *testing.T) {
	base, head := events{seed: 1, cold: 200, warm: 400}.arm("base"), events{seed: 1, cold: 200, warm: 400}.arm("head")
	for i := range head.Samples { // twice the time to publish, which is 3 % of a warm way
		s := &head.Samples[i]
		for _, at := range []*results.Stamp{&s.Way.Publish, &s.Way.Poll, &s.Way.Invoke, &s.Way.Handler, &s.Done} {
			*at = at.Add(time.Millisecond)
		}
	}
	if row := one(t, Compare(base, head, eventLimits), WarmP50, results.WayNames[0]); row.Verdict != Pass || row.Effect < 0.02 {
		t.Errorf("%s, %s", row.Verdict, row.Why)
	}
}

func TestTooFewInvocationsAreInconclusive(t *testing.T) {
	few := events{seed: 1, cold: 10, warm: 40, batch: 25}
	slow := few
	slow.poll = 3
	r := Compare(few.arm("base"), slow.arm("head"), eventLimits)
	for _, row := range r.Rows {
		if row.Metric != Errors && row.Verdict != Inconclusive {
			t.Errorf("%s: %s, %s", title(row), row.Verdict, row.Why)
		}
	}
	row := one(t, r, WarmP50, "")
	if row.BaseN != 40 || !strings.Contains(row.Why, "base has 40 warm invocations of the 100 that it takes") {
		t.Errorf("1,000 events in 40 invocations: n %d, %s", row.BaseN, row.Why)
	}
	if r.Verdict != Inconclusive {
		t.Errorf("the whole: %s", r.Verdict)
	}
}

func TestNoBlockCutsAnInvocation(t *testing.T) {
	a := events{seed: 1, warm: 103, batch: 7}.arm("a")
	c := newComparison(a, a, Limits{})
	base, _ := c.pick("orders", results.StartWarm, latency)
	total := 0
	for _, b := range blocks(base) {
		total += len(b)
		if len(b)%7 != 0 {
			t.Errorf("a block of %d events of batches of 7", len(b))
		}
	}
	if total != 7*103 {
		t.Errorf("%d events in blocks", total)
	}
}

func TestEventsThatAreLostOrTriedAgainAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		head events
		want Verdict
	}{
		"none":        {events{seed: 2, warm: 1000}, Pass},
		"lost":        {events{seed: 2, warm: 1000, lost: 40}, Regression},
		"tried again": {events{seed: 2, warm: 1000, retried: 40}, Regression},
	} {
		r := Compare(events{seed: 1, warm: 1000}.arm("base"), c.head.arm("head"), eventLimits)
		if row := find(r, Errors); row.Verdict != c.want {
			t.Errorf("%s: %s, %s", name, row.Verdict, row.Why)
		}
	}
}

func TestStormsOfDifferentSourcesAreNotComparable(t *testing.T) {
	base, head := events{seed: 1, cold: 200, warm: 400}.arm("base"), events{seed: 2, cold: 200, warm: 400, poll: 2}.arm("head")
	head.Run.Series[0].Trigger = ""
	for _, row := range Compare(base, head, eventLimits).Rows {
		if row.Verdict != Inconclusive || !strings.Contains(row.Why, "event source differs: queue, batches of up to 10 in base, none in head") {
			t.Errorf("%s: %s, %s", title(row), row.Verdict, row.Why)
		}
	}
}

func TestOlderRunsOfEventsAreComparedAsAWhole(t *testing.T) {
	base, head := events{seed: 1, warm: 400}.arm("base"), events{seed: 2, warm: 400, poll: 2}.arm("head")
	for i := range base.Samples {
		base.Samples[i].Way = results.Way{}
	}
	r := Compare(base, head, eventLimits)
	if row := one(t, r, WarmP50, ""); row.Verdict != Regression {
		t.Errorf("the whole: %s, %s", row.Verdict, row.Why)
	}
	for _, row := range r.Rows {
		if row.Part != "" {
			t.Errorf("there is a row of %s", title(row))
		}
	}
	if text := strings.Join(r.Warnings, "; "); !strings.Contains(text, "a run tells neither: orders") {
		t.Errorf("warnings: %s", text)
	}
}
