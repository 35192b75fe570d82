package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// starts lists the kinds of start with how a line of each is drawn.
var starts = []struct {
	start results.Start
	style draw.LineStyle
}{
	{results.StartWarm, solid(blue, 2)},
	{results.StartCold, dashed(red, 2, 7, 4)},
	{results.StartProvisioned, dashed(green, 2, 9, 3, 2, 3)},
	{results.StartRestored, dashed(green, 2, 2, 3)},
	{results.StartUnknown, solid(muted, 2)},
}

// percentiles is one curve of a latency spectrum.
type percentiles struct {
	label  string
	style  draw.LineStyle
	points results.Spectrum // sorted, only what can be drawn and n can carry
	n      int
	q      results.Quantiles
	band   bool
}

// Spectrum draws the latency of one storm, from the intended send, as
// percentile curves: a line for each kind of start, a 95 % band around it, the
// objective if there is one. A line ends where less than one sample lies
// beyond, and is thin where less than ten do.
func Spectrum(s results.Series, objective time.Duration) Chart {
	var curves []percentiles
	for _, k := range starts {
		curve := percentiles{label: string(k.start), style: k.style, q: s.Latency[k.start], band: true}
		curve.set(s.Spectra[k.start])
		curves = append(curves, curve)
	}
	c := spectrum(curves, objective)
	c.Name = name("spectrum", s.Name)
	c.Basis = Measured
	c.Title = fmt.Sprintf("Latency spectrum of %s, %s", quoted(s.Name), Measured)
	return c
}

// set takes the points that a curve can show.
func (p *percentiles) set(points results.Spectrum) {
	p.n = p.q.N
	for _, x := range points {
		p.n = max(p.n, int(min(x.Count, math.MaxInt32)))
	}
	for _, x := range points {
		if x.Q >= 0 && x.Q < 1 && (1-x.Q)*float64(p.n) >= 0.999 && x.Value > 0 {
			p.points = append(p.points, x)
		}
	}
	if len(p.points) == 0 && p.q.P50 > 0 { // too few for a line: the median alone
		p.points = results.Spectrum{{Q: 0.5, Value: p.q.P50, Count: int64(p.n+1) / 2}}
	}
	slices.SortStableFunc(p.points, func(a, b results.SpectrumPoint) int { return cmp.Compare(a.Q, b.Q) })
}

// at returns the value that a share q doesn't exceed, by order statistics.
func (p percentiles) at(q float64) time.Duration {
	i, _ := slices.BinarySearchFunc(p.points, q, func(x results.SpectrumPoint, q float64) int { return cmp.Compare(x.Q, q) })
	return p.points[min(i, len(p.points)-1)].Value
}

// SpectrumNote is how to read a spectrum: the Note of Spectrum, and the end of
// ColdAgainstWarm's.
const SpectrumNote = "The axis gives each nine of the percentile the same room, so that the tail can be read. " +
	"A line ends where fewer than one sample lies beyond it and is thin where fewer than ten do; the band, from 30 samples on, holds the curve with 95 % confidence, point by point."

// spectrum draws curves that share a basis.
func spectrum(curves []percentiles, objective time.Duration) Chart {
	curves = slices.DeleteFunc(curves, func(p percentiles) bool { return len(p.points) == 0 })
	c := Chart{Note: SpectrumNote}
	c.Table.Header = []string{"start", "n", "p50", "95 % interval", "p90", "p99", "95 % interval", "max"}
	c.Table.Text = 1
	for i, p := range curves {
		if i > 0 {
			c.Alt += "; "
		}
		c.Alt += fmt.Sprintf("%s: n %s, p50 %s, p99 %s", p.label, figure.Count(p.n), figure.Quantile(p.q.P50, p.n), figure.Quantile(p.q.P99, p.n))
		c.Table.add(p.label, figure.Count(p.n), figure.Quantile(p.q.P50, p.n), figure.Interval(p.q.P50Low, p.q.P50High),
			figure.Quantile(p.q.P90, p.n), figure.Quantile(p.q.P99, p.n), figure.Interval(p.q.P99Low, p.q.P99High), figure.Duration(p.q.Max))
	}
	if len(curves) == 0 {
		c.Empty = "no trigger was served, so there is no latency to show"
		return c
	}
	c.height = func(w vg.Length) vg.Length {
		if w < narrow && len(curves) > direct {
			return 280 + keyHeight(len(curves))
		}
		return max(280, min(380, w*0.45))
	}
	c.paint = func(s *sheet) { paintSpectrum(s, curves, objective) }
	return c
}

// stretch is how many times beyond the data the objective may lie for the axis
// to reach to it; else it would press the lines flat, and words tell of it.
const stretch = 3

// direct is how many curves can be named beside themselves; more get a key.
const direct = 3

