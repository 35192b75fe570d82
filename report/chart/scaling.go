package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// Scaling draws how cold starts slow down as more of them happen at once: the
// latency over the burst's size, the time until the last one answered, and the
// environments started a second.
func Scaling(points []results.SweepPoint) Chart {
	c := Chart{
		Name: "scaling", Basis: Measured, Title: "Cold starts against the size of a burst, " + string(Measured),
		Note: "Bars are 95 % intervals of the median. Were cold starts independent of each other, the median would stay on the dotted line.",
	}
	points = slices.DeleteFunc(slices.Clone(points), func(p results.SweepPoint) bool { return p.N <= 0 })
	slices.SortStableFunc(points, func(a, b results.SweepPoint) int { return cmp.Compare(a.N, b.N) })
	c.Table.Header = []string{"burst", "repeats", "cold starts", "p50", "95 % interval", "p90", "p99", "until the last answered", "environments/s"}
	for _, p := range points {
		c.Table.add(figure.Count(p.N), figure.Count(p.Repeats), figure.Count(p.Cold.N), figure.Quantile(p.Cold.P50, p.Cold.N), figure.Interval(p.Cold.P50Low, p.Cold.P50High),
			figure.Quantile(p.Cold.P90, p.Cold.N), figure.Quantile(p.Cold.P99, p.Cold.N), figure.Quantile(p.Ready, p.Counts.Offered), figure.Number(perSecond(p)))
	}
	if len(points) == 0 {
		c.Empty = "no bursts of growing size were run"
		return c
	}
	first, last := points[0], points[len(points)-1]
	c.Alt = fmt.Sprintf("Cold p50 is %s at %s at once (n %s) and %s at %s at once (n %s)",
		figure.Quantile(first.Cold.P50, first.Cold.N), figure.Count(first.N), figure.Count(first.Cold.N),
		figure.Quantile(last.Cold.P50, last.Cold.N), figure.Count(last.N), figure.Count(last.Cold.N))
	if knee := knee(points); knee > 0 {
		c.Note += fmt.Sprintf(" From %s at once the median is more than twice that of %s at once.", figure.Count(knee), figure.Count(first.N))
	}
	c.height = func(w vg.Length) vg.Length { return scalingTop + 2*scalingRow + footer - 14 }
	c.paint = func(s *sheet) { paintScaling(s, points) }
	return c
}

const (
	scalingTop vg.Length = 230
	scalingRow vg.Length = 118
)

// perSecond returns the environments that a burst started a second.
func perSecond(p results.SweepPoint) float64 {
	if p.Ready <= 0 || p.Counts.Cold <= 0 {
		return 0
	}
	return float64(p.Counts.Cold) / float64(max(p.Repeats, 1)) / p.Ready.Seconds()
}

// knee returns the first size at which the median is more than twice the
// first's; 0 if there is none.
func knee(points []results.SweepPoint) int {
	for _, p := range points {
		if first := points[0].Cold.P50; first > 0 && p.Cold.P50/2 > first {
			return p.N
		}
	}
	return 0
}

func paintScaling(s *sheet, points []results.SweepPoint) {
	var sizes, latencies, readies, rates []float64
	for _, p := range points {
		sizes = append(sizes, float64(p.N))
		latencies = append(latencies, float64(p.Cold.P50), float64(p.Cold.P90), float64(p.Cold.P50Low), float64(p.Cold.P50High))
		readies, rates = append(readies, float64(p.Ready)), append(rates, perSecond(p))
	}
	x := newLog2(func(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }, sizes...)
	y, ready, rate := newLog(durationTick, latencies...), newLog(durationTick, readies...), newLinear(rateTick, rates...)
	gutter, end := margin(y, ready, rate), s.w-40
	top := &panel{s, rect(gutter, s.h-scalingTop+10, end, s.h-header), x, y}
	top.gridY("cold start latency, log scale")
	top.gridBelow(false)
	top.paintLatencies(points)
	middle := &panel{s, rect(gutter, s.h-scalingTop-scalingRow+10, end, s.h-scalingTop-header), x, ready}
	middle.gridY("until the last of the burst was answered")
	middle.gridBelow(false)
	middle.dotted(sizes, readies)
	bottom := &panel{s, rect(gutter, footer, end, s.h-scalingTop-scalingRow-header), x, rate}
	bottom.gridY("environments started a second")
	bottom.gridX("triggers at once, log scale", true)
	bottom.dotted(sizes, rates)
}

// dotted draws a line with a dot at each value above zero.
func (p *panel) dotted(xs, ys []float64) {
	var pts []vg.Point
	for i := range xs {
		if finite(ys[i]) && ys[i] > 0 {
			pts = append(pts, p.at(xs[i], ys[i]))
		}
	}
	p.line(solid(ink, 1.6), pts...)
	p.mark(glyphCircle, 2.8, ink, true, pts...)
}

func (p *panel) paintLatencies(points []results.SweepPoint) {
	var p50, p90 []vg.Point
	for _, x := range points {
		if x.Cold.P50 > 0 {
			p50 = append(p50, p.at(float64(x.N), float64(x.Cold.P50)))
		}
		if x.Cold.P90 > 0 {
			p90 = append(p90, p.at(float64(x.N), float64(x.Cold.P90)))
		}
	}
	if len(p50) > 0 {
		p.line(dashed(muted, 1.2, 2, 3), p50[0], vg.Point{X: p.box.Max.X, Y: p50[0].Y})
	}
	p.line(dashed(red, 1.5, 6, 4), p90...)
	p.line(solid(red, 2), p50...)
	for _, x := range points {
		if lo, hi := x.Cold.P50Low, x.Cold.P50High; lo > 0 && hi > 0 {
			at := p.px(float64(x.N))
			p.line(solid(red, 1.2), vg.Point{X: at, Y: p.py(float64(lo))}, vg.Point{X: at, Y: p.py(float64(hi))})
			for _, v := range []float64{float64(lo), float64(hi)} {
				p.line(solid(red, 1.2), vg.Point{X: at - 3, Y: p.py(v)}, vg.Point{X: at + 3, Y: p.py(v)})
			}
		}
	}
	p.mark(glyphCircle, 2.8, red, false, p90...)
	p.mark(glyphCircle, 3, red, true, p50...)
	p.labelIdeal(p50, p90)
	p.endLabels([]string{"p50", "p90"}, [][]vg.Point{p50, p90}, red)
}

// labelIdeal names the level line of the first median, where there is room.
func (p *panel) labelIdeal(p50, p90 []vg.Point) {
	if len(p50) == 0 {
		return
	}
	ideal := []vg.Point{p50[0], {X: p.box.Max.X, Y: p50[0].Y}}
	pl := &placer{bounds: p.box}
	pl.avoid(p50)
	pl.avoid(p90)
	pl.avoid(ideal)
	p.labelLine(pl, ideal, axisWords, "if none slowed another")
}

// endLabels names lines behind their last points, apart from each other.
func (p *panel) endLabels(names []string, lines [][]vg.Point, c ...color.NRGBA) {
	var wanted []vg.Length
	var texts []string
	var colours []color.NRGBA
	x := p.box.Max.X + 8
	for i, l := range lines {
		if len(l) == 0 {
			continue
		}
		wanted = append(wanted, l[len(l)-1].Y)
		texts = append(texts, names[i])
		colours = append(colours, c[min(i, len(c)-1)])
	}
	for i, y := range spread(wanted, 14, p.box.Min.Y+4, p.box.Max.Y-4) {
		p.write(strong.in(colours[i]), x, y-4, left, texts[i])
	}
}
