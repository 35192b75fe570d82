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
	Spectra, Phases       []picture
	Dots, Scaling         picture
	Timelines             []picture
	Models                models
	Cost, BreakEven       picture
	Crossings, Others     chart.Table // break-even rates: between the two cheapest, and all others
	ProjectedSpectra      []picture
	ProjectedTimelines    []picture
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

// banner is a note at the top of the page. Level is also its style.
type banner struct{ Level, Word, About, Text string }

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
		Outcomes: outcomes(run.Series), Why: why(run.Series), Dots: newPicture(chart.ColdDots(run, samples)), Scaling: newPicture(chart.Scaling(run.Sweep)),
		Models: newModels(run), Cost: newPicture(chart.CostLatency(run)), BreakEven: newPicture(chart.BreakEven(run)),
		Bills: bills(run), Fidelity: newPicture(chart.Fidelity(run.Fidelity)),
		Provenance: provenance(run, m), Generators: generators(run.Series), Omissions: omissions(run),
		HasProjections: len(run.Projections) > 0, Quiet: len(run.Series) == 0,
	}
	v.Crossings, v.Others = chart.Crossings(run)
	for _, s := range run.Series {
		v.Spectra = append(v.Spectra, newPicture(chart.Spectrum(s, run.Objective)))
		v.Timelines = append(v.Timelines, newPicture(chart.Timeline(s)))
	}
	v.Phases = phases(run.Series)
	for _, name := range projectedStorms(run) {
		v.ProjectedSpectra = append(v.ProjectedSpectra, newPicture(chart.ProjectedSpectrum(name, run.Projections, run.Objective)))
	}
	v.ProjectedTimelines = projectedTimelines(run)
	for _, ps := range [][]picture{v.Spectra, v.Timelines, v.ProjectedSpectra, v.ProjectedTimelines} {
		sayOnce(ps)
	}
	return v
}

// eachPicture calls f for every picture of the page.
func (v *view) eachPicture(f func(*picture)) {
	for _, p := range []*picture{&v.Dots, &v.Scaling, &v.Cost, &v.BreakEven, &v.Fidelity} {
		f(p)
	}
	for _, ps := range [][]picture{v.Spectra, v.Phases, v.Timelines, v.ProjectedSpectra, v.ProjectedTimelines} {
		for i := range ps {
			f(&ps[i])
		}
	}
}

// sayOnce leaves a note under the first of the pictures that share it.
func sayOnce(ps []picture) {
	said := map[string]bool{}
	for i := range ps {
		if said[ps[i].Note] {
			ps[i].Note = ""
			continue
		}
		said[ps[i].Note] = true
	}
}

func newPicture(c chart.Chart) picture {
	p := picture{
		ID: c.Name, Title: strings.TrimSuffix(c.Title, ", "+string(c.Basis)), Note: c.Note, Empty: c.Empty, Basis: c.Basis, Table: c.Table,
	}
	if c.Empty == "" {
		// Inline escapes every text that it places.
		p.Wide, p.Narrow = template.HTML(c.Inline(wide)), template.HTML(c.Inline(narrow))
	}
	return p
}

// phases draws the waterfall of each storm that had cold starts with phases,
// the one with the most of them first.
func phases(series []results.Series) []picture {
	series = slices.Clone(series)
	slices.SortStableFunc(series, func(a, b results.Series) int { return b.Total.N - a.Total.N })
	var out []picture
	for _, s := range series {
		if c := chart.Waterfall(s); c.Empty == "" {
			out = append(out, newPicture(c))
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

func projectedTimelines(run results.Run) []picture {
	var out []picture
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if c := chart.ProjectedTimeline(p.Model, s); c.Empty == "" && p.Offered && len(out) < maxTimelines {
				out = append(out, newPicture(c))
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
		fact{"timeout", unlessZero(f.Timeout, figure.Duration(f.Timeout))},
		fact{"concurrency", concurrency(f.Concurrency)},
		fact{"keep-alive", unlessZero(f.KeepAlive, figure.Duration(f.KeepAlive))},
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

// banners puts what spoils the figures before everything else.
func banners(run results.Run) []banner {
	var out []banner
	switch run.Status {
	case results.StatusAborted:
		out = append(out, banner{"spoilt", "aborted", "", "this run was stopped before its end: it holds what was measured until then"})
	case results.StatusInvalid:
		out = append(out, banner{"spoilt", "invalid", "", "this run had an error that spoils its figures"})
	}
	for _, level := range []results.Level{results.LevelSpoil, results.LevelWarn} {
		for _, n := range run.Notes {
			if n.Level == level {
				word := map[results.Level]string{results.LevelSpoil: "spoilt", results.LevelWarn: "read with care"}[level]
				out = append(out, banner{string(level), word, n.About, n.Text})
			}
		}
	}
	return out
}
