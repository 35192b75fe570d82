package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// costCurve is a model's monthly cost over the request rate.
type costCurve struct {
	model  string
	points []results.RatePoint // sorted by rate; rate and cost above zero
}

// crossing is a break-even point; best if no model that meets the objective
// is cheaper at its rate.
type crossing struct {
	results.BreakEven
	best bool
}

// BreakEven draws what each model costs a month at every request rate, solid
// where it meets the objective and dotted where it does not, marks the rates at
// which two cost the same, and underlays the cheapest one that meets it.
func BreakEven(run results.Run) Chart {
	c := Chart{
		Name: "break-even", Basis: Projected, Title: "What a month costs at each request rate, " + string(Projected),
		Note: "Solid: the model meets the objective there and throttles nothing; dotted: it does not. The broad band is the cheapest that does. " +
			"Rings are break-even rates between the two cheapest; small ones are other crossings.",
	}
	c.Table.Header = []string{"model", "rate", "$/month", "p99", "units, mean", "meets objective"}
	c.Table.Text = 1
	curves := costCurves(run.Projections)
	for _, cv := range curves {
		for i, p := range cv.points {
			if i%max(1, len(cv.points)/12) == 0 {
				c.Table.add(cv.model, figure.Rate(p.Rate), figure.USD(p.Monthly), figure.Quantile(p.P99, 1), figure.Number(p.Units), yes(p.Feasible))
			}
		}
	}
	if len(curves) == 0 {
		c.Empty = "no model has a cost curve"
		return c
	}
	marks := crossings(run.BreakEven, curves)
	c.Alt = breakEvenSentence(marks)
	c.height = func(w vg.Length) vg.Length {
		if w < narrow {
			return 330 + keyHeight(len(curves))
		}
		return 440
	}
	c.paint = func(s *sheet) { paintBreakEven(s, curves, marks) }
	return c
}

func breakEvenSentence(marks []crossing) string {
	s := ""
	for _, m := range marks {
		if m.best {
			s += fmt.Sprintf("From %s on %s is cheaper than %s, at %s a month. ", figure.Rate(m.Rate), m.B, m.A, figure.USD(m.Monthly))
		}
	}
	if s == "" {
		return "The same model is the cheapest that meets the objective at every rate drawn, or none is."
	}
	return s
}

func costCurves(ps []results.Projection) []costCurve {
	var out []costCurve
	for _, p := range ps {
		if !p.Offered {
			continue
		}
		cv := costCurve{model: p.Model}
		for _, x := range p.Curve {
			if finite(x.Rate) && x.Rate > 0 && finite(float64(x.Monthly)) && x.Monthly > 0 {
				cv.points = append(cv.points, x)
			}
		}
		slices.SortStableFunc(cv.points, func(a, b results.RatePoint) int { return cmp.Compare(a.Rate, b.Rate) })
		if len(cv.points) > 0 {
			out = append(out, cv)
		}
	}
	return out
}

// at returns the cost at a rate, by log-log interpolation, and whether the
// objective is met on both sides of it; false where the curve has no point.
func (cv costCurve) at(rate float64) (monthly float64, feasible bool) {
	i, exact := slices.BinarySearchFunc(cv.points, rate, func(p results.RatePoint, r float64) int { return cmp.Compare(p.Rate, r) })
	if exact {
		return float64(cv.points[i].Monthly), cv.points[i].Feasible
	}
	if i == 0 || i == len(cv.points) {
		return math.NaN(), false
	}
	a, b := cv.points[i-1], cv.points[i]
	t := math.Log(rate/a.Rate) / math.Log(b.Rate/a.Rate)
	return float64(a.Monthly) * math.Pow(float64(b.Monthly/a.Monthly), t), a.Feasible && b.Feasible
}

// cheapest returns the curve with the lowest feasible cost at a rate, and that
// cost; -1 and NaN if there is none.
func cheapest(curves []costCurve, rate float64) (which int, monthly float64) {
	which, monthly = -1, math.NaN()
	for i, cv := range curves {
		if m, ok := cv.at(rate); ok && !(m >= monthly) {
			which, monthly = i, m
		}
	}
	return which, monthly
}

func crossings(bs []results.BreakEven, curves []costCurve) []crossing {
	byName := map[string]costCurve{}
	for _, cv := range curves {
		byName[cv.model] = cv
	}
	var out []crossing
	for _, b := range bs {
		if !finite(b.Rate) || b.Rate <= 0 || !finite(float64(b.Monthly)) || b.Monthly <= 0 {
			continue
		}
		_, okA := byName[b.A].at(b.Rate)
		_, okB := byName[b.B].at(b.Rate)
		_, low := cheapest(curves, b.Rate)
		out = append(out, crossing{b, okA && okB && float64(b.Monthly) <= low*1.02})
	}
	slices.SortStableFunc(out, func(a, b crossing) int { return cmp.Compare(a.Rate, b.Rate) })
	return out
}

func paintBreakEven(s *sheet, curves []costCurve, marks []crossing) {
	var xs, ys []float64
	for _, cv := range curves {
		for _, p := range cv.points {
			xs, ys = append(xs, p.Rate), append(ys, float64(p.Monthly))
		}
	}
	y := newLog(usdTick, ys...)
	pn := &panel{s, s.keyed(margin(y), costEntries(nil, curves)), exactLog(rateTick, xs...), y}
	pn.gridY("$ a month, log scale")
	pn.gridX("requests a second, log scale", true)
	pn.paintEnvelope(curves, xs)
	pl := &placer{bounds: pn.box}
	for i, cv := range curves {
		pl.avoid(cv.paint(pn, i, len(curves)))
	}
	pn.paintCrossings(marks, pl)
	pn.key(costEntries(pn, curves))
}

