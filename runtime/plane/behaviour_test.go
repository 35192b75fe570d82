package plane

import (
	"slices"
	"testing"
	"time"
)

func TestHPAPolicyBoundsTheChangeInItsPeriod(t *testing.T) {
	up := &Behaviour{Policies: []Policy{{Pods: 3, Period: time.Minute}}}
	got := minutes(&HPA{Target: 0.1, Up: up}, 2, repeat(6, 1)...) // a look each 15 s
	if wants := []int{5, 5, 5, 5, 8, 8}; !slices.Equal(got, wants) {
		t.Errorf("pods %v, want %v", got, wants)
	}
}

func TestHPASelectMinTakesTheSlowestPolicy(t *testing.T) {
	policies := []Policy{{Percent: 100, Period: 15 * time.Second}, {Pods: 4, Period: 15 * time.Second}}
	for _, test := range []struct {
		min  bool
		want int
	}{{false, 20}, {true, 14}} {
		h := &HPA{Target: 0.1, Up: &Behaviour{Policies: policies, SelectMin: test.min}}
		if got := minutes(h, 10, 1); got[0] != test.want {
			t.Errorf("select min %v: %d pods, want %d", test.min, got[0], test.want)
		}
	}
}

func TestHPAScaleDownByPercentOfThePodsAtThePeriodsStart(t *testing.T) {
	down := &Behaviour{Policies: []Policy{{Percent: 10, Period: time.Minute}}}
	got := minutes(&HPA{Down: down}, 50, repeat(6, 0.01)...)
	if wants := []int{45, 45, 45, 45, 40, 40}; !slices.Equal(got, wants) {
		t.Errorf("pods %v, want %v", got, wants)
	}
}

func TestHPADisabledDirectionDoesNotChange(t *testing.T) {
	off := &Behaviour{Disabled: true}
	if got := minutes(&HPA{Up: off, Down: off}, 5, 1, 0.01); !slices.Equal(got, []int{5, 5}) {
		t.Errorf("pods %v, want 5", got)
	}
}

func TestHPAScaleUpWaitsForTheLowestAdviceOfItsWindow(t *testing.T) {
	up := &Behaviour{Stabilise: 30 * time.Second}
	got := minutes(&HPA{Target: 0.5, Up: up}, 4, 0.5, 1, 1, 1)
	if wants := []int{4, 4, 8, 8}; !slices.Equal(got, wants) {
		t.Errorf("pods %v, want %v", got, wants)
	}
}

func TestHPAToleranceIsASetting(t *testing.T) {
	if got := minutes(&HPA{Target: 0.5, Tolerance: 0.3}, 10, 0.64); got[0] != 10 {
		t.Errorf("%d pods within a tolerance of 0.3, want 10", got[0])
	}
	if got := minutes(&HPA{Target: 0.5, Tolerance: -1}, 10, 0.51); got[0] != 11 {
		t.Errorf("%d pods without tolerance, want 11", got[0])
	}
}
