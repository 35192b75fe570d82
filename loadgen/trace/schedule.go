package trace

import (
	"fmt"
	"slices"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/workloads"
)

// Plan says how a schedule is made of a trace. The zero Plan is all of it.
type Plan struct {
	Window
	Place Placement // of counted invocations; Uniform by default
	Apart bool      // triggers are marked with their function, else all are at one
	Seed  int64
}

// Replay is a schedule of a trace's arrivals. It takes 8 bytes a trigger, and four
// more if the functions are apart.
type Replay struct {
	times     []time.Duration
	of        []int32
	functions int
	span      time.Duration
	words     string
}

var _ storm.Schedule = (*Replay)(nil)

// Schedule merges the arrivals of all functions, those at the same time in the order
// of the functions. More than storm.MaxTriggers are refused.
func (t *Trace) Schedule(p Plan) (*Replay, error) {
	if p.From < 0 || p.For < 0 || p.From >= t.Span {
		return nil, fmt.Errorf("a window from %s in a trace of %s", p.From, t.Span)
	}
	r := &Replay{functions: 1, span: p.end(t.Span) - p.From}
	buf := make([]time.Duration, 1024)
	for i := range t.Functions {
		a := t.Arrivals(&t.Functions[i], p.Window, p.Place, p.Seed)
		for n := a.Next(buf); n > 0; n = a.Next(buf) {
			if len(r.times)+n > storm.MaxTriggers {
				return nil, fmt.Errorf("the trace has more than %d triggers there: take fewer functions or a shorter window", storm.MaxTriggers)
			}
			r.times = append(r.times, buf[:n]...)
			for range n {
				r.of = append(r.of, int32(i))
			}
		}
	}
	r.merge()
	if r.words = fmt.Sprintf("%s trace of %d functions over %s", t.Format, len(t.Functions), r.span.Round(time.Millisecond)); !p.Apart {
		r.of = nil
	} else {
		r.functions = len(t.Functions)
	}
	return r, nil
}

// merge puts the arrivals of functions, which follow one another, into order.
func (r *Replay) merge() {
	type arrival struct {
		at time.Duration
		of int32
	}
	all := make([]arrival, len(r.times))
	for i := range all {
		all[i] = arrival{r.times[i], r.of[i]}
	}
	slices.SortFunc(all, func(a, b arrival) int {
		switch {
		case a.at != b.at && a.at < b.at, a.at == b.at && a.of < b.of:
			return -1
		case a == b:
			return 0
		}
		return 1
	})
	for i, a := range all {
		r.times[i], r.of[i] = a.at, a.of
	}
}

// Len returns the number of arrivals.
func (r *Replay) Len() int { return len(r.times) }

// At returns arrival i.
func (r *Replay) At(i int) (time.Duration, bool) {
	if i < 0 || i >= len(r.times) {
		return 0, false
	}
	return r.times[i], true
}

// Duration returns the length of the window.
func (r *Replay) Duration() time.Duration { return r.span }

func (r *Replay) String() string { return r.words }

// Functions returns over how many functions the triggers are spread.
func (r *Replay) Functions() int { return r.functions }

// Mark says which function a trigger is at, the trace's first the first.
func (r *Replay) Mark(i int) storm.Mark {
	if r.of == nil || i < 0 || i >= len(r.of) {
		return storm.Mark{}
	}
	return storm.Mark{Function: int(r.of[i])}
}

// Chilling returns false.
func (r *Replay) Chilling() bool { return false }

// Of makes the schedule of a storm whose shape is a trace, the file of which is found
// from dir. It fits storm.Leaf.
func Of(st workloads.Storm, dir func(string) string, seed int64) (storm.Schedule, error) {
	if st.Shape != workloads.ShapeTrace {
		return nil, fmt.Errorf("unknown shape %q", st.Shape)
	}
	t, err := Open(dir(st.File), Format(st.Format))
	if err != nil {
		return nil, err
	}
	var words string
	if st.Functions > 0 {
		var distance float64
		whole := len(t.Functions)
		if t, distance, err = t.Sample(st.Functions, storm.Derive(seed, "sample")); err != nil {
			return nil, err
		}
		words = fmt.Sprintf(", sampled of %d, %.2f decades from them", whole, distance)
	}
	r, err := t.Schedule(Plan{Window: Window{st.Since, st.For}, Place: Placement(st.Place), Apart: st.Apart, Seed: storm.Derive(seed, "arrivals")})
	if err != nil {
		return nil, err
	}
	r.words += words
	var s storm.Schedule = r
	if st.Load > 0 {
		s = storm.Load(s, st.Load, storm.Derive(seed, "load"))
	}
	if st.Time > 0 {
		s = storm.Stretch(s, st.Time)
	}
	return s, nil
}
