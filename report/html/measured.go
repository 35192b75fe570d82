package html

import (
	"strings"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// stormPictures are the pictures of one storm that don't stand among the first.
type stormPictures struct {
	Name, Shape string
	group
}

// measured sets what was measured here, the main figures first: cold against
// warm and the phases of a cold start, each from the storm that carries it
// best; then the hardest storm; then, folded away, every other picture.
func (v *view) measured(run results.Run) {
	shown := map[string]bool{} // by the chart's name
	take := func(cs ...chart.Chart) []chart.Chart {
		for _, c := range cs {
			shown[c.Name] = true
		}
		return cs
	}
	main := []chart.Chart{chart.ColdAgainstWarm(run)}
	if s, ok := quietest(run.Series); ok {
		main = append(main, chart.Waterfall(s))
		if c := chart.Breakdown(s); c.Empty == "" {
			v.Parts = newPicture(take(c)[0], wide)
			v.Parts.Open = true
		}
	}
	v.Main = newGroup(take(main...), true)
	if s, ok := hardest(run.Series); ok {
		var own []chart.Chart
		quiet, _ := quietest(run.Series)
		for _, c := range []chart.Chart{chart.Spectrum(s, run.Objective), chart.Waterfall(s)} {
			if s.Name == quiet.Name {
				break // the first charts show the same
			}
			if !shown[c.Name] && c.Empty == "" {
				c.Note = strings.TrimSuffix(c.Note, chart.SpectrumNote) // which stands above
				own = append(own, c)
			}
		}
		v.Burst = newGroup(take(own...), true)
		v.BurstTimeline = newPicture(take(chart.Timeline(s))[0], wide)
	}
	for _, s := range run.Series {
		var own []chart.Chart
		for _, c := range []chart.Chart{chart.Spectrum(s, run.Objective), chart.Waterfall(s), chart.Breakdown(s), chart.Timeline(s)} {
			if !shown[c.Name] && c.Empty == "" {
				own = append(own, c)
			}
		}
		if len(own) > 0 {
			v.Rest = append(v.Rest, stormPictures{s.Name, s.Shape, newFolded(take(own...))})
		}
	}
}

// newFolded sets charts that lie folded away: side by side, one drawing for
// every screen.
func newFolded(charts []chart.Chart) group {
	g := group{Pair: len(charts) > 1}
	for _, c := range charts {
		p := newPicture(c, folded)
		p.Note = ""
		g.Pictures = append(g.Pictures, p)
	}
	return g
}

// quietest returns the storm whose phases say most of a cold start: the one
// with the most, among those that nothing limited.
func quietest(series []results.Series) (results.Series, bool) {
	var with []results.Series
	for _, s := range series {
		if chart.Waterfall(s).Empty == "" {
			with = append(with, s)
		}
	}
	return chart.Foremost(with, results.StartCold)
}

// limitedStorms says which of the storms that the simulation was held against
// this machine limited: there live shows the machine as much as the function.
func limitedStorms(run results.Run) string {
	var names []string
	for _, s := range run.Series {
		for _, f := range run.Fidelity {
			if s.Generator.Limited && f.Series == s.Name {
				names = append(names, "“"+s.Name+"”")
				break
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " This machine limited " + strings.Join(names, ", ") + ": there the error is that of its scheduler's model too."
}

// readyStarts are the starts that met an environment made ready beforehand.
var readyStarts = []results.Start{results.StartProvisioned, results.StartRestored}

// Summary is the line that the pictures are folded under.
func (s stormPictures) Summary() string {
	charts := " charts"
	if len(s.Pictures) == 1 {
		charts = " chart"
	}
	text := "“" + s.Name + "”"
	if s.Shape != "" {
		text += ", " + s.Shape
	}
	return text + ": " + figure.Count(len(s.Pictures)) + charts
}
