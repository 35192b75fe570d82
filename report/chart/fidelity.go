package chart

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// Fidelity draws the simulation's error against live on the storms that both
// ran here: a row for each figure, a dot for the error.
func Fidelity(fs []results.Fidelity) Chart {
	c := Chart{
		Name: "fidelity", Basis: Measured, Title: "The simulation held against live, " + string(Measured),
		Note: "The simulation ran the storms that were measured here, on this host's terms. Its error here is the least that a projection can be off by.",
	}
	c.Table.Header = []string{"storm", "model", "figure", "live", "simulated", "error"}
	c.Table.Text = 3
	worst, drawn := 0.0, []results.Fidelity{}
	for _, f := range fs {
		c.Table.add(f.Series, f.Model, metricWords(f.Metric), metric(f.Metric, f.Live), metric(f.Metric, f.Sim), fidelityError(f))
		if f.Live != 0 && finite(f.Error) {
			worst = math.Max(worst, math.Abs(f.Error))
			drawn = append(drawn, f)
		}
	}
	if len(drawn) == 0 {
		c.Empty = "the simulation was not held against a live storm"
		return c
	}
	c.Alt = fmt.Sprintf("%d figures, the largest error %s", len(drawn), figure.Share(worst))
	c.height = func(w vg.Length) vg.Length { return vg.Length(len(drawn))*22 + footer + 6 }
	c.paint = func(s *sheet) { paintFidelity(s, drawn, worst) }
	return c
}

// metric writes a figure: a quantile is in nanoseconds, all else are counts.
func metric(name string, v float64) string {
	if isQuantile(name) {
		if !finite(v) || math.Abs(v) > 1e18 {
			return figure.Absent
		}
		return figure.Quantile(time.Duration(v), 1)
	}
	return figure.Number(v)
}

func isQuantile(metric string) bool {
	p, ok := strings.CutPrefix(metric, "p")
	return ok && p != "" && strings.Trim(p, "0123456789.") == ""
}

func metricWords(m string) string { return strings.ReplaceAll(m, "_", " ") }

func fidelityError(f results.Fidelity) string {
	if f.Live == 0 {
		return figure.Absent
	}
	return figure.Change(f.Error)
}

func paintFidelity(s *sheet, fs []results.Fidelity, worst float64) {
	reach := niceStep(math.Min(math.Max(worst, 0.01), 1e6), 1)
	x := errorScale{reach}
	gutter := vg.Length(0)
	for _, f := range fs {
		gutter = max(gutter, min(s.w*0.45, labelWords.width(f.Series+"  "+metricWords(f.Metric))+12))
	}
	pn := &panel{s, rect(gutter, footer, s.w-60, s.h-2), x, nil}
	pn.gridX("error of the simulation", true)
	tall := (pn.box.Max.Y - pn.box.Min.Y) / vg.Length(len(fs))
	zero := pn.px(0)
	pn.line(solid(muted, 1.2), vg.Point{X: zero, Y: pn.box.Min.Y}, vg.Point{X: zero, Y: pn.box.Max.Y})
	for i, f := range fs {
		y := pn.box.Max.Y - (vg.Length(i)+0.5)*tall
		pn.write(labelWords, gutter-10, y-4, right, labelWords.short(f.Series+"  "+metricWords(f.Metric), gutter-10))
		at := vg.Point{X: pn.px(f.Error), Y: y}
		pn.line(solid(blue, 2), vg.Point{X: zero, Y: y}, at)
		pn.mark(glyphCircle, 4, blue, true, at)
		pn.write(labelWords, max(at.X, zero)+9, y-4, left, figure.Change(f.Error))
	}
}

// errorScale runs from -reach to +reach.
type errorScale struct{ reach float64 }

func (s errorScale) at(v float64) float64 { return hold((v + s.reach) / (2 * s.reach)) }

func (s errorScale) ticks() []tick {
	var out []tick
	for _, k := range []float64{-1, -0.5, 0, 0.5, 1} {
		label := "0"
		if k != 0 {
			label = fmt.Sprintf("%+.4g %%", k*s.reach*100)
		}
		out = append(out, tick{k * s.reach, strings.ReplaceAll(label, "-", "−")})
	}
	return out
}
