package chart

import (
	"fmt"
	"image/color"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// phaseWords says each phase in the words of a reader.
var phaseWords = map[results.Phase]string{
	results.PhaseQueue: "queue", results.PhaseSandbox: "sandbox", results.PhaseRootfs: "rootfs",
	results.PhaseRuntimeInit: "runtime init", results.PhaseFunctionInit: "function init", results.PhaseInit: "init", results.PhaseRestore: "restore",
	results.PhaseInvoke: "invoke", results.PhaseTransport: "transport",
}

var phaseColours = map[results.Phase]color.NRGBA{
	results.PhaseQueue: faint, results.PhaseSandbox: sky, results.PhaseRootfs: sky,
	results.PhaseRuntimeInit: orange, results.PhaseFunctionInit: orange, results.PhaseInit: orange, results.PhaseRestore: orange,
	results.PhaseInvoke: blue, results.PhaseTransport: faint,
}

// bar is one row of the waterfall.
type bar struct {
	label  string
	offset time.Duration // where it starts: the medians of the phases before
	q      results.Quantiles
	colour color.NRGBA
}

// Waterfall draws the phases of the cold starts of one storm: each bar starts
// where the medians of the phases before it end and is as long as its own
// median; the whisker reaches to its 90th percentile.
func Waterfall(s results.Series) Chart {
	c := Chart{
		Name: name("phases", s.Name), Basis: Measured,
		Title: fmt.Sprintf("Phases of a cold start under %s, %s", quoted(s.Name), Measured),
	}
	c.Table.Header = []string{"phase", "n", "p50", "95 % interval", "p90", "p99", "max"}
	c.Table.Text = 1
	bars, sum := phaseBars(s)
	for _, b := range bars {
		c.Table.add(quantileRow(b.label, b.q)...)
	}
	c.Table.add("sum of medians", "", figure.Duration(sum), "", "", "", "")
	c.Table.add(quantileRow("total, by the client", s.Total)...)
	if len(bars) == 0 {
		c.Empty = "no cold start came with the times of its phases"
		return c
	}
	verdict := fmt.Sprintf("Medians sum to %s; measured total p50 %s", figure.Duration(sum), figure.Quantile(s.Total.P50, s.Total.N))
	if s.Total.P50 > 0 {
		verdict += fmt.Sprintf(" (%s)", figure.Change(float64(sum)/float64(s.Total.P50)-1))
	}
	c.Note = verdict + ". Medians do not add up exactly; the phases of a single cold start do. Bar: median; whisker: to p90."
	c.Alt = fmt.Sprintf("%s cold starts. %s. %s", figure.Count(s.Total.N), phaseSentence(bars), verdict)
	c.height = func(w vg.Length) vg.Length { return vg.Length(len(bars)+1)*28 + footer + 8 }
	c.paint = func(sh *sheet) { paintWaterfall(sh, bars, s.Total) }
	return c
}

func phaseBars(s results.Series) (bars []bar, sum time.Duration) {
	for _, p := range results.PhaseNames {
		q := s.Phases[p]
		if q.N == 0 || q.P50 < 0 {
			continue
		}
		bars = append(bars, bar{phaseWords[p], sum, q, phaseColours[p]})
		sum += q.P50
	}
	return bars, sum
}

func phaseSentence(bars []bar) string {
	var parts []string
	for _, b := range bars {
		parts = append(parts, b.label+" "+figure.Quantile(b.q.P50, b.q.N))
	}
	return "Medians: " + strings.Join(parts, ", ")
}

func quantileRow(label string, q results.Quantiles) []string {
	return []string{
		label, figure.Count(q.N), figure.Quantile(q.P50, q.N), figure.Interval(q.P50Low, q.P50High),
		figure.Quantile(q.P90, q.N), figure.Quantile(q.P99, q.N), figure.Quantile(q.Max, q.N),
	}
}

func paintWaterfall(s *sheet, bars []bar, total results.Quantiles) {
	rows := append(bars[:len(bars):len(bars)], bar{"total", 0, total, ink})
	var ends []float64
	gutter := vg.Length(0)
	for _, b := range rows {
		ends = append(ends, float64(b.offset)+float64(max(b.q.P50, b.q.P90)))
		gutter = max(gutter, strong.width(b.label)+10)
	}
	x := until(durationTick, highest(ends))
	pn := &panel{s, rect(gutter, footer, s.w-labelWords.width("88.8 ms")-14, s.h-4), x, nil}
	pn.gridX("time since the trigger was sent", true)
	tall := (pn.box.Max.Y - pn.box.Min.Y) / vg.Length(len(rows))
	for i, b := range rows {
		b.paint(pn, pn.box.Max.Y-(vg.Length(i)+0.5)*tall, i == len(rows)-1)
	}
	y := pn.box.Min.Y + tall
	pn.line(solid(faint, 1), vg.Point{X: 0, Y: y}, vg.Point{X: s.w, Y: y})
}

func (b bar) paint(pn *panel, y vg.Length, total bool) {
	w := labelWords
	if total {
		w = strong
	}
	pn.write(w, pn.box.Min.X-10, y-4, right, w.short(b.label, pn.box.Min.X-8))
	if b.q.N == 0 {
		pn.write(labelWords.in(muted), pn.box.Min.X+5, y-4, left, "none")
		return
	}
	from, to := pn.px(float64(b.offset)), pn.px(float64(b.offset)+float64(b.q.P50))
	pn.fill(b.colour, rect(from, y-7, max(to, from+1), y+7))
	end := to
	if b.q.P90 > b.q.P50 {
		end = pn.px(float64(b.offset) + float64(b.q.P90))
		pn.line(solid(muted, 1.2), vg.Point{X: to, Y: y}, vg.Point{X: end, Y: y})
		pn.line(solid(muted, 1.2), vg.Point{X: end, Y: y - 4}, vg.Point{X: end, Y: y + 4})
	}
	pn.write(w, end+6, y-4, left, figure.Quantile(b.q.P50, b.q.N))
}
