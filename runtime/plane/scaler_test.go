package plane

import (
	"slices"
	"testing"
	"time"
)

// minutes asks a scaler at each minute with these utilisations and returns its
// answers, which it follows.
func minutes(s Scaler, units int, use ...float64) []int {
	var out []int
	for i, u := range use {
		units = s.Desired(Sight{At: time.Duration(i+1) * s.Every(), Units: units, Counted: units, Utilisation: u})
		out = append(out, units)
	}
	return out
}

func repeat(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

func TestTargetTrackingScalesOutOnThreePointsAboveTarget(t *testing.T) {
	got := minutes(&TargetTracking{Delay: -1}, 4, 0.9, 0.5, 0.9, 0.9, 1.0)
	if wants := []int{4, 4, 4, 4, 6}; !slices.Equal(got, wants) { // ceil(4 x 1.0 / 0.7)
		t.Errorf("units %v, want %v", got, wants)
	}
}

func TestTargetTrackingSeesPointsLate(t *testing.T) {
	got := minutes(&TargetTracking{}, 4, repeat(6, 1)...)
	// 3 points + 3 minutes: AWS measured 363 s from load to trigger.
	if wants := []int{4, 4, 4, 4, 4, 6}; !slices.Equal(got, wants) {
		t.Errorf("units %v, want %v", got, wants)
	}
}

func TestTargetTrackingCoolsDownForFiveMinutes(t *testing.T) {
	got := minutes(&TargetTracking{Delay: -1}, 1, repeat(9, 1)...)
	if wants := []int{1, 1, 2, 2, 2, 2, 2, 3, 3}; !slices.Equal(got, wants) {
		t.Errorf("units %v, want %v", got, wants)
	}
}

func TestTargetTrackingScalesInOnFifteenPointsBelowNinetyPercentOfTarget(t *testing.T) {
	if got := minutes(&TargetTracking{Delay: -1}, 10, repeat(30, 0.64)...); got[29] != 10 { // 91 % of 0.7
		t.Errorf("%d units at 91 %% of the target, want 10", got[29])
	}
	got := minutes(&TargetTracking{Delay: -1}, 10, repeat(15, 0.35)...)
	if got[13] != 10 || got[14] != 5 {
		t.Errorf("units %v, want 10 for 14 minutes, then 5", got)
	}
}

func TestMinuteWithoutDataMovesNothing(t *testing.T) {
	s := &TargetTracking{Delay: -1}
	for i := range 40 {
		if got := s.Desired(Sight{At: time.Duration(i) * time.Minute, Units: 3}); got != 3 {
			t.Fatalf("%d units, want 3", got)
		}
	}
}

func TestTargetTrackingOnRequestsHasNoUpperEnd(t *testing.T) {
	s := &TargetTracking{PerTarget: 60, Delay: -1}
	n := 0
	for i := range 3 {
		n = s.Desired(Sight{At: time.Duration(i) * time.Minute, Units: 2, Counted: 2, Requests: 6000})
	}
	if n != 100 {
		t.Errorf("%d units, want 6000/60 = 100 in one step", n)
	}
}

func TestHPAIsCeilOfCurrentTimesMetricOverTarget(t *testing.T) {
	for _, test := range []struct {
		name           string
		counted, fresh int
		use            float64
		want           int
	}{
		{"above target", 10, 0, 0.84, 12},
		{"within a tolerance of a tenth", 10, 0, 0.769, 10},
		{"below, but its last advice was higher", 10, 0, 0.35, 5},
		{"pods that are not ready count as idle on scale-up", 8, 1, 0.95, 11},
		{"and stop it where the ratio turns", 4, 4, 0.95, 8},
		{"no metrics", 0, 5, 0, 5},
	} {
		s := Sight{At: time.Hour, Units: test.counted + test.fresh, Counted: test.counted, Fresh: test.fresh, Utilisation: test.use}
		if got := new(HPA).Desired(s); got != test.want {
			t.Errorf("%s: %d pods, want %d", test.name, got, test.want)
		}
	}
}

func TestHPAAtMostDoublesOrAddsFourInFifteenSeconds(t *testing.T) {
	h := &HPA{Target: 0.1}
	if got, wants := minutes(h, 1, repeat(4, 1)...), []int{5, 10, 20, 40}; !slices.Equal(got, wants) {
		t.Errorf("pods %v, want %v", got, wants)
	}
}

func TestHPAScalesDownToTheHighestAdviceOfFiveMinutes(t *testing.T) {
	use := append([]float64{1.0}, repeat(25, 0.1)...)
	got := minutes(&HPA{}, 7, use...)
	for i, n := range got {
		at := time.Duration(i) * hpaSync // after the first look
		if wants := 10; at < HPADown.Stabilise && n != wants {
			t.Errorf("%v after the peak there are %d pods, want %d", at, n, wants)
		}
	}
	if last := got[len(got)-1]; last >= 10 {
		t.Errorf("%d pods after the window, want fewer", last)
	}
}

func TestCapacityProviderAddsWhatIsNeededEachMinute(t *testing.T) {
	c := &CapacityProvider{}
	ask := func(at time.Duration, s NodeSight) int {
		s.At, s.PerNode, s.Least = at, 2, 1
		n, again := c.Nodes(s)
		if again <= at {
			t.Errorf("at %v it asks to be asked at %v", at, again)
		}
		return n
	}
	sec := time.Second
	if n := ask(1*sec, NodeSight{Pending: 5, Up: 2, Used: 2}); n != 2 {
		t.Errorf("%d nodes within the minute, want 2", n)
	}
	if n := ask(61*sec, NodeSight{Pending: 5, Up: 2, Used: 2}); n != 5 {
		t.Errorf("%d nodes, want 2 and 3 for 5 tasks", n)
	}
	if n := ask(121*sec, NodeSight{Pending: 5, Up: 2, Used: 2, Starting: 3}); n != 5 {
		t.Errorf("%d nodes, want 5: those that start count", n)
	}
	for i := range 15 {
		n := ask(time.Duration(181+60*i)*sec, NodeSight{Up: 5, Used: 2})
		if wants := 5; i < 14 && n != wants {
			t.Errorf("%d nodes on point %d below, want %d", n, i+1, wants)
		}
		if i == 14 && n != 2 {
			t.Errorf("%d nodes on the fifteenth point below, want 2", n)
		}
	}
}

func TestKarpenterBatchesForASecondOfQuietAndTenAtMost(t *testing.T) {
	k := &Karpenter{}
	ask := func(at time.Duration, pending int) (int, time.Duration) {
		return k.Nodes(NodeSight{At: at, Pending: pending, PerNode: 2, Up: 1, Used: 1})
	}
	ms := time.Millisecond
	if n, again := ask(0, 1); n != 1 || again != 1000*ms {
		t.Errorf("%d nodes, again at %v, want 1 and 1 s", n, again)
	}
	if n, again := ask(900*ms, 3); n != 1 || again != 1900*ms {
		t.Errorf("%d nodes, again at %v, want 1 and 1.9 s: another pod came", n, again)
	}
	if n, _ := ask(1900*ms, 3); n != 3 {
		t.Errorf("%d nodes, want 1 and 2 for 3 pods", n)
	}
	k = &Karpenter{}
	for i := range 20 {
		n, _ := ask(time.Duration(i)*600*ms, i+1)
		if wants := i >= 17; (n > 1) != wants {
			t.Errorf("after %v of new pods there are %d nodes", time.Duration(i)*600*ms, n)
		}
		if n > 1 {
			break
		}
	}
}
