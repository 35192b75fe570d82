package chart

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// partWords says each part in the words of a reader.
var partWords = map[results.Part]string{
	results.PartQueue: "queue", results.PartHandOver: "hand-over", results.PartClone: "clone, namespaces", results.PartRootfs: "rootfs",
	results.PartCgroups: "cgroups joined", results.PartNetwork: "network joined", results.PartWake: "wake", results.PartSecurity: "security",
	results.PartLastOrder: "last order", results.PartSetup: "setup", results.PartRuntime: "OCI runtime",
	results.PartRuntimeInit: "to first instruction", results.PartFunctionInit: "on to first ask", results.PartInit: "to first ask",
	results.PartInvoke: "invoke", results.PartTransport: "left over (transport)",
}

var partColours = map[results.Part]color.NRGBA{
	results.PartHandOver: faint, results.PartClone: sky, results.PartRootfs: blue, results.PartCgroups: green, results.PartNetwork: green,
	results.PartWake: faint, results.PartSecurity: pink, results.PartLastOrder: faint, results.PartSetup: sky, results.PartRuntime: sky,
	results.PartRuntimeInit: orange, results.PartFunctionInit: orange, results.PartInit: orange,
}

// Breakdown draws the start of the sandboxes of one storm's cold starts, from the ask
// to the function's first ask for work, part by part and each mode of a start by itself,
// in the manner of Waterfall. Its table has the rest too: what waited before, the
// invocation, and what all parts leave of the client's total.
func Breakdown(s results.Series) Chart {
	c := Chart{
		Name: name("parts", s.Name), Basis: Measured,
		Title: fmt.Sprintf("Start of a sandbox, part by part, under %s, %s", quoted(s.Name), Measured),
		Table: breakdownTable(s.Breakdown),
	}
	if len(s.Breakdown) == 0 {
		c.Empty = "no cold start came with the stamps of its parts"
		return c
	}
	var rows []partRow
	for _, b := range s.Breakdown {
		rows = append(rows, partRows(b)...)
		c.Alt += partSentence(b) + " "
	}
	c.Alt = strings.TrimSpace(c.Alt)
	c.Note = "Between stamps of one monotonic clock, taken inside and outside the sandbox. What was ready before the ask has no part. " + told(s.Breakdown) +
		" Left over is what the client measured beyond all parts, start by start: medians do not add up exactly. Bar: median; whisker: to p90."
	c.height = func(w vg.Length) vg.Length { return vg.Length(len(rows))*25 + footer + 8 }
	c.paint = func(sh *sheet) { paintParts(sh, rows) }
	return c
}

// told says whether functions told their first instruction.
func told(all []results.Breakdown) string {
	for _, b := range all {
		if slices.ContainsFunc(b.Parts, func(p results.PartTime) bool { return p.Part == results.PartRuntimeInit }) {
			return "The first instruction is as the function told it."
		}
	}
	return "This function did not tell its first instruction, so all from exec to its first ask is one part."
}

// breakdownTable has a row for each part and columns for each mode.
func breakdownTable(all []results.Breakdown) Table {
	t := Table{Header: []string{"part"}, Text: 1}
	if len(all) == 0 {
		return t
	}
	for _, b := range all {
		t.Header = append(t.Header, b.Mode+", n", "p50", "p99")
	}
	for _, p := range results.PartNames {
		row, any := []string{partWords[p]}, false
		for _, b := range all {
			q := b.Time(p)
			any = any || q.N > 0
			row = append(row, quantileCells(q)...)
		}
		if any {
			t.add(row...)
		}
	}
	sums, totals := []string{"sum of medians"}, []string{"total, by the client"}
	for _, b := range all {
		var sum time.Duration
		for _, p := range b.Parts {
			sum += p.Time.P50
		}
		sums, totals = append(sums, "", figure.Duration(sum), ""), append(totals, quantileCells(b.Total)...)
	}
	t.add(sums...)
	t.add(totals...)
	return t
}

func quantileCells(q results.Quantiles) []string {
	if q.N == 0 {
		return []string{figure.Absent, figure.Absent, figure.Absent}
	}
	return []string{figure.Count(q.N), figure.Quantile(q.P50, q.N), figure.Quantile(q.P99, q.N)}
}

// partRow is one row of the drawing: a part, or, in the end, all of a mode's.
type partRow struct {
	bar
	all bool
}

// partRows are those of one mode.
func partRows(b results.Breakdown) (rows []partRow) {
	var sum time.Duration
	for _, p := range b.Parts {
		colour, drawn := partColours[p.Part]
		if !drawn || p.Time.N == 0 || p.Time.P50 < 0 {
			continue
		}
		rows = append(rows, partRow{bar: bar{partWords[p.Part], sum, p.Time, colour}})
		sum += p.Time.P50
	}
	return append(rows, partRow{bar{b.Mode + ", medians", 0, results.Quantiles{N: b.Total.N, P50: sum}, ink}, true})
}

func partSentence(b results.Breakdown) string {
	var parts []string
	for _, r := range partRows(b) {
		if !r.all {
			parts = append(parts, r.label+" "+figure.Quantile(r.q.P50, r.q.N))
		}
	}
	left := b.Time(results.PartTransport)
	return fmt.Sprintf("%s %s starts, medians: %s; left over of the client's total %s: %s.", figure.Count(b.Total.N), b.Mode,
		strings.Join(parts, ", "), figure.Quantile(b.Total.P50, b.Total.N), figure.Quantile(left.P50, left.N))
}

func paintParts(s *sheet, rows []partRow) {
	var ends []float64
	gutter := vg.Length(0)
	for _, r := range rows {
		ends = append(ends, float64(r.offset)+float64(max(r.q.P50, r.q.P90)))
		gutter = max(gutter, strong.width(r.label)+10)
	}
	pn := &panel{s, rect(gutter, footer, s.w-labelWords.width("88.8 ms")-14, s.h-4), until(durationTick, highest(ends)), nil}
	pn.gridX("time since the launcher was asked", true)
	tall := (pn.box.Max.Y - pn.box.Min.Y) / vg.Length(len(rows))
	for i, r := range rows {
		y := pn.box.Max.Y - (vg.Length(i)+0.5)*tall
		r.paint(pn, y, r.all)
		if r.all {
			pn.line(solid(faint, 1), vg.Point{X: 0, Y: y - tall/2}, vg.Point{X: s.w, Y: y - tall/2})
		}
	}
}
