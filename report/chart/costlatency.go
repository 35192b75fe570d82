package chart

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// CostLatency draws what every offered model costs a month at the steady rate
// against its latency at p99, with the Pareto front as a step line: between two
// models there is nothing to buy, so no curve joins them.
func CostLatency(run results.Run) Chart {
	c := Chart{
		Name: "cost-latency", Basis: Projected, Title: "Cost against latency at the steady rate, " + string(Projected),
		Note: "Lower left is better. Filled: on the Pareto front, no other model is both cheaper and faster. Open: another one is, or it does not serve everything.",
	}
	c.Table.Header = []string{"model", "p99", "n", "$/month", "$/M requests", "served", "Pareto front"}
	c.Table.Text = 1
	front := Front(run.Projections)
	var points []results.Projection
	var missing []string
	for _, p := range run.Projections {
		if !p.Offered {
			continue
		}
		if !priced(p) {
			missing = append(missing, p.Model)
			continue
		}
		points = append(points, p)
		n := p.Steady.Counts
		c.Table.add(p.Model, figure.Duration(p.Steady.All.P99), figure.Count(p.Steady.All.N), figure.USD(p.Steady.Monthly.Total),
			figure.USD(p.Steady.PerMillion), share(n.Served, n.Offered), yes(front[p.Model]))
	}
	if len(missing) > 0 {
		c.Note += " Without a p99 or a price, and so not drawn: " + strings.Join(missing, ", ") + "."
	}
	if len(points) == 0 {
		c.Empty = "no model has both a p99 latency and a price at a steady rate"
		return c
	}
	c.Title = fmt.Sprintf("Cost against latency at %s, %s", figure.Rate(points[0].Steady.Rate), Projected)
	c.Alt = fmt.Sprintf("%d models; on the Pareto front: %s", len(points), frontSentence(points, front))
	c.height = func(w vg.Length) vg.Length { return max(320, min(420, w*0.5)) }
	c.paint = func(s *sheet) { paintCostLatency(s, points, front, run.Objective) }
	return c
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func frontSentence(points []results.Projection, front map[string]bool) string {
	var parts []string
	for _, p := range points {
		if front[p.Model] {
			parts = append(parts, fmt.Sprintf("%s, %s a month at p99 %s", p.Model, figure.USD(p.Steady.Monthly.Total), figure.Duration(p.Steady.All.P99)))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, "; ")
}

func paintCostLatency(s *sheet, points []results.Projection, front map[string]bool, objective time.Duration) {
	xs, ys := []float64{float64(objective)}, []float64{}
	for _, p := range points {
		xs, ys = append(xs, float64(p.Steady.All.P99)), append(ys, float64(p.Steady.Monthly.Total))
	}
	y := newLog(usdTick, ys...)
	pn := &panel{s, rect(margin(y), footer, s.w-14, s.h-header), newLog(durationTick, xs...), y}
	pn.gridY("$ a month, log scale")
	pn.gridX("latency at p99, cold and warm together, log scale", true)
	pl := &placer{bounds: pn.box}
	pn.objectiveX(objective, pl)
	pn.paintFront(points, front, pl)
	const r = 5.5
	for _, p := range points {
		at := pn.at(float64(p.Steady.All.P99), float64(p.Steady.Monthly.Total))
		pl.avoidBox(rect(at.X-r, at.Y-r, at.X+r, at.Y+r))
	}
	for _, filled := range []bool{false, true} { // those on the front on top
		for _, p := range points {
			if l := lookOf(p.Model); front[p.Model] == filled {
				pn.mark(l.glyph, r, l.colour, filled, pn.at(float64(p.Steady.All.P99), float64(p.Steady.Monthly.Total)))
			}
		}
	}
	for _, onFront := range []bool{true, false} { // those on the front choose first
		for _, p := range points {
			if front[p.Model] == onFront {
				pn.labelPoint(pl, pn.at(float64(p.Steady.All.P99), float64(p.Steady.Monthly.Total)), r, p, onFront)
			}
		}
	}
}

// labelPoint writes a model's name beside its glyph, with a leader if the
// free place is far away.
func (p *panel) labelPoint(pl *placer, at vg.Point, r vg.Length, m results.Projection, onFront bool) {
	w := labelWords
	if onFront {
		w = strong
	}
	text := m.Model
	if n := m.Steady.Counts; !Serves(m) && n.Offered > 0 {
		text += ", serves " + share(n.Served, n.Offered)
	}
	text = w.short(text, 170)
	box, far := pl.around(at, w.width(text), w.size, r+4)
	if far {
		end := vg.Point{X: min(max(at.X, box.Min.X), box.Max.X), Y: min(max(at.Y, box.Min.Y), box.Max.Y)}
		dx, dy := end.X-at.X, end.Y-at.Y
		if d := max(dx, -dx) + max(dy, -dy); d > r {
			p.line(solid(faint, 0.8), vg.Point{X: at.X + dx*r/d*1.3, Y: at.Y + dy*r/d*1.3}, end)
		}
	}
	p.write(w, box.Min.X, box.Min.Y+w.size*0.16, left, text)
}

// paintFront joins the models on the front by steps, and runs on to the edges:
// slower and dearer than a model on it is never worth buying.
func (p *panel) paintFront(points []results.Projection, front map[string]bool, pl *placer) {
	var pts []vg.Point
	for _, m := range points {
		if front[m.Model] {
			pts = append(pts, p.at(float64(m.Steady.All.P99), float64(m.Steady.Monthly.Total)))
		}
	}
	if len(pts) == 0 {
		return
	}
	slices.SortStableFunc(pts, func(a, b vg.Point) int { return int(min(max((a.X-b.X)*1000, -1), 1)) })
	steps := []vg.Point{{X: pts[0].X, Y: p.box.Max.Y}}
	for i, pt := range pts {
		if i > 0 {
			steps = append(steps, vg.Point{X: pt.X, Y: pts[i-1].Y})
		}
		steps = append(steps, pt)
	}
	steps = append(steps, vg.Point{X: p.box.Max.X, Y: pts[len(pts)-1].Y})
	p.FillPolygon(pale(faint, 0.14), append(steps[:len(steps):len(steps)], vg.Point{X: p.box.Max.X, Y: p.box.Max.Y}))
	p.line(solid(muted, 1.4), steps...)
	pl.avoid(steps)
}

// objectiveX draws the latency objective as a vertical line.
func (p *panel) objectiveX(objective time.Duration, pl *placer) {
	if objective <= 0 {
		return
	}
	x := p.px(float64(objective))
	a, b := vg.Point{X: x, Y: p.box.Min.Y}, vg.Point{X: x, Y: p.box.Max.Y}
	p.line(dashed(pink, 1.5, 3, 2), a, b)
	pl.avoid([]vg.Point{a, b})
	text := "objective " + figure.Plain(objective)
	w := axisWords.width(text)
	at := x + 5
	if at+w > p.box.Max.X {
		at = x - 5 - w
	}
	p.write(axisWords, at, p.box.Min.Y+5, left, text)
	pl.avoidBox(rect(at, p.box.Min.Y+2, at+w, p.box.Min.Y+16))
}
