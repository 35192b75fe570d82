package storm_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/workloads"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		rule string
		st   workloads.Storm
		want storm.Schedule
		err  string
	}{
		{"burst", workloads.Storm{Shape: workloads.ShapeBurst, N: 7}, storm.Burst{N: 7}, ""},
		{"constant", workloads.Storm{Shape: workloads.ShapeConstant, Rate: 5, For: s}, storm.Constant{Rate: 5, For: s}, ""},
		{"ramp", workloads.Storm{Shape: workloads.ShapeRamp, From: 1, To: 5, For: s}, storm.Ramp{From: 1, To: 5, For: s}, ""},
		{"gap", workloads.Storm{Shape: workloads.ShapeGap, N: 2, Gap: s}, storm.Gap{N: 2, Gap: s}, ""},
		{"sequence", workloads.Storm{Shape: workloads.ShapeSequence, N: 2}, storm.Sequence{N: 2}, ""},
		{"an unknown shape", workloads.Storm{Name: "x", Shape: "zigzag"}, nil, `storm x: unknown shape "zigzag"`},
		{"nothing to send", workloads.Storm{Name: "x", Shape: workloads.ShapeBurst}, nil, "no triggers"},
		{"negative", workloads.Storm{Shape: workloads.ShapeGap, N: 2, Gap: -s}, nil, "negative time"},
		{"not a number", workloads.Storm{Shape: workloads.ShapeConstant, Rate: math.NaN(), For: s}, nil, "not within"},
		{"too many", workloads.Storm{Shape: workloads.ShapeConstant, Rate: 1e9, For: s}, nil, "more than 100,000,000"},
	} {
		got, err := storm.Of(c.st, 1)
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.rule, got, c.want)
		}
		if (err != nil) != (c.err != "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: error %v, want %q", c.rule, err, c.err)
		}
	}
}

// sample is a storm of any shape: a few thousand triggers where it has many.
func sample(shape workloads.Shape) workloads.Storm {
	return workloads.Storm{
		Name: "sample", Shape: shape, N: 20, Rate: 300, From: 10, To: 500, Steps: 7, Peak: 3000, Swing: 250, High: 900, Low: 20,
		HighFor: 300 * ms, LowFor: 700 * ms, Period: 3 * s, Phase: 0.3, Every: 11 * s, Width: 200 * ms, Hurst: 0.8, Sources: 12, For: 10 * s,
		Gap: s, Gaps: []time.Duration{s, 2 * s, 5 * s}, First: 100 * ms, Last: 10 * s, Clients: 3, Think: 100 * ms, Exponential: true,
		Times: 3, Time: 0.5, Load: 1.5, Functions: 10, Exponent: 1.1, Share: 0.1,
		Parts: []workloads.Storm{{Shape: workloads.ShapePoisson, Rate: 300, For: 10 * s}},
	}
}

// shapes are those that Of makes by itself, from nothing but their numbers.
func shapes() []workloads.Shape {
	return slices.DeleteFunc(slices.Clone(workloads.Shapes), func(s workloads.Shape) bool {
		return s == workloads.ShapePause || // it has no trigger, and is a part alone
			s == workloads.ShapeTrace // a Leaf's: package trace makes it of files
	})
}

func TestEveryShapeHasASchedule(t *testing.T) {
	for _, shape := range shapes() {
		if _, err := storm.Of(sample(shape), 1); err != nil {
			t.Error(err)
		}
	}
}

func TestASchedulesLengthIsTheOneThatScenariosAreCheckedBy(t *testing.T) {
	for _, st := range []workloads.Storm{
		{Shape: workloads.ShapeBurst, N: 7},
		{Shape: workloads.ShapeGap, N: 3, Gap: s},
		{Shape: workloads.ShapeSequence, N: 5},
		{Shape: workloads.ShapeConstant, Rate: 0.01, For: 30 * s},
		{Shape: workloads.ShapeConstant, Rate: 0.1, For: 30 * s},
		{Shape: workloads.ShapeConstant, Rate: 1.5, For: s},
		{Shape: workloads.ShapeConstant, Rate: 100_000, For: 100 * s},
		{Shape: workloads.ShapeConstant, Rate: 1.0 / 3, For: 9 * s},
		{Shape: workloads.ShapeRamp, To: 5, For: s},
		{Shape: workloads.ShapeRamp, From: 7.7, To: 0.3, For: 13 * s},
	} {
		got, err := storm.Of(st, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got.Len() != st.Triggers() {
			t.Errorf("%s: %d triggers, and %d in the scenario's check", got, got.Len(), st.Triggers())
		}
	}
}
