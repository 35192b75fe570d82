package storm

import (
	"fmt"
	"math"

	"coldstorm/workloads"
)

// MaxTriggers bounds a schedule that Of makes: more is a slip of the pen.
const MaxTriggers = 100_000_000

// Leaf makes the schedule of a storm, or a part of one, whose shape this package
// can't make alone, such as a trace, which is read from a file. seed is the
// part's own, for whatever it draws.
type Leaf func(part workloads.Storm, seed int64) (Schedule, error)

// Of returns the schedule of a scenario's storm. seed is of shapes that draw
// their arrivals.
func Of(st workloads.Storm, seed int64) (Schedule, error) { return With(st, seed, nil) }

// With is Of where other makes the shapes that this package doesn't know, alone
// or as parts of others.
func With(st workloads.Storm, seed int64, other Leaf) (Schedule, error) {
	m := maker{other: other}
	s, err := m.make(st, Derive(seed, st.Name))
	if err != nil {
		return nil, fmt.Errorf("storm %s: %w", st.Name, err)
	}
	if n := s.Len(); n == 0 {
		return nil, fmt.Errorf("storm %s: %s has no triggers", st.Name, s)
	} else if n > MaxTriggers {
		return nil, fmt.Errorf("storm %s: %s is more than %s triggers", st.Name, s, count(MaxTriggers))
	}
	return s, nil
}

// maker makes the schedules of a storm and of its parts.
type maker struct{ other Leaf }

func (m maker) make(st workloads.Storm, seed int64) (Schedule, error) {
	for _, rate := range []float64{st.Rate, st.From, st.To} {
		if rate < 0 || math.IsNaN(rate) || rate > 1e9 {
			return nil, fmt.Errorf("rate %v is not within 0..1e9 a second", rate)
		}
	}
	if st.N < 0 || st.For < 0 || st.Gap < 0 {
		return nil, fmt.Errorf("negative count or time")
	}
	switch st.Shape {
	case workloads.ShapeBurst:
		return Burst{N: st.N}, nil
	case workloads.ShapeConstant:
		return Constant{Rate: st.Rate, For: st.For}, nil
	case workloads.ShapeRamp:
		return Ramp{From: st.From, To: st.To, For: st.For}, nil
	case workloads.ShapeGap:
		return Gap{N: st.N, Gap: st.Gap}, nil
	case workloads.ShapeSequence:
		return Sequence{N: st.N}, nil
	}
	if m.other != nil {
		return m.other(st, seed)
	}
	return nil, fmt.Errorf("unknown shape %q", st.Shape)
}