// costEntries are the curves in the key, each with its end if p is given.
func costEntries(p *panel, curves []costCurve) []entry {
	out := make([]entry, len(curves))
	for i, cv := range curves {
		l := lookOf(cv.model)
		out[i] = entry{name: cv.model, line: solid(l.colour, 1.8), glyph: l.glyph}
		if p != nil {
			last := cv.points[len(cv.points)-1]
			out[i].end = p.at(last.Rate, float64(last.Monthly))
		}
	}
	return out
}

// paintEnvelope underlays the cheapest feasible cost. Where one model takes over
// from another because that one stops to meet the objective, rather than to be
// cheaper, the band has a gap.
func (p *panel) paintEnvelope(curves []costCurve, rates []float64) {
	rates = slices.Compact(slices.Sorted(slices.Values(rates)))
	var run []vg.Point
	last := -1
	flush := func() {
		p.line(solid(pale(orange, 0.30), 10), run...)
		run = nil
	}
	for k, r := range rates {
		i, m := cheapest(curves, r)
		if k > 0 && i >= 0 && last >= 0 && i != last {
			_, was := curves[i].at(rates[k-1])
			_, still := curves[last].at(r)
			if !was || !still {
				flush()
			}
		}
		if last = i; i < 0 {
			flush()
			continue
		}
		run = append(run, p.at(r, m))
	}
	flush()
}

// paint draws a curve and its glyphs, and returns its points.
func (cv costCurve) paint(pn *panel, i, of int) []vg.Point {
	l := lookOf(cv.model)
	var pts []vg.Point
	for _, p := range cv.points {
		pts = append(pts, pn.at(p.Rate, float64(p.Monthly)))
	}
	for k := 1; k < len(pts); {
		end := k
		ok := cv.feasible(k)
		for end+1 < len(pts) && cv.feasible(end+1) == ok {
			end++
		}
		style := solid(l.colour, 1.8)
		if !ok {
			style = dashed(l.colour, 1.4, 1.5, 3)
		}
		pn.line(style, pts[k-1:end+1]...)
		k = end + 1
	}
	marks := map[bool][]vg.Point{}
	if len(pts) == 1 {
		marks[cv.points[0].Feasible] = pts
	}
	// Each model's glyphs stand at other places along the line, so that they
	// tell lines apart that run on each other.
	for x, k := pn.box.Min.X+vg.Length(i)*glyphEvery/vg.Length(of), 1; k < len(pts); {
		if x > pts[k].X {
			k++
			continue
		}
		if a, b := pts[k-1], pts[k]; x >= a.X && b.X > a.X {
			at := vg.Point{X: x, Y: a.Y + (b.Y-a.Y)*(x-a.X)/(b.X-a.X)}
			marks[cv.feasible(k)] = append(marks[cv.feasible(k)], at)
		}
		x += glyphEvery
	}
	pn.mark(l.glyph, 3.6, l.colour, false, marks[false]...)
	pn.mark(l.glyph, 3.6, l.colour, true, marks[true]...)
	return pts
}

// glyphEvery is the distance between two glyphs of a curve.
const glyphEvery vg.Length = 105

// feasible tells whether both ends of segment k are.
func (cv costCurve) feasible(k int) bool { return cv.points[k-1].Feasible && cv.points[k].Feasible }

func (p *panel) paintCrossings(marks []crossing, pl *placer) {
	var others []vg.Point
	for _, m := range marks {
		at := p.at(m.Rate, float64(m.Monthly))
		if !m.best {
			others = append(others, at)
		}
		pl.avoidBox(rect(at.X-3, at.Y-3, at.X+3, at.Y+3))
	}
	p.mark(glyphCircle, 1.8, muted, false, others...)
	for _, m := range marks {
		if !m.best {
			continue
		}
		at := p.at(m.Rate, float64(m.Monthly))
		p.mark(glyphCircle, 5.5, ink, false, at)
		pl.avoidBox(rect(at.X-7, at.Y-7, at.X+7, at.Y+7))
	}
	for _, m := range marks {
		if !m.best {
			continue
		}
		at := p.at(m.Rate, float64(m.Monthly))
		text := figure.Rate(m.Rate)
		box, far := pl.around(at, strong.width(text)+4, strong.size+2, 10)
		if far {
			end := vg.Point{X: min(max(at.X, box.Min.X), box.Max.X), Y: min(max(at.Y, box.Min.Y), box.Max.Y)}
			p.line(solid(muted, 0.8), at, end)
			p.mark(glyphCircle, 5.5, ink, false, at)
		}
		p.fill(pale(paper, 0.75), box)
		p.write(strong, box.Min.X+2, box.Min.Y+strong.size*0.16+1, left, text)
	}
}

// Crossings lists the break-even rates as tables: those between the two
// cheapest models that meet the objective, and all others.
func Crossings(run results.Run) (best, others Table) {
	best = Table{Header: []string{"cheaper below", "cheaper above", "break-even rate", "$/month"}, Text: 2}
	others = best
	for _, m := range crossings(run.BreakEven, costCurves(run.Projections)) {
		t := &others
		if m.best {
			t = &best
		}
		t.add(m.A, m.B, figure.Rate(m.Rate), figure.USD(m.Monthly))
	}
	return best, others
}