func paintSpectrum(s *sheet, curves []percentiles, objective time.Duration) {
	end, values := 0.9, []float64{}
	for _, p := range curves {
		end = max(end, 1-1/float64(p.n))
		for _, x := range p.points {
			values = append(values, float64(x.Value))
		}
	}
	if lo, hi := positiveRange(values); float64(objective) < hi*stretch && float64(objective) > lo/stretch {
		values = append(values, float64(objective))
	}
	y := closeLog(durationTick, values...)
	pn := &panel{s, rect(margin(y), footer, s.w-12, s.h-header), tail{end}, y}
	if len(curves) > direct {
		pn.box = s.keyed(margin(y), percentileEntries(curves, nil))
	}
	pn.gridY("latency from the intended send, log scale")
	pn.gridX("percentile", true)
	pl := &placer{bounds: pn.box}
	drawn := make([][]vg.Point, len(curves))
	for i, p := range curves {
		if p.band {
			p.paintBand(pn)
		}
		for _, x := range p.points {
			drawn[i] = append(drawn[i], pn.at(x.Q, float64(x.Value)))
		}
		pl.avoid(drawn[i])
	}
	pn.objectiveY(objective, pl)
	for i, p := range striped(curves) {
		p.paintLine(pn, drawn[i])
	}
	if len(curves) > direct {
		pn.key(percentileEntries(curves, drawn))
		return
	}
	for i, p := range curves {
		text := fmt.Sprintf("%s, n = %s", p.label, figure.Count(p.n))
		pn.labelLine(pl, drawn[i], strong.in(lineColour(p.style)), text)
	}
}

// percentileEntries are the curves in the key, with their ends if drawn.
func percentileEntries(curves []percentiles, drawn [][]vg.Point) []entry {
	out := make([]entry, len(curves))
	for i, p := range curves {
		out[i] = entry{name: p.label, line: p.style}
		if drawn != nil {
			out[i].end = drawn[i][len(drawn[i])-1]
		}
	}
	return out
}

func lineColour(st draw.LineStyle) color.NRGBA {
	c, _ := st.Color.(color.NRGBA)
	return c
}

// paintLine draws the curve, thin where fewer than ten samples lie beyond.
func (p percentiles) paintLine(pn *panel, pts []vg.Point) {
	if len(pts) == 1 {
		pn.mark(glyphCircle, 4, lineColour(p.style), true, pts[0])
		return
	}
	sure := 0
	for sure < len(pts) && (1-p.points[sure].Q)*float64(p.n) >= 10 {
		sure++
	}
	thin := p.style
	thin.Width = 1.1
	pn.line(p.style, pts[:sure]...)
	pn.line(thin, pts[max(0, sure-1):]...)
}

// leastBand is how many samples a band needs: with fewer it would show little
// but the approximation.
const leastBand = 30

// paintBand fills the 95 % interval of each quantile, which order statistics
// give as the quantiles at q ± 1.96 √(q(1-q)/n). It ends where the upper bound
// lies beyond the last sample.
func (p percentiles) paintBand(pn *panel) {
	var lower, upper []vg.Point
	last := 1 - 1/float64(p.n)
	for _, x := range p.points {
		half := 1.96 * math.Sqrt(x.Q*(1-x.Q)/float64(p.n))
		if x.Q+half > last {
			break
		}
		lower = append(lower, pn.at(x.Q, float64(p.at(x.Q-half))))
		upper = append(upper, pn.at(x.Q, float64(p.at(x.Q+half))))
	}
	if len(lower) < 2 || p.n < leastBand {
		return
	}
	slices.Reverse(upper)
	pn.FillPolygon(pale(lineColour(p.style), 0.2), append(lower, upper...))
}

// labelLine writes a line's name beside it, where there is room.
func (p *panel) labelLine(pl *placer, pts []vg.Point, w words, text string) {
	if len(pts) == 0 {
		return
	}
	dense := pts
	if len(pts) < 12 { // a few corners only: offer places between them too
		sub := placer{}
		sub.avoid(pts)
		dense = sub.dots
	}
	r, ok := pl.along(dense, w.width(text), w.size)
	if !ok {
		r, _ = pl.around(dense[len(dense)-1], w.width(text), w.size, 6)
	}
	p.write(w, r.Min.X, r.Min.Y+w.size*0.16, left, text)
}

// objectiveY draws the latency objective as a horizontal line.
func (p *panel) objectiveY(objective time.Duration, pl *placer) {
	if objective <= 0 {
		return
	}
	text := "objective " + figure.Plain(objective)
	if y, ok := p.y.(logarithmic); ok && (float64(objective) > y.hi*1.001 || float64(objective) < y.lo*0.999) {
		where, height := ", above this chart", p.box.Max.Y-14
		if float64(objective) < y.lo {
			where, height = ", below this chart", p.box.Min.Y+6
		}
		box := rect(p.box.Min.X+8, height-3, p.box.Min.X+8+axisWords.width(text+where), height+11)
		p.write(axisWords, box.Min.X, height, left, text+where)
		pl.avoidBox(box)
		return
	}
	a, b := vg.Point{X: p.box.Min.X, Y: p.py(float64(objective))}, vg.Point{X: p.box.Max.X, Y: p.py(float64(objective))}
	p.line(dashed(pink, 1.5, 3, 2), a, b)
	pl.avoid([]vg.Point{a, b})
	p.labelLine(pl, []vg.Point{{X: b.X - 60, Y: b.Y}, {X: a.X + 60, Y: a.Y}}, axisWords, text)
}

// name makes a file name's stem of a kind and a name that a user gave.
func name(kind, of string) string {
	stem := kind + "-"
	for _, r := range of {
		switch {
		case len(stem) >= 60:
			return stem
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			stem += string(r)
		default:
			stem += "-"
		}
	}
	return stem
}
