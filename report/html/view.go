package html

import (
	"html/template"
	"slices"
	"strings"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// The widths, in points, at which each chart is drawn for the page.
const (
	wide   = 900
	half   = 500 // where two stand side by side
	narrow = 370
)

// view is the page's content, ready to be set.
type view struct {
	Run      results.Run
	Manifest results.Manifest
	Style    template.CSS
	JSON     template.JS

	Subject, When, Took string
	Facts               []fact // of the function, under the title
	Banners             []banner
	Tiles               []tile

	Outcomes              chart.Table
	Why                   []fact
	Spectra, Phases       group
	Dots, Scaling         picture
	Timelines             group
	Models                models
	Cost, BreakEven       picture
	Crossings, Others     chart.Table // break-even rates: between the two cheapest, and all others
	ProjectedSpectra      group
	ProjectedTimelines    group
	Bills                 []bill
	Fidelity              picture
	Provenance            []fact
	Generators            chart.Table
	Omissions             []fact
	HasProjections, Quiet bool     // Quiet: nothing was measured
	LeftOut               []string // to keep the page small
}

// fact is a name and what is to be said about it.
type fact struct{ Name, Text string }

// banner is a box at the top of the page. Level is its style; each note names
// what it is about, or nothing if it is about the run.
type banner struct {
	Level, Word string
	Notes       []fact
}

// tile is one figure of the verdict.
type tile struct {
	Name   string
	Basis  chart.Basis
	Value  string
	Detail []string
	Bad    bool // the value is a warning
}

// picture is a chart as the page sets it.
type picture struct {
	ID, Title, Note, Empty string
	Basis                  chart.Basis
	Wide, Narrow           template.HTML
	Table                  chart.Table
}

func newView(run results.Run, samples []results.Sample, m results.Manifest) view {
	v := view{
		Run: run, Manifest: m, Style: template.CSS(chart.Style + style), JSON: embedded(run),
		Subject: subject(run), When: run.Started.UTC().Format("2 January 2006, 15:04:05 UTC"), Took: figure.Duration(run.Took),
		Facts: functionFacts(run.Function), Banners: banners(run), Tiles: tiles(run),
		Outcomes: outcomes(run.Series), Why: why(run.Series), Dots: newPicture(chart.ColdDots(run, samples), wide), Scaling: newPicture(chart.Scaling(run.Sweep), wide),
		Models: newModels(run), Cost: newPicture(chart.CostLatency(run), wide), BreakEven: newPicture(chart.BreakEven(run), wide),
		Bills: bills(run), Fidelity: newPicture(chart.Fidelity(run.Fidelity), wide),
		Provenance: provenance(run, m), Generators: generators(run.Series), Omissions: omissions(run),
		HasProjections: len(run.Projections) > 0, Quiet: len(run.Series) == 0,
	}
	v.Crossings, v.Others = chart.Crossings(run)
	var spectra, timelines, latencies []chart.Chart
	for _, s := range run.Series {
		spectra, timelines = append(spectra, chart.Spectrum(s, run.Objective)), append(timelines, chart.Timeline(s))
	}
	for _, name := range projectedStorms(run) {
		latencies = append(latencies, chart.ProjectedSpectrum(name, run.Projections, run.Objective))
	}
	v.Spectra, v.Timelines, v.Phases = newGroup(spectra, true), newGroup(timelines, true), newGroup(phases(run.Series), true)
	v.ProjectedSpectra, v.ProjectedTimelines = newGroup(latencies, false), newGroup(projectedTimelines(run), true)
	return v
}

// group is several pictures of a kind.
type group struct {
	Pair     bool   // two side by side, where there is room
	Note     string // that all share
	Pictures []picture
}

// newGroup sets charts of a kind; more than one go side by side if pair is
// given.
func newGroup(charts []chart.Chart, pair bool) group {
	g := group{Pair: pair && len(charts) > 1}
	width := wide
	if g.Pair {
		width = half
	}
	shared := len(charts) > 1
	for _, c := range charts {
		g.Pictures = append(g.Pictures, newPicture(c, width))
		shared = shared && c.Note == charts[0].Note
	}
	if shared {
		g.Note = charts[0].Note
		for i := range g.Pictures {
			g.Pictures[i].Note = ""
		}
	}
	return g
}

// first leaves the first n pictures.
func (g *group) first(n int) { g.Pictures = g.Pictures[:min(n, len(g.Pictures))] }

// eachPicture calls f for every picture of the page.
func (v *view) eachPicture(f func(*picture)) {
	for _, p := range []*picture{&v.Dots, &v.Scaling, &v.Cost, &v.BreakEven, &v.Fidelity} {
		f(p)
	}
	for _, g := range []group{v.Spectra, v.Phases, v.Timelines, v.ProjectedSpectra, v.ProjectedTimelines} {
		for i := range g.Pictures {
			f(&g.Pictures[i])
		}
	}
}

func newPicture(c chart.Chart, width int) picture {
	p := picture{
		ID: c.Name, Title: strings.TrimSuffix(c.Title, ", "+string(c.Basis)), Note: c.Note, Empty: c.Empty, Basis: c.Basis, Table: c.Table,
	}
	if c.Empty == "" {
		// Inline escapes every text that it places.
		p.Wide, p.Narrow = template.HTML(c.Inline(width)), template.HTML(c.Inline(narrow))
	}
	return p
}

// phases draws the waterfall of each storm that had cold starts with phases,
// the one with the most of them first.
func phases(series []results.Series) []chart.Chart {
	series = slices.Clone(series)
	slices.SortStableFunc(series, func(a, b results.Series) int { return b.Total.N - a.Total.N })
	var out []chart.Chart
	for _, s := range series {
		if c := chart.Waterfall(s); c.Empty == "" {
			out = append(out, c)
		}
	}
	return out
}

// projectedStorms names the storms of all projections, in order.
func projectedStorms(run results.Run) []string {
	var names []string
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// maxTimelines keeps the page small: of the storms projected on every model,
// the timelines of so many are drawn.
const maxTimelines = 6

func projectedTimelines(run results.Run) []chart.Chart {
	var out []chart.Chart
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if c := chart.ProjectedTimeline(p.Model, s); c.Empty == "" && p.Offered && len(out) < maxTimelines {
				out = append(out, c)
			}
		}
	}
	return out
}

