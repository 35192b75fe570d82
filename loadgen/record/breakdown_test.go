package record_test

import (
	"testing"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/results"
)

// begun is a cold start of a mode, of 100 ms by the client, of whose start each moment
// after the ask took as long as the times say.
func begun(seq int, mode string, moments map[results.Moment]time.Duration) results.Sample {
	s := sample(seq, 0, 101*ms, results.StartCold)
	s.Mode, s.Phases.Queue, s.Phases.Invoke = mode, 2*ms, 5*ms
	s.Moments[results.MomentAsk] = s.Sent.Add(3 * ms)
	for m, after := range moments {
		s.Moments[m] = s.Moments[results.MomentAsk].Add(after)
	}
	return s
}

func TestBreakdownIsOfEachModeByItself(t *testing.T) {
	var r record.Recorder
	for i := range 3 {
		r.Add(begun(i, "cold", map[results.Moment]time.Duration{
			results.MomentReceived: ms, results.MomentCloned: 4 * ms, results.MomentExec: 9 * ms, results.MomentReady: time.Duration(20+i) * ms,
		}))
	}
	r.Add(begun(3, "pooled", map[results.Moment]time.Duration{
		results.MomentReceived: ms, results.MomentBegun: 2 * ms, results.MomentExec: 3 * ms, results.MomentFirst: 4 * ms, results.MomentReady: 10 * ms,
	}))
	failed := begun(4, "pooled", map[results.Moment]time.Duration{results.MomentReceived: 50 * ms})
	failed.Outcome = results.OutcomeFailed
	r.Add(failed)
	r.Add(sample(5, 0, 100*ms, results.StartCold)) // of an endpoint that tells no moments
	r.Add(sample(6, 0, 10*ms, results.StartWarm))
	got := r.Series().Breakdown
	if len(got) != 2 || got[0].Mode != "cold" || got[1].Mode != "pooled" || got[0].Total.N != 3 || got[1].Total.N != 1 || got[1].Total.P50 != 100*ms {
		t.Fatalf("%+v", got)
	}
	for i, want := range []map[results.Part]time.Duration{
		{results.PartQueue: 2 * ms, results.PartHandOver: ms, results.PartClone: 3 * ms, results.PartSetup: 5 * ms, results.PartInit: 12 * ms, results.PartInvoke: 5 * ms, results.PartTransport: 72 * ms},
		{results.PartQueue: 2 * ms, results.PartHandOver: ms, results.PartWake: ms, results.PartSecurity: ms, results.PartRuntimeInit: ms, results.PartFunctionInit: 6 * ms, results.PartInvoke: 5 * ms, results.PartTransport: 83 * ms},
	} {
		for _, p := range got[i].Parts {
			if p.Time.P50 != want[p.Part] || p.Time.N != got[i].Total.N {
				t.Errorf("%s, %s: %+v, want %v", got[i].Mode, p.Part, p.Time, want[p.Part])
			}
			delete(want, p.Part)
		}
		if len(want) > 0 {
			t.Errorf("%s: no %v", got[i].Mode, want)
		}
		if last := got[i].Parts[len(got[i].Parts)-1].Part; last != results.PartTransport {
			t.Errorf("%s: %s comes last, want what is left", got[i].Mode, last)
		}
	}
}
