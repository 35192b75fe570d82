package workloads

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// readPart reads the one part of a composition.
func readPart(s *Storm, v value) error {
	var p Storm
	o, err := read(v, "part", partKeys(), &p, "shape")
	if err != nil {
		return partProblem(err, v)
	}
	if err := checkShape(o, &p); err != nil {
		return err
	}
	if p.Has(ShapeSequence, ShapeLoop) {
		return o.problem("shape", fmt.Sprintf("a %s cannot be a part", p.Shape), "how long a closed loop takes is up to who answers; make it a storm of its own")
	}
	if p.depth() >= maxNested {
		return o.problem("shape", fmt.Sprintf("compositions are nested deeper than %d", maxNested), "")
	}
	s.Parts = append(s.Parts, p)
	return nil
}

// partProblem adds a hint to the problem of a part with a key of a storm.
func partProblem(err error, v value) error {
	o, _ := v.object("part", nil)
	for _, k := range append(names(settingKeys), "name") {
		if f, ok := o.fields[k]; ok {
			return v.doc.at(f.name, fmt.Sprintf("part has no key %q", k), "it belongs to the storm that the part is of")
		}
	}
	return err
}

func readParts(s *Storm, v value) error {
	entries, err := v.list("parts")
	if err != nil {
		return err
	}
	if len(entries) == 0 || len(entries) > maxParts {
		return v.problem(fmt.Sprintf("parts lists %d", len(entries)), fmt.Sprintf("a composition has 1 to %d; chain chains for more", maxParts))
	}
	for _, e := range entries {
		if err := readPart(s, e); err != nil {
			return err
		}
	}
	return nil
}

// depth is how many compositions stand in one another, st among them.
func (st Storm) depth() int {
	if len(st.Parts) == 0 {
		return 0
	}
	deepest := 0
	for _, p := range st.Parts {
		deepest = max(deepest, p.depth())
	}
	return deepest + 1
}

// a puts the indefinite article before a shape.
func (s Shape) a() string {
	if strings.ContainsRune("aeiou", rune(s[0])) {
		return "an " + string(s)
	}
	return "a " + string(s)
}

// checkShape refuses keys that the shape doesn't use, a shape without the keys
// that it needs, values that don't go together, and schedules without triggers or
// with too many. It gives what is left out its default.
func checkShape(o object, st *Storm) error {
	u := shapeKeys[st.Shape]
	list := fmt.Sprintf("%s uses %s", st.Shape, strings.Join(u.needs, ", "))
	if len(u.may) > 0 {
		list += ", and may have " + strings.Join(u.may, ", ")
	}
	for _, k := range scheduleKeys() {
		if o.has(k) && !has(u.all(), k) {
			return o.doc.at(o.fields[k].name, fmt.Sprintf("%s does not use %s", st.Shape.a(), k), list)
		}
	}
	for _, k := range u.needs {
		if !o.has(k) {
			return o.problem("shape", fmt.Sprintf("%s needs %s", st.Shape.a(), k), list)
		}
	}
	if st.Shape == ShapeDiurnal && st.Period == 0 {
		st.Period = 24 * time.Hour
	}
	if st.Shape == ShapeZipf && !o.has("exponent") {
		st.Exponent = 1
	}
	if err := checkTogether(o, *st); err != nil {
		return err
	}
	return checkSize(o, *st)
}

