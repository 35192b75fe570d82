package results

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPartsOfAStart(t *testing.T) {
	for _, c := range []struct {
		rule string
		m    Moments
		want []Span
	}{
		{"cold", Moments{MomentAsk: 10, MomentReceived: 13, MomentCloned: 20, MomentRootfs: 50, MomentCgroups: 61, MomentJoined: 65, MomentSecured: 80, MomentExec: 82, MomentReady: 200}, []Span{
			{PartHandOver, 3}, {PartClone, 7}, {PartRootfs, 30}, {PartCgroups, 11}, {PartNetwork, 4}, {PartSecurity, 15}, {PartLastOrder, 2}, {PartInit, 118},
		}},
		{"pooled, and a program that tells", Moments{MomentAsk: 10, MomentReceived: 13, MomentBegun: 20, MomentExec: 50, MomentFirst: 70, MomentReady: 100}, []Span{
			{PartHandOver, 3}, {PartWake, 7}, {PartSecurity, 30}, {PartRuntimeInit, 20}, {PartFunctionInit, 30},
		}},
		{"parked", Moments{MomentAsk: 10, MomentReceived: 13, MomentExec: 20}, []Span{{PartHandOver, 3}, {PartWake, 7}}},
		{"a process", Moments{MomentAsk: 10, MomentReceived: 13, MomentCloned: 20, MomentExec: 25}, []Span{{PartHandOver, 3}, {PartClone, 7}, {PartSetup, 5}}},
		{"an OCI runtime's", Moments{MomentAsk: 10, MomentReceived: 13, MomentCloned: 20, MomentRan: 900, MomentReady: 950}, []Span{
			{PartHandOver, 3}, {PartClone, 7}, {PartRuntime, 880}, {PartInit, 50},
		}},
		{"at one time", Moments{MomentAsk: 10, MomentReceived: 10}, []Span{{PartHandOver, 0}}},
		{"one moment", Moments{MomentAsk: 10}, nil},
		{"none", Moments{}, nil},
	} {
		if diff := cmp.Diff(c.want, c.m.Spans()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.rule, diff)
		}
	}
}

func TestTransportIsWhatIsLeft(t *testing.T) {
	s := Sample{Sent: 1000, Done: 2000, Evidence: Evidence{
		Start: StartCold, Phases: Phases{Queue: 11, Sandbox: 40, Init: 300, Invoke: 100, Transport: 549},
		Moments: Moments{MomentAsk: 1050, MomentReceived: 1060, MomentBegun: 1070, MomentExec: 1090, MomentReady: 1390},
	}}
	want := []Span{
		{PartQueue, 11}, {PartHandOver, 10}, {PartWake, 10}, {PartSecurity, 20}, {PartInit, 300}, {PartInvoke, 100}, {PartTransport, 549},
	}
	if diff := cmp.Diff(want, s.Parts()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.Done += 7
	var sum time.Duration
	for _, p := range s.Parts() {
		sum += p.Took
	}
	if got := s.Parts(); sum != s.Total() || got[len(got)-1].Took != 556 {
		t.Errorf("parts %v add up to %v of %v", got, sum, s.Total())
	}
	s.Moments = Moments{}
	if got := s.Parts(); got != nil {
		t.Errorf("parts %v of a start without moments", got)
	}
}

func TestMomentsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for m := range moments {
		if name := m.String(); name == "" || seen[name] {
			t.Errorf("moment %d is called %q", m, name)
		} else {
			seen[name] = true
		}
	}
	if Moment(-1).String() != "unknown" || moments.String() != "unknown" {
		t.Error("what is no moment has a name")
	}
	if first, last := SandboxParts[0], SandboxParts[len(SandboxParts)-1]; first != PartHandOver || last != PartRuntime {
		t.Errorf("a sandbox's start goes from %s to %s", first, last)
	}
}
