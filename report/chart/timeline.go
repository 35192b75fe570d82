package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// How many intervals a timeline draws, how many on a narrow sheet, and how many
// its table lists; of more, neighbours are taken together.
const (
	maxIntervals = 90
	maxNarrow    = 45
	maxRows      = 30
)

// An interval that holds a trigger or two shows their rounding, not a rate: a
// storm of few triggers is drawn in fewer intervals, so that each holds about
// perInterval, down to fewestIntervals.
const (
	perInterval     = 5
	fewestIntervals = 15
)

// Timeline draws a storm as it went by here: offered and completed triggers,
// environments by state, what was refused or failed, and the processor time of functions
// and of the generator, on one time axis.
func Timeline(s results.Series) Chart {
	c := timeline(s.Timeline, s.Counts)
	c.Name = name("timeline", s.Name)
	c.Basis = Measured
	c.Title = fmt.Sprintf("Timeline of %s, %s", quoted(s.Name), Measured)
	return c
}

// ProjectedTimeline draws a storm as it goes by under a compute model.
func ProjectedTimeline(model string, s results.ProjectedStorm) Chart {
	c := timeline(s.Timeline, s.Counts)
	c.Name = name("timeline", s.Name+"-"+model)
	c.Basis = Projected
	c.Title = fmt.Sprintf("Timeline of %s on %s, %s", quoted(s.Name), model, Projected)
	return c
}

func timeline(points []results.TimelinePoint, n results.Counts) Chart {
	c := Chart{Note: "Each step is one interval. Offered triggers are those that the schedule wanted sent; completed ones were served; the others show as throttled or errors."}
	points = coalesce(points, min(maxIntervals, max(fewestIntervals, n.Offered/perInterval)))
	if len(points) == 0 {
		c.Empty = "this storm has no timeline"
		return c
	}
	c.Alt = fmt.Sprintf("Of %s triggers %s were served, %s throttled, %s failed, %s timed out",
		figure.Count(n.Offered), figure.Count(n.Served), figure.Count(n.Throttled), figure.Count(n.Failed), figure.Count(n.TimedOut))
	t := newStorm(points)
	c.Table.Header = []string{"from", "for", "offered", "completed", "throttled", "errors", "cold", "in flight", "starting", "busy", "idle"}
	if t.cpu {
		c.Table.Header = append(c.Table.Header, "cores of functions", "cores of the generator")
		c.Note += " Processor time of functions is as their endpoint tells it, laid evenly over each invocation."
	}
	for _, p := range coalesce(points, maxRows) {
		row := []string{
			figure.Duration(p.At), figure.Duration(p.Every), figure.Count(p.Offered), figure.Count(p.Completed), figure.Count(p.Throttled),
			figure.Count(p.Errors), figure.Count(p.Cold), figure.Count(p.InFlight), known(p.Starting), known(p.Busy), known(p.Idle),
		}
		if t.cpu {
			row = append(row, cores(p.FunctionCPU), cores(p.GeneratorCPU))
		}
		c.Table.add(row...)
	}
	c.height = func(w vg.Length) vg.Length {
		h := 150 + footer
		for range t.rows()[1:] {
			h += 116
		}
		return h
	}
	c.paint = func(s *sheet) {
		if s.narrow() {
			newStorm(coalesce(points, maxNarrow)).paint(s)
			return
		}
		t.paint(s)
	}
	return c
}

// known writes a count, of which -1 stands for not known.
func known(n int) string {
	if n < 0 {
		return figure.Absent
	}
	return figure.Count(n)
}

