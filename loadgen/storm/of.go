package storm

import (
	"fmt"
	"math"
	"strconv"
	"time"

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
	if err := sound(st); err != nil {
		return nil, err
	}
	switch st.Shape {
	case workloads.ShapeBurst:
		return Burst{N: st.N}, nil
	case workloads.ShapeGap:
		return Gap{N: st.N, Gap: st.Gap}, nil
	case workloads.ShapeGaps:
		return Gaps(st.Gaps), nil
	case workloads.ShapeLadder:
		return Ladder(st.First, st.Last, st.N), nil
	case workloads.ShapeSequence:
		return Sequence{N: st.N}, nil
	case workloads.ShapeLoop:
		return Loop{N: st.N, Callers: st.Clients, Pause: st.Think, Drawn: st.Exponential, Seed: Derive(seed, "think")}, nil
	case workloads.ShapePause:
		return Pause(st.For), nil
	case workloads.ShapePoisson:
		return Poisson{Rate: st.Rate, For: st.For, Seed: seed}.Draw(), nil
	case workloads.ShapeOnOff:
		return OnOff{High: st.High, Low: st.Low, HighFor: st.HighFor, LowFor: st.LowFor, For: st.For, Seed: seed}.Draw(), nil
	case workloads.ShapePareto:
		return SelfSimilar{Rate: st.Rate, Sources: st.Sources, Hurst: st.Hurst, HighFor: st.HighFor, LowFor: st.LowFor, For: st.For, Seed: seed}.Draw(), nil
	case workloads.ShapeChain, workloads.ShapeOverlay, workloads.ShapeRepeat, workloads.ShapeScale, workloads.ShapeZipf, workloads.ShapeCold:
		return m.compose(st, seed)
	}
	if c := curve(st); c != nil {
		if st.Poisson {
			return Varying{Along: c, Seed: seed}.Draw(), nil
		}
		return c, nil
	}
	if m.other != nil {
		return m.other(st, seed)
	}
	return nil, fmt.Errorf("unknown shape %q", st.Shape)
}

// curve returns what a shape with a rate offers; nil of others.
func curve(st workloads.Storm) Curve {
	switch st.Shape {
	case workloads.ShapeConstant:
		return Constant{Rate: st.Rate, For: st.For}
	case workloads.ShapeRamp:
		return Ramp{From: st.From, To: st.To, For: st.For}
	case workloads.ShapeStep:
		return Steps{From: st.From, To: st.To, N: st.Steps, For: st.For}
	case workloads.ShapeSpike:
		return Spikes{Rate: st.Rate, Peak: st.Peak, Every: st.Every, Width: st.Width, For: st.For}
	case workloads.ShapeWave:
		return Wave{Rate: st.Rate, Swing: st.Swing, Period: st.Period, Phase: st.Phase, For: st.For}
	case workloads.ShapeDiurnal:
		return Days{Low: st.Low, High: st.High, Day: st.Period, For: st.For}
	}
	return nil
}

// sound refuses values that no schedule can be made of. A scenario that was read
// has none of them.
func sound(st workloads.Storm) error {
	for _, rate := range []float64{st.Rate, st.From, st.To, st.Peak, st.Swing, st.High, st.Low} {
		if rate < 0 || math.IsNaN(rate) || rate > 1e9 {
			return fmt.Errorf("rate %v is not within 0..1e9 a second", rate)
		}
	}
	for _, x := range []float64{st.Time, st.Load, st.Exponent, st.Share, st.Phase, st.Hurst} {
		if x < 0 || math.IsNaN(x) || x > 1e6 {
			return fmt.Errorf("factor %v is not within 0..1e6", x)
		}
	}
	for _, n := range []int{st.N, st.Steps, st.Sources, st.Clients, st.Times, st.Functions} {
		if n < 0 || n > MaxTriggers {
			return fmt.Errorf("count %d is not within 0..%s", n, count(MaxTriggers))
		}
	}
	for _, d := range append([]time.Duration{
		st.For, st.Gap, st.First, st.Last, st.Think, st.Every, st.Width, st.Period, st.HighFor, st.LowFor,
	}, st.Gaps...) {
		if d < 0 {
			return fmt.Errorf("negative time %s", d)
		}
	}
	return nil
}

// compose makes the parts of a composition, each with a seed of its own, and
// then that.
func (m maker) compose(st workloads.Storm, seed int64) (Schedule, error) {
	var parts []Schedule
	for i, p := range st.Parts {
		s, err := m.make(p, Derive(seed, strconv.Itoa(i)))
		if err != nil {
			return nil, err
		}
		if Closed(s) {
			return nil, fmt.Errorf("%s can't be a part: how long it takes is up to who answers", s)
		}
		parts = append(parts, s)
	}
	if err := bounded(st, parts); err != nil {
		return nil, err
	}
	switch st.Shape {
	case workloads.ShapeChain:
		return Chain(parts...), nil
	case workloads.ShapeOverlay:
		return Overlay(parts...), nil
	case workloads.ShapeRepeat:
		return Repeat(parts[0], st.Times, st.Every), nil
	case workloads.ShapeZipf:
		return Spread(parts[0], st.Functions, st.Exponent, Derive(seed, "functions")), nil
	case workloads.ShapeCold:
		return Chill(parts[0], st.Share, Derive(seed, "cold")), nil
	}
	s := parts[0]
	if st.Load > 0 {
		s = Load(s, st.Load, Derive(seed, "load"))
	}
	if st.Time > 0 {
		s = Stretch(s, st.Time)
	}
	return s, nil
}

// bounded refuses compositions that are none, or that would be too many triggers
// or too long to count.
func bounded(st workloads.Storm, parts []Schedule) error {
	if len(parts) == 0 {
		return fmt.Errorf("%s has no parts", st.Shape)
	}
	n, length := 0.0, 0.0
	for _, p := range parts {
		n, length = n+float64(p.Len()), length+float64(p.Duration())
	}
	if st.Shape == workloads.ShapeRepeat {
		n *= float64(st.Times)
		length = float64(st.Times) * max(length, float64(st.Every))
	}
	if st.Load > 1 {
		n *= st.Load
	}
	if st.Time > 1 {
		length *= st.Time
	}
	if n > MaxTriggers {
		return fmt.Errorf("%s is more than %s triggers", st.Shape, count(MaxTriggers))
	}
	if length > math.MaxInt64/2 {
		return fmt.Errorf("%s is longer than a century", st.Shape)
	}
	return nil
}
