package main

import (
	"testing"

	"coldstorm/workloads"
)

func TestStormsThatMeanSomethingAtAnotherScaleAreProjected(t *testing.T) {
	burst := workloads.Storm{Shape: workloads.ShapeBurst}
	constant := workloads.Storm{Shape: workloads.ShapeConstant}
	for _, c := range []struct {
		rule  string
		storm workloads.Storm
		want  bool
	}{
		{"a burst is", burst, true},
		{"a constant rate that starts cold is", constant, true},
		{"one that finds its environments warm is the steady stream", workloads.Storm{Shape: workloads.ShapeConstant, Warm: 4}, false},
		{"a trace is", workloads.Storm{Shape: workloads.ShapeTrace}, true},
		{"a chain with a constant part is", workloads.Storm{Shape: workloads.ShapeChain, Parts: []workloads.Storm{{Shape: workloads.ShapePause}, constant}}, true},
		{"a rate over several functions is", workloads.Storm{Shape: workloads.ShapeZipf, Functions: 3, Parts: []workloads.Storm{constant}}, true},
		{"one of which a share starts cold is, whatever is warm", workloads.Storm{Shape: workloads.ShapeCold, Warm: 4, Parts: []workloads.Storm{constant}}, true},
		{"a probe of idle gaps is not", workloads.Storm{Shape: workloads.ShapeLadder}, false},
		{"a closed loop is not", workloads.Storm{Shape: workloads.ShapeLoop}, false},
	} {
		if got := projected(c.storm); got != c.want {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
}