// cores writes processor time, in cores.
func cores(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// coresTick labels an axis of cores, whose ticks may be below 1.
func coresTick(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }

// coalesce sorts the intervals, drops those that can't be drawn, and takes
// neighbours together until at most n are left.
func coalesce(points []results.TimelinePoint, n int) []results.TimelinePoint {
	points = slices.DeleteFunc(slices.Clone(points), func(p results.TimelinePoint) bool {
		return p.At < 0 || p.Every <= 0 || p.At > math.MaxInt64/4 || p.Every > math.MaxInt64/4
	})
	slices.SortStableFunc(points, func(a, b results.TimelinePoint) int { return cmp.Compare(a.At, b.At) })
	k := (len(points) + n - 1) / n
	if k <= 1 {
		return points
	}
	var out []results.TimelinePoint
	for group := range slices.Chunk(points, k) {
		sum := group[len(group)-1] // the state at the end
		sum.At, sum.Every = group[0].At, sum.At+sum.Every-group[0].At
		var functions, generator float64 // seconds
		for _, p := range group {
			functions += p.FunctionCPU * p.Every.Seconds()
			generator += p.GeneratorCPU * p.Every.Seconds()
		}
		sum.FunctionCPU, sum.GeneratorCPU = functions/sum.Every.Seconds(), generator/sum.Every.Seconds()
		for _, p := range group[:len(group)-1] {
			sum.Offered += p.Offered
			sum.Completed += p.Completed
			sum.Throttled += p.Throttled
			sum.Errors += p.Errors
			sum.Cold += p.Cold
		}
		out = append(out, sum)
	}
	return out
}

// stormLines is a storm's timeline as columns that can be drawn.
type stormLines struct {
	from, to                               []float64 // nanoseconds
	offered, completed, throttled, errored []float64 // a second
	starting, busy, idle, inFlight         []float64
	functions, generator                   []float64 // cores
	units                                  bool      // states of units are known
	cpu                                    bool      // any processor time is
	troubles                               bool      // anything was throttled or failed
}

func newStorm(points []results.TimelinePoint) stormLines {
	t := stormLines{units: true}
	for _, p := range points {
		per := func(n int) float64 { return max(0, float64(n)/p.Every.Seconds()) }
		t.from, t.to = append(t.from, float64(p.At)), append(t.to, float64(p.At+p.Every))
		t.offered, t.completed = append(t.offered, per(p.Offered)), append(t.completed, per(p.Completed))
		t.throttled, t.errored = append(t.throttled, per(p.Throttled)), append(t.errored, per(p.Errors))
		t.starting, t.busy, t.idle = append(t.starting, float64(max(0, p.Starting))), append(t.busy, float64(max(0, p.Busy))), append(t.idle, float64(max(0, p.Idle)))
		t.inFlight = append(t.inFlight, float64(max(0, p.InFlight)))
		t.functions, t.generator = append(t.functions, max(0, p.FunctionCPU)), append(t.generator, max(0, p.GeneratorCPU))
		t.cpu = t.cpu || p.FunctionCPU > 0 || p.GeneratorCPU > 0
		t.units = t.units && p.Starting >= 0 && p.Busy >= 0 && p.Idle >= 0
		t.troubles = t.troubles || p.Throttled > 0 || p.Errors > 0
	}
	return t
}

// stormRow is one panel of a timeline.
type stormRow struct {
	title     string
	fractions bool    // its scale may be below 1
	areas     []layer // stacked, from below
	lines     []layer
}

// layer is one quantity over time and how it is drawn.
type layer struct {
	name   string
	values []float64
	style  draw.LineStyle
	fill   color.NRGBA
}

func (t stormLines) rows() []stormRow {
	rows := []stormRow{{title: "triggers a second", lines: []layer{
		{"completed", t.completed, solid(blue, 2), color.NRGBA{}},
		{"offered", t.offered, dashed(ink, 1.4, 5, 3), color.NRGBA{}},
	}}}
	if t.units {
		rows = append(rows, stormRow{title: "environments", areas: []layer{
			{"busy", t.busy, solid(blue, 1), blue},
			{"starting", t.starting, solid(red, 1), orange},
			{"idle", t.idle, solid(faint, 1), pale(sky, 0.45)},
		}})
	} else {
		rows = append(rows, stormRow{title: "in flight", lines: []layer{{"in flight", t.inFlight, solid(blue, 2), color.NRGBA{}}}})
	}
	if t.troubles {
		rows = append(rows, stormRow{title: "not served, a second", areas: []layer{
			{"throttled", t.throttled, solid(red, 1), pale(orange, 0.8)},
			{"errors", t.errored, solid(ink, 1), ink},
		}})
	}
	if t.cpu {
		rows = append(rows, stormRow{title: "cores in use", fractions: true, areas: []layer{
			{"functions", t.functions, solid(blue, 1), pale(blue, 0.7)},
			{"generator", t.generator, solid(ink, 1), pale(ink, 0.6)},
		}})
	}
	return rows
}

func (t stormLines) paint(s *sheet) {
	rows := t.rows()
	scales := make([]scale, len(rows))
	for i, r := range rows {
		switch {
		case i == 0:
			scales[i] = t.rateScale()
		case r.fractions:
			scales[i] = newLinear(coresTick, r.highest(len(t.from))...)
		default:
			scales[i] = newWhole(r.highest(len(t.from))...)
		}
	}
	x := until(durationTick, t.to[len(t.to)-1])
	top, gutter := s.h, margin(scales...)
	for i, r := range rows {
		tall := vg.Length(116)
		if i == 0 {
			tall = 150
		}
		pn := &panel{s, rect(gutter, top-tall+10, s.w-14, top-header), x, scales[i]}
		pn.gridY("")
		pn.gridBelow(i == len(rows)-1)
		pn.legend(r)
		t.paintRow(pn, r)
		if i == 0 {
			t.labelPeak(pn)
		}
		top -= tall
	}
}

// rateScale holds both rates, unless a burst is offered so much faster than
// anything completes that nothing else could be seen: then it holds what
// completes, and the burst runs out at the top.
func (t stormLines) rateScale() linear {
	offered, completed := highest(t.offered), highest(t.completed)
	if completed > 0 && offered > 3*completed {
		return newWhole(completed * 1.2)
	}
	return newWhole(offered, completed)
}

// labelPeak says how high the offered rate goes where it runs out at the top.
func (t stormLines) labelPeak(pn *panel) {
	peak := highest(t.offered)
	y, _ := pn.y.(linear)
	if peak <= y.hi {
		return
	}
	text := "offered up to " + figure.Rate(peak) + ", beyond this scale"
	i := slices.Index(t.offered, peak)
	x := pn.px(t.to[i]) + 6
	if w := axisWords.width(text); x+w > pn.box.Max.X {
		x = max(pn.box.Min.X+4, pn.px(t.from[i])-6-w)
	}
	pn.fill(pale(paper, 0.85), rect(x-2, pn.box.Max.Y-17, x+axisWords.width(text)+2, pn.box.Max.Y-3))
	pn.write(axisWords, x, pn.box.Max.Y-14, left, text)
}

// highest returns the largest of vs, at least 0.
func highest(vs []float64) float64 {
	hi := 0.0
	for _, v := range vs {
		hi = max(hi, v)
	}
	return hi
}

// gridBelow draws the time axis, with words under the last panel only.
func (p *panel) gridBelow(last bool) {
	if last {
		p.gridX("time since the storm began", true)
		return
	}
	for _, t := range p.x.ticks() {
		p.line(solid(grid, 1), vg.Point{X: p.px(t.v), Y: p.box.Min.Y}, vg.Point{X: p.px(t.v), Y: p.box.Max.Y})
	}
	p.line(solid(faint, 1), p.box.Min, vg.Point{X: p.box.Max.X, Y: p.box.Min.Y})
}

// highest returns the heights that a panel's scale has to hold.
func (r stormRow) highest(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		for _, l := range r.areas {
			out[i] += l.values[i]
		}
		for _, l := range r.lines {
			out[i] = max(out[i], l.values[i])
		}
	}
	return out
}

