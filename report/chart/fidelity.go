package chart

import (
	"fmt"
	"math"
	"slices"
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

// isQuantile knows p50 as well as cold_p50.
func isQuantile(metric string) bool {
	p, ok := strings.CutPrefix(metric[strings.LastIndexByte(metric, '_')+1:], "p")
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
	var x scale = percentError{niceStep(math.Max(worst, 0.01), 1)}
	if worst > 0.5 {
		x = newRatio(fs)
	}
	gutter := vg.Length(0)
	for _, f := range fs {
		gutter = max(gutter, min(s.w*0.45, labelWords.width(fidelityName(f))+12))
	}
	pn := &panel{s, rect(gutter, footer, s.w-64, s.h-2), x, nil}
	pn.gridX("simulated against live", true)
	tall := (pn.box.Max.Y - pn.box.Min.Y) / vg.Length(len(fs))
	zero := pn.px(0)
	pn.line(solid(muted, 1.2), vg.Point{X: zero, Y: pn.box.Min.Y}, vg.Point{X: zero, Y: pn.box.Max.Y})
	for i, f := range fs {
		y := pn.box.Max.Y - (vg.Length(i)+0.5)*tall
		pn.write(labelWords, gutter-10, y-4, right, labelWords.short(fidelityName(f), gutter-10))
		at := vg.Point{X: pn.px(f.Error), Y: y}
		pn.line(solid(blue, 2), vg.Point{X: zero, Y: y}, at)
		pn.mark(glyphCircle, 4, blue, true, at)
		pn.write(labelWords, max(at.X, zero)+9, y-4, left, figure.Change(f.Error))
	}
}

func fidelityName(f results.Fidelity) string { return f.Series + ", " + metricWords(f.Metric) }

// percentError runs from -reach to +reach.
type percentError struct{ reach float64 }

func (s percentError) at(v float64) float64 { return hold((v + s.reach) / (2 * s.reach)) }

func (s percentError) ticks() []tick {
	var out []tick
	for _, k := range []float64{-1, -0.5, 0, 0.5, 1} {
		label := "0"
		if k != 0 {
			label = fmt.Sprintf("%+.4g %%", k*s.reach*100)
		}
		out = append(out, tick{v: k * s.reach, label: strings.ReplaceAll(label, "-", "−")})
	}
	return out
}

// ratioError is for large errors: on it, half as much lies as far from none as
// twice as much. It runs from 1/most to most.
type ratioError struct{ most float64 }

func newRatio(fs []results.Fidelity) ratioError {
	most := 2.0
	for _, f := range fs {
		if r := 1 + f.Error; r > 0 {
			most = math.Max(most, math.Max(r, 1/r))
		}
	}
	return ratioError{up125(math.Min(most, 1e6))}
}

func (s ratioError) at(v float64) float64 {
	return hold(0.5 + math.Log(math.Max(1+v, 1e-9))/math.Log(s.most)/2)
}

func (s ratioError) ticks() []tick {
	step := math.Pow(10, math.Ceil(math.Log10(s.most)/3))
	if s.most <= 20 {
		step = 2
	}
	var above []float64
	for r := step; r <= s.most*1.001 && len(above) < 8; r *= step {
		above = append(above, r)
	}
	var out []tick
	for _, r := range slices.Backward(above) {
		out = append(out, tick{v: 1/r - 1, label: "1/" + trim(r)})
	}
	out = append(out, tick{label: "equal"})
	for _, r := range above {
		out = append(out, tick{v: r - 1, label: trim(r) + " times"})
	}
	return out
}
