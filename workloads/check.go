package workloads

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// checkStorm holds a storm against its shape, the other storms and the
// function, and gives it its name.
func (s *Scenario) checkStorm(o object, st *Storm) error {
	if err := checkShape(o, *st); err != nil {
		return err
	}
	if st.Name == "" {
		st.Name = string(st.Shape)
	}
	if slices.ContainsFunc(s.Storms, func(other Storm) bool { return strings.EqualFold(other.Name, st.Name) }) {
		// A series is a file of the run's folder, and some file systems
		// don't tell A from a.
		return o.problem("name", fmt.Sprintf("two storms are named %s", st.Name), "give each a name of its own")
	}
	if f, ok := o.fields["payloads"]; ok {
		entries, _ := f.list("payloads")
		for i, e := range entries {
			if err := s.known(e, st.Payloads[i]); err != nil {
				return err
			}
		}
	}
	return s.checkWarm(o, *st)
}

// checkShape refuses keys that the shape doesn't use, a shape without the keys
// that it needs, and schedules without triggers or with too many.
func checkShape(o object, st Storm) error {
	uses := shapeKeys[st.Shape]
	for _, k := range scheduleKeys {
		if o.has(k) && !has(uses, k) {
			return o.doc.at(o.fields[k].name, fmt.Sprintf("a %s does not use %s", st.Shape, k), fmt.Sprintf("%s uses %s", st.Shape, strings.Join(uses, ", ")))
		}
	}
	for _, k := range uses {
		if !o.has(k) {
			return o.problem("shape", fmt.Sprintf("a %s needs %s", st.Shape, k), fmt.Sprintf("%s uses %s", st.Shape, strings.Join(uses, ", ")))
		}
	}
	if n := st.Triggers(); n < 1 || n > MaxTriggers {
		if n < 1 {
			return o.problem("to", fmt.Sprintf("the %s has no trigger: its rate is 0, or next to it", st.Shape), "")
		}
		return o.problem("for", fmt.Sprintf("the %s has %d triggers, more than %d", st.Shape, n, MaxTriggers), "make it shorter, or lower its rate")
	}
	if st.Shape == ShapeGap && time.Duration(st.N) > maxSpan/st.Gap {
		return o.problem("n", fmt.Sprintf("%d gaps of %s take longer than %s", st.N, st.Gap, short(maxSpan)), "")
	}
	return nil
}

// Triggers is how many triggers the storm has: the area under its rate, rounded
// up, as the first is sent at once; or N.
func (st Storm) Triggers() int {
	mean := 0.0
	switch st.Shape {
	case ShapeConstant:
		mean = st.Rate
	case ShapeRamp:
		mean = (st.From + st.To) / 2
	default:
		return st.N
	}
	area := mean * st.For.Seconds()
	return int(math.Ceil(area - 1e-9*max(1, area/1e3))) // 0.1/s for 30s are 3
}

// checkWarm refuses more warm environments than the concurrency allows, and
// warm ones that are reclaimed at once.
func (s *Scenario) checkWarm(o object, st Storm) error {
	if st.Warm == 0 {
		return nil
	}
	limit, keep := s.Function.Concurrency, s.Function.KeepAlive
	if st.Concurrency != nil {
		limit = *st.Concurrency
	}
	if st.KeepAlive != nil {
		keep = *st.KeepAlive
	}
	if limit > 0 && st.Warm > limit {
		return o.problem("warm", fmt.Sprintf("%d warm environments are more than the concurrency of %d", st.Warm, limit), "")
	}
	if keep == 0 {
		return o.problem("warm", "warm environments with a keep_alive of 0, which reclaims each at once", "")
	}
	return nil
}
