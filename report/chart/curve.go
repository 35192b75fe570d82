package chart

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// Curve draws a scaling curve: latency of cold and of warm starts over what was
// varied, and under it, where there is one, the throughput and its knee.
func Curve(cv results.Curve) Chart {
	c := Chart{
		Name: name("curve", cv.Axis), Basis: Measured, Title: fmt.Sprintf("Latency over %s, %s", axisTitle(cv), Measured),
		Table: curveTable(cv), Note: curveNote(cv),
	}
	points := slices.DeleteFunc(slices.Clone(cv.Points), func(p results.CurvePoint) bool { return p.Counts.Served == 0 })
	if len(points) == 0 {
		c.Empty = "no trigger was served at any value"
		return c
	}
	c.Alt = curveAlt(cv, points)
	loaded := slices.ContainsFunc(points, func(p results.CurvePoint) bool { return p.Throughput > 0 })
	c.height = func(vg.Length) vg.Length {
		if loaded {
			return curveTop + curveRow + footer - 14
		}
		return curveTop + footer - 14
	}
	c.paint = func(s *sheet) { paintCurve(s, cv, points, loaded) }
	return c
}

const (
	curveTop vg.Length = 230
	curveRow vg.Length = 150
)

func axisTitle(cv results.Curve) string {
	switch cv.Axis {
	case "burst", "rate", "concurrency":
		return cv.Unit
	case "package":
		return "bytes added to the package"
	}
	return cv.Axis
}

// scaleOut is how many environments AWS lets a function gain in 10 s (AWS Lambda:
// Understanding Lambda function scaling, concurrency scaling rate).
const scaleOut = 1000

// axisValue writes a value of the curve's axis with its unit where it has one.
func axisValue(cv results.Curve, v float64) string {
	switch {
	case strings.HasPrefix(cv.Unit, "bytes"):
		return figure.Bytes(int64(v))
	case cv.Axis == "rate":
		return figure.Rate(v)
	case cv.Axis == "memory":
		return figure.Number(v) + " MB"
	}
	return figure.Number(v)
}

func curveNote(cv results.Curve) string {
	note := "Each value: " + cv.Storm + ". Bars are 95 % intervals of the median."
	if k := cv.Knee; k != nil {
		note += " " + KneeSentence(cv)
	}
	var limited []string
	for _, p := range cv.Points {
		if p.Limited {
			limited = append(limited, axisValue(cv, p.Value))
		}
	}
	if len(limited) > 0 {
		note += " Hollow marks: this machine or the generator was the bottleneck, at " + strings.Join(limited, ", ") + "."
	}
	return note
}

// KneeSentence says where the throughput bends, or that it does not.
func KneeSentence(cv results.Curve) string {
	k := cv.Knee
	switch {
	case k.Reached && k.Value > 0:
		return fmt.Sprintf("The knee is at %s, with at most %s served: %s.", axisValue(cv, k.Value), figure.Rate(k.Highest), k.Rule)
	case k.Reached:
		return fmt.Sprintf("The knee lies before the first value; at most %s were served.", figure.Rate(k.Highest))
	}
	return fmt.Sprintf("No knee up to the last value, with at most %s served.", figure.Rate(k.Highest))
}

func curveAlt(cv results.Curve, points []results.CurvePoint) string {
	var parts []string
	first, last := points[0], points[len(points)-1]
	for _, start := range []results.Start{results.StartCold, results.StartWarm} {
		if a, b := first.Latency[start], last.Latency[start]; a.N > 0 && b.N > 0 {
			parts = append(parts, fmt.Sprintf("%s p50 is %s at %s (n %s) and %s at %s (n %s)", start,
				figure.Quantile(a.P50, a.N), axisValue(cv, first.Value), figure.Count(a.N), figure.Quantile(b.P50, b.N), axisValue(cv, last.Value), figure.Count(b.N)))
		}
	}
	return strings.Join(parts, "; ")
}

// curveStarts are the kinds of start that a curve may hold, with their colours.
var curveStarts = []struct {
	start  results.Start
	colour color.NRGBA
}{{results.StartCold, red}, {results.StartWarm, blue}, {results.StartRestored, green}, {results.StartUnknown, muted}}

// column is one of the table's: its head, and the cell of a point.
type column struct {
	head string
	cell func(results.CurvePoint) string
}

