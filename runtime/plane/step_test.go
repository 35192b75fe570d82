package plane

import (
	"slices"
	"testing"
	"time"
)

func steps() *StepScaling {
	return &StepScaling{
		Above: 0.6, Out: []Step{{0, 1}, {0.2, 4}}, Below: 0.3, In: []Step{{0, 1}, {0.2, 2}}, Delay: -1,
	}
}

func TestStepScalingTakesTheStepThatTheBreachFallsIn(t *testing.T) {
	for use, wants := range map[float64]int{0.6: 10, 0.7: 11, 0.85: 14, 0.3: 10, 0.25: 9, 0.05: 8} {
		if got := minutes(steps(), 10, use); got[0] != wants {
			t.Errorf("at %v there are %d units, want %d", use, got[0], wants)
		}
	}
}

func TestStepScalingCountsWhatACoolingScaleOutAddedTowardsALargerOne(t *testing.T) {
	got := minutes(steps(), 10, 0.7, 0.7, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9)
	// One unit at once; the larger step makes it four together; after 5 minutes anew.
	if wants := []int{11, 11, 14, 14, 14, 14, 14, 18, 18}; !slices.Equal(got, wants) {
		t.Errorf("units %v, want %v", got, wants)
	}
}

func TestStepScaleInWaitsForTheCooldownAndScaleOutDoesNotWaitForAScaleIns(t *testing.T) {
	got := minutes(steps(), 10, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2)
	if wants := []int{9, 9, 9, 9, 9, 8}; !slices.Equal(got, wants) {
		t.Errorf("units %v, want %v", got, wants)
	}
	if got := minutes(steps(), 10, 0.2, 0.7); !slices.Equal(got, []int{9, 10}) {
		t.Errorf("units %v, want 9 and 10", got)
	}
}

func TestStepScalingByPercentIsRoundedDownButChangesOneUnitAtLeast(t *testing.T) {
	for _, test := range []struct{ units, least, want int }{{10, 0, 12}, {3, 0, 4}, {3, 2, 5}} {
		p := &StepScaling{Above: 0.5, Out: []Step{{0, 25}}, Percent: true, Least: test.least, Delay: -1}
		if got := minutes(p, test.units, 1); got[0] != test.want {
			t.Errorf("25 %% of %d, %d at least: %d units, want %d", test.units, test.least, got[0], test.want)
		}
	}
}

func TestStepScalingNeedsItsEvaluationPointsInARow(t *testing.T) {
	p := steps()
	p.PointsOut = 3
	if got := minutes(p, 10, 0.9, 0.1, 0.9, 0.9, 0.9); got[3] >= 10 || got[4] != got[3]+4 {
		t.Errorf("units %v, want a scale-out on the fifth point alone", got)
	}
}

func TestHighResolutionMetricsTriggerAfterEightySeconds(t *testing.T) {
	track := &TargetTracking{Period: 20 * time.Second}
	if got := minutes(track, 4, repeat(4, 1)...); !slices.Equal(got, []int{4, 4, 4, 6}) { // AWS measured 86 s
		t.Errorf("units %v, want a scale-out at 80 s", got)
	}
}

func TestScaleOutDoesNotWaitForTheCooldownOfAScaleIn(t *testing.T) {
	track := &TargetTracking{Delay: -1}
	use := append(repeat(15, 0.1), 1, 1, 1)
	got := minutes(track, 10, use...)
	if got[14] != 2 || got[17] != 3 {
		t.Errorf("units %v, want 2 after 15 minutes and 3 three minutes later", got)
	}
}
