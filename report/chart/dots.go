package chart

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// maxDots is how many cold starts a row shows, so that a page stays small. Of
// more, every so many-eth by rank is shown, and the fastest and slowest always.
const maxDots = 500

// coldRow is the cold starts of one storm, sorted.
type coldRow struct {
	name  string
	ds    []time.Duration // as drawn
	n     int             // as measured
	q     results.Quantiles
	times []int // position in time of each drawn one, for the jitter
}

// ColdDots draws every cold start of a run as a dot, a row for each storm, with
// its median and its 90th percentile. Samples of other series are left out.
func ColdDots(run results.Run, samples []results.Sample) Chart {
	c := Chart{
		Name: "cold-starts", Title: "Every cold start, " + string(Measured), Basis: Measured,
		Note: "One dot per cold start; its height in the row means nothing. Latency runs from the intended send to the last byte, function included.",
	}
	c.Table.Header = []string{"storm", "cold starts", "of served", "min", "p50", "95 % interval", "p90", "p99", "max"}
	c.Table.Text = 1
	var rows []coldRow
	for _, s := range run.Series {
		row := newColdRow(s, samples)
		if row.n == 0 {
			continue
		}
		rows = append(rows, row)
		if c.Alt != "" {
			c.Alt += "; "
		}
		c.Alt += fmt.Sprintf("%s: %s cold starts, p50 %s, p90 %s", s.Name, figure.Count(row.n), figure.Quantile(row.q.P50, row.n), figure.Quantile(row.q.P90, row.n))
		c.Table.add(s.Name, figure.Count(row.n), share(row.n, s.Counts.Served), figure.Duration(row.q.Min), figure.Quantile(row.q.P50, row.n),
			figure.Interval(row.q.P50Low, row.q.P50High), figure.Quantile(row.q.P90, row.n), figure.Quantile(row.q.P99, row.n), figure.Duration(row.q.Max))
		if len(row.ds) < row.n {
			c.Note += fmt.Sprintf(" Of %s, %s of %s are drawn, evenly by rank.", s.Name, figure.Count(len(row.ds)), figure.Count(row.n))
		}
	}
	if len(rows) == 0 {
		c.Empty = noColdStarts(run)
		return c
	}
	c.height = func(w vg.Length) vg.Length { return vg.Length(len(rows))*rowHeight(w) + footer + 18 }
	c.paint = func(s *sheet) { paintDots(s, rows, run.Objective) }
	return c
}

// noColdStarts says why there is no cold start to draw.
func noColdStarts(run results.Run) string {
	var cold, unknown int
	for _, s := range run.Series {
		cold, unknown = max(cold, s.Counts.Cold), max(unknown, s.Counts.Unknown)
	}
	switch {
	case cold > 0:
		return "the samples of this run's cold starts were not kept"
	case unknown > 0:
		return "the endpoint gave no evidence of how its answers started"
	}
	return "no served trigger met a cold start"
}

func rowHeight(w vg.Length) vg.Length {
	if w < narrow {
		return 92
	}
	return 78
}

func share(part, whole int) string {
	if whole == 0 {
		return figure.Absent
	}
	return figure.Share(float64(part) / float64(whole))
}

func newColdRow(s results.Series, samples []results.Sample) coldRow {
	type dot struct {
		d  time.Duration
		at int
	}
	var dots []dot
	for _, x := range samples {
		if x.Series == s.Name && x.Outcome == results.OutcomeServed && x.Start == results.StartCold && x.Latency() > 0 {
			dots = append(dots, dot{x.Latency(), len(dots)})
		}
	}
	slices.SortStableFunc(dots, func(a, b dot) int { return int(min(max(a.d-b.d, -1), 1)) })
	row := coldRow{name: s.Name, n: len(dots), q: s.Latency[results.StartCold]}
	for i := range min(len(dots), maxDots) {
		k := i
		if len(dots) > maxDots {
			k = i * (len(dots) - 1) / (maxDots - 1)
		}
		row.ds, row.times = append(row.ds, dots[k].d), append(row.times, dots[k].at)
	}
	return row
}