// curveColumns are those that any point has something for, the most telling first.
func curveColumns(cv results.Curve) []column {
	cols := []column{
		{cv.Axis, func(p results.CurvePoint) string { return axisValue(cv, p.Value) }},
		{"served", func(p results.CurvePoint) string { return figure.Count(p.Counts.Served) }},
		{"not served", func(p results.CurvePoint) string { return figure.Count(p.Counts.Offered - p.Counts.Served) }},
	}
	late := []column{}
	has := func(f func(results.CurvePoint) bool) bool { return slices.ContainsFunc(cv.Points, f) }
	if has(func(p results.CurvePoint) bool { return len(p.Throughputs) > 0 }) {
		cols = append(cols, column{"served/s", func(p results.CurvePoint) string { return figure.Number(p.Throughput) }})
		late = append(late, column{"served/s, each repeat", func(p results.CurvePoint) string { return numbers(p.Throughputs) }})
	}
	for _, k := range curveStarts {
		of := func(p results.CurvePoint) results.Quantiles { return p.Latency[k.start] }
		if !has(func(p results.CurvePoint) bool { return of(p).N > 0 }) {
			continue
		}
		cols = append(cols,
			column{string(k.start) + ", n", func(p results.CurvePoint) string { return figure.Count(of(p).N) }},
			column{"p50", func(p results.CurvePoint) string { return figure.Quantile(of(p).P50, of(p).N) }},
			column{"p99", func(p results.CurvePoint) string { return figure.Quantile(of(p).P99, of(p).N) }})
		late = append(late, column{string(k.start) + " p50, 95 % interval", func(p results.CurvePoint) string { return figure.Interval(of(p).P50Low, of(p).P50High) }})
	}
	if has(func(p results.CurvePoint) bool { return p.Init.N > 0 }) {
		cols = append(cols, column{"init p50", func(p results.CurvePoint) string { return figure.Quantile(p.Init.P50, p.Init.N) }})
	}
	if has(func(p results.CurvePoint) bool { return p.Peak >= 0 }) {
		cols = append(cols, column{"environments", func(p results.CurvePoint) string { return environments(p.Peak) }})
	}
	if cv.Axis == "burst" || cv.Axis == "rate" {
		cols = append(cols, column{"new in 10 s (AWS allows " + figure.Count(scaleOut) + ")", func(p results.CurvePoint) string { return figure.Count(p.Growth) }})
	}
	if has(func(p results.CurvePoint) bool { return p.Deploy > 0 }) {
		cols = append(cols, column{"to unpack", func(p results.CurvePoint) string { return figure.Duration(p.Deploy) }})
	}
	return append(append(cols, late...), column{"repeats", func(p results.CurvePoint) string { return figure.Count(p.Repeats) }})
}

func curveTable(cv results.Curve) Table {
	cols := curveColumns(cv)
	var t Table
	for _, c := range cols {
		t.Header = append(t.Header, c.head)
	}
	for _, p := range cv.Points {
		var row []string
		for _, c := range cols {
			row = append(row, c.cell(p))
		}
		t.add(row...)
	}
	return t
}

func environments(n int) string {
	if n < 0 {
		return figure.Absent
	}
	return figure.Count(n)
}

func numbers(vs []float64) string {
	var words []string
	for _, v := range vs {
		words = append(words, figure.Number(v))
	}
	return strings.Join(words, " ")
}

func paintCurve(s *sheet, cv results.Curve, points []results.CurvePoint, loaded bool) {
	var values, latencies, rates []float64
	for _, p := range points {
		values, rates = append(values, p.Value), append(rates, p.Throughput, p.Offered)
		for _, k := range curveStarts {
			q := p.Latency[k.start]
			latencies = append(latencies, float64(q.P50), float64(q.P90), float64(q.P50Low), float64(q.P50High))
		}
	}
	x, y, rate := curveScale(cv, values), newLog(durationTick, latencies...), newLinear(rateTick, rates...)
	gutter, end := margin(y), s.w-70
	bottom := footer
	if loaded {
		gutter, bottom = margin(y, rate), footer+curveRow
	}
	title := axisTitle(cv)
	if values[0] > 0 {
		title += ", log scale"
	}
	top := &panel{s, rect(gutter, bottom, end, s.h-header), x, y}
	top.gridY("latency from the intended send, log scale")
	if loaded {
		top.gridBelow(false)
	} else {
		top.gridX(title, true)
	}
	top.curveLatencies(points)
	if loaded {
		under := &panel{s, rect(gutter, footer, end, footer+curveRow-header-10), x, rate}
		under.gridY("served a second")
		under.gridX(title, true)
		under.curveRates(cv, points)
	}
}

