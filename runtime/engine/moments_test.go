package engine

import (
	"testing"
	"time"

	"coldstorm/results"
)

// moments fails the test unless a cold start has moments, in the order of time, and its
// parts add up to what the phases sandbox, rootfs and init do.
func moments(t *testing.T, e results.Evidence) {
	t.Helper()
	spans := e.Moments.Spans()
	if len(spans) < 3 || spans[0].Part != results.PartHandOver || e.Moments[results.MomentReady] == 0 {
		t.Errorf("moments %v", e.Moments)
	}
	var sum time.Duration
	for _, s := range spans {
		if sum += s.Took; s.Took < -50*time.Microsecond { // two readings of one clock, one of them reckoned
			t.Errorf("%s is %v: %v", s.Part, s.Took, spans)
		}
	}
	p := e.Phases
	if want := p.Sandbox + p.Rootfs + p.InitDuration(); sum != want {
		t.Errorf("spans %v add up to %v, the phases to %v: %+v", spans, sum, want, p)
	}
}

// TestAFunctionTellsItsFirstInstruction says that init is split where the function tells,
// and that a claim that can't be is none.
func TestAFunctionTellsItsFirstInstruction(t *testing.T) {
	e := begin(t, Config{})
	for _, c := range []struct {
		tell string
		told bool
	}{{"first", true}, {"", false}, {"1", false}, {"9223372036854775807", false}, {"soon", false}, {"-5", false}} {
		deploy(t, e, Function{Env: map[string]string{"TELL": c.tell}})
		cold := send(t, e, `{"a":1}`).evidence
		sums(t, cold)
		moments(t, cold)
		p := cold.Phases
		if told := cold.Moments[results.MomentFirst] != 0; told != c.told || (p.RuntimeInit > 0) != c.told || (p.FunctionInit > 0) != c.told || (p.Init > 0) == c.told {
			t.Errorf("told %q: first instruction at %d, phases %+v", c.tell, cold.Moments[results.MomentFirst], p)
		}
	}
}