func (t stormLines) paintRow(pn *panel, r stormRow) {
	base := make([]float64, len(t.from))
	for _, l := range r.areas {
		top := make([]float64, len(base))
		for i := range base {
			top[i] = base[i] + l.values[i]
		}
		lower, upper := t.steps(pn, base), t.steps(pn, top)
		slices.Reverse(lower)
		pn.FillPolygon(l.fill, append(upper[:len(upper):len(upper)], lower...))
		base = top
	}
	for _, l := range r.lines {
		pn.line(l.style, t.steps(pn, l.values)...)
	}
}

// steps returns the corners of a step line over the intervals.
func (t stormLines) steps(pn *panel, values []float64) []vg.Point {
	var out []vg.Point
	for i, v := range values {
		from, to := pn.at(t.from[i], v), pn.at(t.to[i], v)
		if n := len(out); n > 0 && out[n-1].Y == from.Y {
			out[n-1].X = to.X // the same height goes on
			continue
		}
		out = append(out, from, to)
	}
	return out
}

// legend writes a panel's title over its left corner and its key behind.
func (p *panel) legend(r stormRow) {
	y := p.box.Max.Y + 11
	x := vg.Length(0)
	p.write(tickWords.in(ink), x, y, left, r.title)
	x += tickWords.width(r.title) + 18
	for _, l := range slices.Concat(r.lines, r.areas) {
		if l.fill.A != 0 {
			p.fill(l.fill, rect(x, y-1, x+12, y+9))
		} else {
			p.line(l.style, vg.Point{X: x, Y: y + 4}, vg.Point{X: x + 18, Y: y + 4})
			x += 6
		}
		p.write(axisWords, x+16, y, left, l.name)
		x += 16 + axisWords.width(l.name) + 14
	}
}