func paintDots(s *sheet, rows []coldRow, objective time.Duration) {
	values := []float64{}
	for _, r := range rows {
		values = append(values, float64(r.ds[0]), float64(r.ds[len(r.ds)-1]))
	}
	gutter := vg.Length(8)
	if !s.narrow() {
		for _, r := range rows {
			gutter = max(gutter, min(150, strong.width(r.name)+24))
		}
	}
	pn := &panel{s, rect(gutter, footer, s.w-16, s.h-18), newLog(durationTick, values...), nil}
	pn.gridX("cold start latency, log scale", true)
	if x := pn.px(float64(objective)); x > pn.box.Min.X && x < pn.box.Max.X { // it doesn't stretch the axis
		pn.line(dashed(pink, 1.5, 3, 2), vg.Point{X: x, Y: pn.box.Min.Y}, vg.Point{X: x, Y: pn.box.Max.Y})
		text := "objective " + figure.Plain(objective)
		half := axisWords.width(text) / 2
		pn.write(axisWords, min(max(x, half), s.w-half), pn.box.Max.Y+5, centre, text)
	}
	tall := (pn.box.Max.Y - pn.box.Min.Y) / vg.Length(len(rows))
	for i, r := range rows {
		r.paint(pn, pn.box.Max.Y-vg.Length(i)*tall, tall)
		if i > 0 {
			y := pn.box.Max.Y - vg.Length(i)*tall
			pn.line(solid(grid, 1), vg.Point{X: 0, Y: y}, vg.Point{X: s.w - 16, Y: y})
		}
	}
}

// paint draws a row under the height top: words, dots, and under these the
// median with its interval and the 90th percentile.
func (r coldRow) paint(pn *panel, top, tall vg.Length) {
	if pn.narrow() {
		pn.write(strong, 0, top-14, left, strong.short(r.name+"  n = "+figure.Count(r.n), pn.w))
		top, tall = top-16, tall-16
	} else {
		pn.write(strong, 0, top-tall/2+3, left, strong.short(r.name, pn.box.Min.X-10))
		pn.write(axisWords, 0, top-tall/2-12, left, "n = "+figure.Count(r.n))
	}
	low, high := top-tall+30, top-8
	var path vg.Path
	const size = 2.6
	for i, d := range r.ds {
		jitter := math.Mod(float64(r.times[i])*0.6180339887, 1) // evenly spread, and the same every time
		at := vg.Point{X: pn.px(float64(d)) - size/2, Y: low + vg.Length(jitter)*(high-low)}
		path.Move(at)
		path.Line(vg.Point{X: at.X + size, Y: at.Y})
	}
	pn.SetColor(pale(red, 0.7))
	pn.SetLineWidth(size)
	pn.SetLineDash(nil, 0)
	pn.Stroke(path)
	r.paintBox(pn, top-tall+20)
}

func (r coldRow) paintBox(pn *panel, y vg.Length) {
	if r.q.P50 <= 0 {
		return
	}
	p50, p90 := pn.px(float64(r.q.P50)), pn.px(float64(max(r.q.P50, r.q.P90)))
	if r.q.P50Low > 0 && r.q.P50High > 0 {
		pn.fill(pale(ink, 0.18), rect(pn.px(float64(r.q.P50Low)), y-4, pn.px(float64(r.q.P50High)), y+4))
	}
	pn.line(solid(ink, 2.2), vg.Point{X: p50, Y: y - 5}, vg.Point{X: p50, Y: y + 5})
	text := "p50 " + figure.Duration(r.q.P50)
	if r.q.P90 > 0 {
		pn.line(solid(ink, 1), vg.Point{X: p50, Y: y}, vg.Point{X: p90, Y: y})
		pn.line(solid(ink, 1), vg.Point{X: p90, Y: y - 4}, vg.Point{X: p90, Y: y + 4})
		text += ", p90 " + figure.Duration(r.q.P90)
	}
	width := labelWords.width(text)
	x := max(p90, pn.px(float64(r.q.P50High))) + 7
	if x+width > pn.w-2 { // no room behind: in front
		x = min(p50, pn.px(float64(max(r.q.P50Low, 1)))) - 7 - width
	}
	x = max(pn.box.Min.X, x)
	pn.fill(pale(paper, 0.85), rect(x-2, y-7, x+width+2, y+8)) // the objective's line may pass here
	pn.write(labelWords, x, y-4, left, text)
}
