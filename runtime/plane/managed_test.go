package plane

import (
	"slices"
	"testing"
	"time"
)

func managed(t *testing.T, r FleetRules) *script {
	t.Helper()
	s := &script{t: t, p: NewManaged(r)}
	acts := s.tick(0)
	for i := 0; i < len(acts); i++ {
		switch a := acts[i]; a.Verb {
		case StartNode:
			acts = append(acts, s.send(0, Event{Kind: NodeUp, Node: a.Node})...)
		case StartUnit:
			acts = append(acts, s.ready(0, a.Unit)...)
		}
	}
	return s
}

func TestManagedInstancesStartWithThreeEnvironmentsOnThreeInstances(t *testing.T) {
	s := &script{t: t, p: NewManaged(FleetRules{Slots: 2, PerNode: 4})}
	want(t, s.tick(0), "start node 1", "start node 2", "start node 3")
	// The environments start as soon as one instance is up; what is left goes where
	// there are fewest.
	if got := s.p.Census(); got.Nodes != 3 {
		t.Errorf("census %+v", got)
	}
}

func TestManagedInstancesThrottleATriggerThatFindsEveryEnvironmentFull(t *testing.T) {
	s := managed(t, FleetRules{Slots: 2, PerNode: 1})
	for i := range Trigger(6) {
		if acts := s.arrive(1, i); len(acts) != 1 || acts[0].Verb != Dispatch {
			t.Fatalf("trigger %d: %v", i, acts)
		}
	}
	want(t, s.arrive(1, 6), "refuse 6 ConcurrentInvocationLimitExceeded")
}

func TestManagedInstancesSendTriggersPastAFullEnvironment(t *testing.T) {
	s := managed(t, FleetRules{Slots: 1, PerNode: 1})
	var units []Unit
	for i := range Trigger(3) {
		units = append(units, s.arrive(1, i)[0].Unit)
	}
	slices.Sort(units)
	if !slices.Equal(units, []Unit{1, 2, 3}) {
		t.Errorf("triggers went to %v, want one to each environment", units)
	}
}

func TestManagedScalingKeepsHalfOfAllSlotsFree(t *testing.T) {
	if got, wants := minutes(&Managed{}, 4, 0.5, 0.75, 1), []int{4, 6, 12}; !slices.Equal(got, wants) {
		t.Errorf("environments %v, want %v", got, wants)
	}
}

func TestManagedScalingForgetsANeedAfterFifteenMinutes(t *testing.T) {
	m := &Managed{}
	m.Desired(Sight{At: 0, Units: 10, Counted: 10, Utilisation: 1})
	look := func(at time.Duration) int {
		return m.Desired(Sight{At: at, Units: 20, Counted: 20, Utilisation: 0.05})
	}
	if n := look(15*time.Minute - time.Second); n != 20 {
		t.Errorf("%d environments within 15 minutes, want 20", n)
	}
	if n := look(15 * time.Minute); n != 2 {
		t.Errorf("%d environments after 15 minutes, want 2", n)
	}
}

func TestManagedScalingWithoutAMetricStays(t *testing.T) {
	if n := (&Managed{}).Desired(Sight{Units: 7}); n != 7 {
		t.Errorf("%d, want 7", n)
	}
}

func TestManagedEnvironmentsTakeAsManyAtOnceAsTheirRuntimesDefault(t *testing.T) {
	for runtime, want := range map[string]int{
		"nodejs22.x": 64, "java21": 32, "dotnet8": 32, "python3.13": 16, "provided.al2023": 8, "": 8, "image": 8,
	} {
		if got := ManagedPerVCPU(runtime); got != want {
			t.Errorf("%q: %d a vCPU, want %d", runtime, got, want)
		}
	}
}