// checkTogether refuses values of which each is sound and all together are not.
func checkTogether(o object, st Storm) error {
	switch st.Shape {
	case ShapeSpike:
		if st.Width > st.Every {
			return o.problem("width", fmt.Sprintf("spikes of %s do not fit into intervals of %s", short(st.Width), short(st.Every)), "width is at most every")
		}
	case ShapeWave:
		if st.Swing > st.Rate {
			return o.problem("swing", "the wave swings below a rate of 0", "swing is at most rate, about which it swings")
		}
	case ShapeDiurnal, ShapeOnOff:
		if st.Low > st.High {
			return o.problem("low", fmt.Sprintf("low of %s is above high of %s", perSecond(st.Low), perSecond(st.High)), "")
		}
	case ShapeLadder:
		if st.N < 2 || st.N > maxGaps {
			return o.problem("n", fmt.Sprintf("a ladder cannot have %d gaps", st.N), fmt.Sprintf("n is a whole number from 2 to %d", maxGaps))
		}
	case ShapeLoop:
		if st.Clients > st.N {
			return o.problem("clients", fmt.Sprintf("%d clients for %d triggers", st.Clients, st.N), "n is the number of triggers of all clients together")
		}
		if st.Exponential && st.Think == 0 {
			return o.problem("thinking", "thinking without a time to think", "add think: 100ms, the mean")
		}
	case ShapeRepeat:
		return checkRepeat(o, st)
	case ShapeScale:
		if st.Time == 0 && st.Load == 0 {
			return o.problem("shape", "a scale needs time, load or both", "time: 0.5 is twice as fast; load: 2 is twice as many triggers in the same time")
		}
	}
	return nil
}

// checkRepeat refuses times that overlap, or that all fall together.
func checkRepeat(o object, st Storm) error {
	takes := st.Parts[0].Length()
	switch {
	case st.Every == 0 && takes == 0 && st.Times > 1:
		return o.problem("shape", fmt.Sprintf("%s takes no time, so that its repeats would be one", st.Parts[0].Shape.a()), "add every: 5s, the time from one to the next")
	case st.Every > 0 && st.Every < takes:
		return o.problem("every", fmt.Sprintf("%s is shorter than the %s that the part takes", short(st.Every), short(takes)), "lay parts over one another with an overlay")
	}
	return nil
}

// checkSize refuses schedules without triggers, with too many, and without end.
func checkSize(o object, st Storm) error {
	n := st.Triggers()
	if n < 1 && !st.partial() {
		if st.Shape == ShapeRamp {
			return o.problem("to", "the ramp has no trigger: its rate is 0, or next to it", "")
		}
		return o.problem("shape", fmt.Sprintf("the %s has no trigger", st.Shape), "")
	}
	if n > MaxTriggers {
		return o.problem("for", fmt.Sprintf("the %s has %d triggers, more than %d", st.Shape, n, MaxTriggers), "make it shorter, or lower its rate")
	}
	if st.Shape == ShapeGap && time.Duration(st.N) > maxSpan/st.Gap {
		return o.problem("n", fmt.Sprintf("%d gaps of %s take longer than %s", st.N, st.Gap, short(maxSpan)), "")
	}
	if st.Length() > maxSpan {
		return o.problem("shape", fmt.Sprintf("the %s takes %s, longer than %s", st.Shape, short(st.Length()), short(maxSpan)), "")
	}
	return nil
}

// partial reports whether a shape without triggers can be a part of one that
// has some.
func (st Storm) partial() bool { return st.Shape == ShapePause }

// Triggers is how many triggers the storm has: the area under its rate, rounded
// up, as the first is sent at once; or N. Of random shapes it is the mean.
func (st Storm) Triggers() int { return int(min(st.expected(), 1e15)) }

func (st Storm) expected() float64 {
	sum := 0.0
	for _, p := range st.Parts {
		sum += p.expected()
	}
	switch st.Shape {
	case ShapeTrace:
		return 1 // at least: its file is not read here
	case ShapeGaps:
		return float64(len(st.Gaps) + 1)
	case ShapeLadder:
		return float64(st.N + 1)
	case ShapePause:
		return 0
	case ShapeRepeat:
		return sum * float64(st.Times)
	case ShapeScale:
		if st.Load == 0 {
			return sum
		}
		return math.Ceil(sum*st.Load - 1e-9*max(1, sum/1e3))
	case ShapeChain, ShapeOverlay, ShapeZipf, ShapeCold:
		return sum
	}
	area, rated := st.area()
	if !rated {
		return float64(st.N)
	}
	return math.Ceil(area - 1e-9*max(1, area/1e3)) // 0.1/s for 30s are 3
}

