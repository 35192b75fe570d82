package html

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// The widths, in points, at which each chart is drawn for the page.
const (
	wide   = 900
	half   = 500 // where two stand side by side
	narrow = 370
	folded = 440 // of what lies folded away: one drawing for every screen
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

	Outcomes, States      chart.Table
	Why                   []fact
	Way                   chart.Table // of events
	Sources               []fact      // by which they came
	Main                  group       // cold against warm, and the phases of a cold start
	Parts                 picture     // of the start of a sandbox, under the storm of Main
	Dots, Scaling         picture
	Curves                []picture
	Burst                 group // the hardest storm
	BurstTimeline         picture
	Rest                  []stormPictures // what is left, a storm each
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
	HasProjections, Quiet bool // Quiet: nothing was measured
	Modules               string
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
	Wide, Narrow           template.HTML // without Narrow, Wide serves every width
	Table                  chart.Table
	Open                   bool // the table stands open
}

func newView(run results.Run, samples []results.Sample, m results.Manifest) view {
	v := view{
		Modules: versions(m.Modules),
		Run:     run, Manifest: m, Style: template.CSS(chart.Style + style), JSON: embedded(run),
		Subject: subject(run), When: run.Started.UTC().Format("2 January 2006, 15:04:05 UTC"), Took: figure.Duration(run.Took),
		Facts: functionFacts(run.Function), Banners: banners(run), Tiles: tiles(run),
		Outcomes: outcomes(run.Series), States: chart.MeasuredStates(run.Series), Why: why(run.Series), Way: chart.Way(run.Series), Sources: sources(run.Series), Dots: newPicture(chart.ColdDots(run, samples), wide), Scaling: newPicture(chart.Scaling(run.Sweep), wide),
		Models: newModels(run), Cost: newPicture(chart.CostLatency(run), wide), BreakEven: newPicture(chart.BreakEven(run), wide),
		Bills: bills(run), Fidelity: newPicture(chart.Fidelity(run.Fidelity), wide),
		Provenance: provenance(run, m), Generators: generators(run.Series), Omissions: omissions(run),
		HasProjections: len(run.Projections) > 0, Quiet: len(run.Series) == 0 && len(run.Sweep) == 0 && len(run.Curves) == 0,
	}
	for _, cv := range run.Curves {
		p := newPicture(chart.Curve(cv), wide)
		p.Open = true
		v.Curves = append(v.Curves, p)
	}
	v.Crossings, v.Others = chart.Crossings(run)
	v.measured(run)
	var latencies []chart.Chart
	for _, name := range projectedStorms(run) {
		if c := chart.ProjectedSpectrum(name, run.Projections, run.Objective); name == mainStorm(run) {
			latencies = slices.Insert(latencies, 0, c)
		} else {
			latencies = append(latencies, c)
		}
	}
	v.ProjectedSpectra, v.ProjectedTimelines = newGroup(latencies, false), newFolded(projectedTimelines(run))
	v.Fidelity.Note += limitedStorms(run)
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

// eachPicture calls f for every picture of the page.
func (v *view) eachPicture(f func(*picture)) {
	for _, p := range []*picture{&v.Parts, &v.Dots, &v.Scaling, &v.BurstTimeline, &v.Cost, &v.BreakEven, &v.Fidelity} {
		f(p)
	}
	for i := range v.Curves {
		f(&v.Curves[i])
	}
	groups := []group{v.Main, v.Burst, v.ProjectedSpectra, v.ProjectedTimelines}
	for _, r := range v.Rest {
		groups = append(groups, r.group)
	}
	for _, g := range groups {
		for i := range g.Pictures {
			f(&g.Pictures[i])
		}
	}
}

func newPicture(c chart.Chart, width int) picture {
	p := picture{
		ID: c.Name, Title: strings.TrimSuffix(c.Title, ", "+string(c.Basis)), Note: c.Note, Empty: c.Empty, Basis: c.Basis, Table: c.Table,
	}
	if c.Empty == "" && c.Name != "" {
		// Inline escapes every text that it places.
		p.Wide = template.HTML(c.Inline(width))
		if width != folded {
			p.Narrow = template.HTML(c.Inline(narrow))
		}
	}
	return p
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

// maxTimelines keeps the page small: so many models have the timeline of the
// largest storm drawn. Those that go by alike share the first one's.
const maxTimelines = 3

func projectedTimelines(run results.Run) []chart.Chart {
	var out []chart.Chart
	seen := map[string]bool{}
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			c := chart.ProjectedTimeline(p.Model, s)
			alike := c.Alt + s.All.P99.Round(time.Second).String()
			if !p.Offered || c.Empty != "" || s.Name != mainStorm(run) || seen[alike] || len(out) == maxTimelines {
				continue
			}
			seen[alike] = true
			out = append(out, c)
		}
	}
	return out
}

func functionFacts(f results.Function) []fact {
	if f.Name == "" {
		return nil // a storm at an endpoint, of whose function nothing is known
	}
	return present(
		fact{"function", listed(f.Name, f.Source)},
		fact{"runtime", listed(f.Runtime, f.Architecture)},
		fact{"memory", unlessZero(f.MemoryMB, figure.Count(f.MemoryMB)+" MB")},
		fact{"package", unlessZero(f.PackageBytes, figure.Bytes(f.PackageBytes))},
		fact{"timeout", unlessZero(f.Timeout, figure.Plain(f.Timeout))},
		fact{"concurrency", concurrency(f.Concurrency)},
		fact{"keep-alive", unlessZero(f.KeepAlive, figure.Plain(f.KeepAlive))},
	)
}

// listed joins what is known of the texts.
func listed(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), ", ")
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