// measuredAt is a scale whose ticks are the values that were measured.
type measuredAt struct {
	scale
	values []tick
}

func (m measuredAt) ticks() []tick { return m.values }

// curveScale is logarithmic where all values are above zero.
func curveScale(cv results.Curve, values []float64) scale {
	m := measuredAt{}
	for _, v := range values {
		m.values = append(m.values, tick{v: v, label: axisValue(cv, v)})
	}
	lo, hi := slices.Min(values), slices.Max(values)
	if lo <= 0 {
		m.scale = until(countTick, hi)
	} else {
		m.scale = logarithmic{lo: lo / 1.05, hi: hi * 1.05, base: 10, format: countTick}
	}
	return m
}

// curveLatencies draws p50 with its interval, and p90 dashed, of each start.
func (p *panel) curveLatencies(points []results.CurvePoint) {
	var names []string
	var lines [][]vg.Point
	var colours []color.NRGBA
	for _, k := range curveStarts {
		p50 := p.curveLine(points, k.colour, func(c results.CurvePoint) time.Duration { return c.Latency[k.start].P50 }, solid(k.colour, 2), true)
		p90 := p.curveLine(points, k.colour, func(c results.CurvePoint) time.Duration { return c.Latency[k.start].P90 }, dashed(k.colour, 1.3, 6, 4), false)
		for _, c := range points {
			if q := c.Latency[k.start]; q.P50Low > 0 && q.P50High > 0 {
				p.line(solid(k.colour, 1.2), p.at(c.Value, float64(q.P50Low)), p.at(c.Value, float64(q.P50High)))
			}
		}
		names = append(names, string(k.start)+" p50", string(k.start)+" p90")
		lines, colours = append(lines, p50, p90), append(colours, k.colour, k.colour)
	}
	p.endNames(names, lines, colours)
}

// endNames is endLabels for lines of which some are empty, each in its colour.
func (p *panel) endNames(names []string, lines [][]vg.Point, colours []color.NRGBA) {
	var n []string
	var l [][]vg.Point
	var c []color.NRGBA
	for i := range lines {
		if len(lines[i]) > 0 {
			n, l, c = append(n, names[i]), append(l, lines[i]), append(c, colours[i])
		}
	}
	p.endLabels(n, l, c...)
}

// curveLine draws one quantile of each point that has it, filled marks where
// neither machine nor generator was the bottleneck.
func (p *panel) curveLine(points []results.CurvePoint, c color.NRGBA, of func(results.CurvePoint) time.Duration, st draw.LineStyle, marks bool) []vg.Point {
	var pts []vg.Point
	for _, x := range points {
		if v := of(x); v > 0 {
			pts = append(pts, p.at(x.Value, float64(v)))
		}
	}
	p.line(st, pts...)
	for _, x := range points {
		if v := of(x); v > 0 && marks {
			p.mark(glyphCircle, 3, c, !x.Limited, p.at(x.Value, float64(v)))
		}
	}
	return pts
}

// curveRates draws the throughput with each repeat, what was offered, and the knee.
func (p *panel) curveRates(cv results.Curve, points []results.CurvePoint) {
	var served, offered []vg.Point
	for _, x := range points {
		served = append(served, p.at(x.Value, x.Throughput))
		if x.Offered > 0 {
			offered = append(offered, p.at(x.Value, x.Offered))
		}
	}
	p.line(dashed(muted, 1.2, 2, 3), offered...)
	if k := cv.Knee; k != nil && k.Reached && k.Value > 0 {
		at := p.px(k.Value)
		p.line(dashed(pink, 1.4, 4, 3), vg.Point{X: at, Y: p.box.Min.Y}, vg.Point{X: at, Y: p.box.Max.Y})
		p.write(strong.in(pink), min(at+4, p.box.Max.X-30), p.box.Max.Y+1, left, "knee")
	}
	p.line(solid(ink, 1.8), served...)
	for i, x := range points {
		p.mark(glyphCircle, 3, ink, !x.Limited, served[i])
		for _, v := range x.Throughputs {
			p.mark(glyphCircle, 1.4, muted, true, p.at(x.Value, v))
		}
	}
	p.endNames([]string{"served", "offered"}, [][]vg.Point{served, offered}, []color.NRGBA{ink, muted})
}