func functionFacts(f results.Function) []fact {
	if f.Name == "" {
		return nil // a storm at an endpoint, of whose function nothing is known
	}
	return present(
		fact{"function", f.Name + ", " + f.Source},
		fact{"runtime", f.Runtime + ", " + f.Architecture},
		fact{"memory", unlessZero(f.MemoryMB, figure.Count(f.MemoryMB)+" MB")},
		fact{"package", unlessZero(f.PackageBytes, figure.Bytes(f.PackageBytes))},
		fact{"timeout", unlessZero(f.Timeout, figure.Plain(f.Timeout))},
		fact{"concurrency", concurrency(f.Concurrency)},
		fact{"keep-alive", unlessZero(f.KeepAlive, figure.Plain(f.KeepAlive))},
	)
}

// unlessZero returns s, or nothing for a quantity that isn't known.
func unlessZero[N ~int | ~int64](n N, s string) string {
	if n == 0 {
		return ""
	}
	return s
}

// subject names what was measured.
func subject(run results.Run) string {
	switch {
	case run.Function.Name != "":
		return run.Function.Name
	case run.Scenario != "":
		return run.Scenario
	}
	return "an endpoint"
}

func concurrency(n int) string {
	if n == 0 {
		return "the account's 1,000"
	}
	return figure.Count(n) + " reserved"
}

// present drops the facts without a text.
func present(fs ...fact) []fact {
	return slices.DeleteFunc(fs, func(f fact) bool { return strings.Trim(f.Text, " ,") == "" })
}

// banners puts what spoils the figures before everything else: how the run
// ended, then the notes, those of a level together.
func banners(run results.Run) []banner {
	var out []banner
	switch run.Status {
	case results.StatusAborted:
		out = append(out, banner{"spoilt", "Aborted", []fact{{"", "this run was stopped before its end: it holds what was measured until then"}}})
	case results.StatusInvalid:
		out = append(out, banner{"spoilt", "Invalid", []fact{{"", "this run had an error that spoils its figures"}}})
	}
	for _, b := range []banner{{Level: string(results.LevelSpoil), Word: "Spoilt"}, {Level: string(results.LevelWarn), Word: "Read with care"}} {
		for _, n := range run.Notes {
			if string(n.Level) == b.Level {
				b.Notes = append(b.Notes, fact{n.About, n.Text})
			}
		}
		if len(b.Notes) > 0 {
			out = append(out, b)
		}
	}
	return out
}