// area is the number of triggers that a shape with a rate offers.
func (st Storm) area() (area float64, rated bool) {
	mean := 0.0
	switch st.Shape {
	case ShapeConstant, ShapePoisson, ShapePareto:
		mean = st.Rate
	case ShapeRamp, ShapeStep:
		mean = (st.From + st.To) / 2
	case ShapeSpike:
		return st.spikeArea(), true
	case ShapeWave:
		return sineArea(st.Rate, st.Swing, st.Phase, st.Period, st.For), true
	case ShapeDiurnal:
		return sineArea((st.Low+st.High)/2, (st.High-st.Low)/2, dawn, st.Period, st.For), true
	case ShapeOnOff:
		on, off := st.HighFor.Seconds(), st.LowFor.Seconds()
		mean = (st.High*on + st.Low*off) / (on + off)
	default:
		return 0, false
	}
	return mean * st.For.Seconds(), true
}

// dawn is where in its sine a day begins, in turns: the trough, at 3/4, comes
// four hours after midnight.
const dawn = 3.0/4 - 4.0/24

// sineArea is the area under a sine of some swing about a mean.
func sineArea(mean, swing, phase float64, period, length time.Duration) float64 {
	turns := float64(length%period) / float64(period)
	cos := func(turns float64) float64 { return math.Cos(2 * math.Pi * turns) }
	return mean*length.Seconds() + swing*period.Seconds()/(2*math.Pi)*(cos(phase)-cos(phase+turns))
}

// spikeArea is the area under spikes that stand in the middle of their
// intervals.
func (st Storm) spikeArea() float64 {
	whole, rest := st.For/st.Every, st.For%st.Every
	high := whole*st.Width + min(max(0, rest-(st.Every-st.Width)/2), st.Width)
	return st.Rate*(st.For-high).Seconds() + st.Peak*high.Seconds()
}

// Length is how long the storm offers triggers: until the last of those without
// a rate, and not at all where that is up to who answers.
func (st Storm) Length() time.Duration {
	var sum, longest time.Duration
	for _, p := range st.Parts {
		d := p.Length()
		sum, longest = min(sum+d, 2*maxSpan), max(longest, d)
	}
	switch st.Shape {
	case ShapeTrace:
		if st.Time > 0 {
			return time.Duration(math.Round(min(st.Time*float64(st.For), float64(2*maxSpan))))
		}
		return st.For
	case ShapeGap:
		return min(time.Duration(st.N-1), 2*maxSpan/st.Gap) * st.Gap
	case ShapeGaps:
		for _, g := range st.Gaps {
			sum = min(sum+g, 2*maxSpan)
		}
		return sum
	case ShapeLadder:
		return st.ladderLength()
	case ShapeChain:
		return sum
	case ShapeOverlay, ShapeZipf, ShapeCold:
		return longest
	case ShapeRepeat:
		every := max(st.Every, longest, 1)
		return min(min(time.Duration(st.Times-1), 2*maxSpan/every)*every+longest, 2*maxSpan)
	case ShapeScale:
		if st.Time > 0 {
			return time.Duration(math.Round(min(st.Time*float64(longest), float64(2*maxSpan))))
		}
		return longest
	}
	return st.For
}

// ladderLength is the sum of gaps that grow by the same factor.
func (st Storm) ladderLength() time.Duration {
	growth := math.Pow(float64(st.Last)/float64(st.First), 1/float64(st.N-1))
	sum, gap := 0.0, float64(st.First)
	for range st.N {
		sum, gap = sum+gap, gap*growth
	}
	return time.Duration(min(sum, float64(2*maxSpan)))
}
