package results

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEvidenceReadsBack(t *testing.T) {
	for _, c := range []struct {
		rule string
		e    Evidence
	}{
		{"nothing but its start", Evidence{Start: StartUnknown}},
		{"a warm start", Evidence{Environment: "e-1", Served: 7, Start: StartWarm, Received: 10, Responded: 20, Phases: Phases{Invoke: 9}}},
		{"every field", Evidence{
			Environment: "e-1", Node: "n2", Served: 1, Start: StartCold, Cause: CauseCrashed, Mode: "pooled",
			Phases:   Phases{Queue: 1, Sandbox: 2, Rootfs: 3, RuntimeInit: 4, FunctionInit: 5, Init: 6, Invoke: 7, Transport: 8},
			Received: 9, Responded: 10, Billed: 11, MaxMemory: 12, CPU: 13,
			Moments: Moments{MomentAsk: 14, MomentReceived: 15, MomentBegun: 16, MomentReady: 17},
		}},
		{"text that would take the header apart", Evidence{Environment: "a;b=c&d\r\nX: y é", Start: StartCold}},
		{"extremes", Evidence{Start: StartRestored, Served: -1, MaxMemory: math.MaxInt64, CPU: math.MinInt64}},
	} {
		text := c.e.String()
		if strings.ContainsAny(text, "\r\n") {
			t.Errorf("%s: %q can't be a header", c.rule, text)
		}
		got, err := ParseEvidence(text)
		if diff := cmp.Diff(c.e, got); err != nil || diff != "" {
			t.Errorf("%s: error %v, -want +got:\n%s", c.rule, err, diff)
		}
	}
}

func TestEvidenceRefuses(t *testing.T) {
	for _, c := range []struct{ rule, text, want string }{
		{"a word alone", "start", "not key=value"},
		{"an unknown key", "start=warm;latency=3", "latency: unknown key"},
		{"an unknown moment", "at_dawn=3", "at_dawn: unknown key"},
		{"an unknown start", "start=tepid", `unknown start "tepid"`},
		{"text for a number", "served=many", `"many" is not a whole number`},
		{"a number too large", "invoke=99999999999999999999", "not a whole number"},
		{"a broken escape", "environment=%zz", "invalid URL escape"},
		{"an empty pair", "start=warm;", "not key=value"},
	} {
		e, err := ParseEvidence(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.rule, err, c.want)
		}
		if diff := cmp.Diff(Evidence{Start: StartUnknown}, e); diff != "" {
			t.Errorf("%s: some of it was believed:\n%s", c.rule, diff)
		}
	}
	if e, err := ParseEvidence(""); err != nil || e.Start != StartUnknown {
		t.Errorf("none: start %q, error %v, want unknown and none", e.Start, err)
	}
}

// FuzzParseEvidence holds that a peer's header never panics, and that what is
// accepted encodes and decodes to the same.
func FuzzParseEvidence(f *testing.F) {
	f.Add("")
	f.Add("environment=e-1;start=cold;cause=scale-out;mode=cold;queue=1;sandbox=2;invoke=7;received=8;billed=9;cpu=10")
	f.Add("start=cold;at_ask=5;at_ready=9")
	f.Add("environment=%3B%00;served=-1;start=warm")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseEvidence(text)
		if err != nil {
			return
		}
		for _, s := range []string{e.Environment, e.Mode, string(e.Cause)} {
			if s == "0" {
				t.Skip("String leaves out the text 0 as it does the number")
			}
		}
		again, err := ParseEvidence(e.String())
		if err != nil {
			t.Fatalf("%q encodes to %q, which is refused: %v", text, e.String(), err)
		}
		if e != again {
			t.Errorf("%q: %+v encodes to %+v", text, e, again)
		}
	})
}

func TestPhases(t *testing.T) {
	var ph Phases
	sum := time.Duration(0)
	for i, p := range PhaseNames {
		d := time.Duration(1) << i
		ph.Set(p, d)
		if ph.Get(p) != d {
			t.Errorf("%s: set %d, got %d", p, d, ph.Get(p))
		}
		sum += d
	}
	if ph.Sum() != sum {
		t.Errorf("sum %d, want %d: a phase is missing or stored twice", ph.Sum(), sum)
	}
	if want := ph.RuntimeInit + ph.FunctionInit + ph.Init; ph.InitDuration() != want {
		t.Errorf("init duration %d, want %d", ph.InitDuration(), want)
	}
	before := ph
	ph.Set("lunch", 1)
	if ph != before || ph.Get("lunch") != 0 {
		t.Error("an unknown phase was stored")
	}
}

func TestTimesOfASample(t *testing.T) {
	for _, c := range []struct {
		rule                string
		s                   Sample
		latency, lag, total time.Duration
	}{
		{"latency counts from the intended send", Sample{Intended: 100, Sent: 130, Done: 200}, 100, 30, 70},
		{"a send ahead of time has a negative lag", Sample{Intended: 100, Sent: 90, Done: 200}, 100, -10, 110},
		{"what was never answered has no latency", Sample{Intended: 100, Sent: 130}, 0, 30, 0},
		{"what was never sent has none at all", Sample{Intended: 100}, 0, 0, 0},
	} {
		if c.s.Latency() != c.latency || c.s.Lag() != c.lag || c.s.Total() != c.total {
			t.Errorf("%s: latency %d, lag %d, total %d", c.rule, c.s.Latency(), c.s.Lag(), c.s.Total())
		}
	}
}

func TestCountsAreAccountedFor(t *testing.T) {
	good := Counts{Offered: 10, Served: 6, Throttled: 1, Failed: 1, TimedOut: 1, Unsent: 1, Cold: 2, Warm: 2, Ready: 1, Unknown: 1}
	if !good.Accounted() || !(Counts{}).Accounted() {
		t.Error("counts that add up are refused")
	}
	for _, spoil := range []func(*Counts){
		func(c *Counts) { c.Offered++ },
		func(c *Counts) { c.Unsent++ },
		func(c *Counts) { c.Cold++ },
		func(c *Counts) { c.Served, c.Failed = c.Served-1, c.Failed+1 },
	} {
		c := good
		spoil(&c)
		if c.Accounted() {
			t.Errorf("%+v passes", c)
		}
	}
}

func TestStampsAreTimesOfThisProcess(t *testing.T) {
	before := Now()
	at := time.Now()
	after := Now()
	if s := StampOf(at); s < before || s > after {
		t.Errorf("stamp %d of a time between %d and %d", s, before, after)
	}
	if d := before.Time().Sub(StampOf(at).Time()); d > 0 {
		t.Errorf("stamps convert to times in another order: %v", d)
	}
	if s := Stamp(5); s.Sub(0) != 0 || Stamp(0).Sub(s) != 0 || s.Sub(2) != 3 || s.Add(3) != 8 {
		t.Error("stamp arithmetic, where 0 is what did not happen")
	}
}
