package export

import (
	"fmt"
	"slices"
	"strings"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// starts lists the kinds of start in the order in which summaries show them.
var starts = []results.Start{results.StartCold, results.StartWarm, results.StartProvisioned, results.StartRestored, results.StartUnknown}

// block is a table under a heading.
type block struct {
	title string
	basis chart.Basis
	table chart.Table
}

// blocks are the tables of a summary; those without rows are left out.
func blocks(run results.Run) []block {
	var out []block
	measured := []block{
		{"latency, from the intended send", chart.Measured, latencies(run.Series)},
		parts(run.Series),
		{"events, from the intended send to done", chart.Measured, chart.Way(run.Series)},
		{"what became of every trigger", chart.Measured, outcomes(run.Series)},
		{"tasks, pods and instances in each state", chart.Measured, chart.MeasuredStates(run.Series)},
	}
	for _, cv := range run.Curves {
		c := chart.Curve(cv)
		measured = append(measured, block{strings.ToLower(c.Title[:1]) + strings.TrimSuffix(c.Title[1:], ", "+string(c.Basis)), chart.Measured, c.Table})
	}
	measured = append(measured, block{"the simulation held against live, on the same storms", chart.Measured, held(run.Fidelity)})
	for _, b := range append(measured,
		block{"compute models" + atRate(run), chart.Projected, models(run)},
		block{"events, from their publishing to done", chart.Projected, chart.ProjectedWay(run.Projections)},
		block{"break-even rates of the cheapest models", chart.Projected, breakEven(run)},
	) {
		if len(b.table.Rows) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// held are the errors of a simulation where there is something to be wrong about.
func held(list []results.Fidelity) chart.Table {
	return chart.Fidelity(slices.DeleteFunc(slices.Clone(list), func(f results.Fidelity) bool { return f.Live == 0 })).Table
}

func latencies(series []results.Series) chart.Table {
	t := chart.Table{Text: 2, Header: []string{"storm", "start", "n", "p50", "95 % interval", "p90", "p99"}}
	for _, s := range series {
		for _, k := range starts {
			if q := s.Latency[k]; q.N > 0 {
				t.Rows = append(t.Rows, []string{
					s.Name, string(k), figure.Count(q.N), figure.Quantile(q.P50, q.N), figure.Interval(q.P50Low, q.P50High),
					figure.Quantile(q.P90, q.N), figure.Quantile(q.P99, q.N),
				})
			}
		}
	}
	return t
}

// parts is where a cold start's time goes, under the storm that shows it best.
func parts(series []results.Series) block {
	var with []results.Series
	for _, s := range series {
		if len(s.Breakdown) > 0 {
			with = append(with, s)
		}
	}
	s, ok := chart.Foremost(with, results.StartCold)
	if !ok {
		return block{}
	}
	return block{"cold starts of " + s.Name + ", part by part", chart.Measured, chart.Breakdown(s).Table}
}

func outcomes(series []results.Series) chart.Table {
	t := chart.Table{Text: 1, Header: []string{"storm", "offered", "served", "throttled", "failed", "timed out", "unsent", "cold", "warm"}}
	ready, unknown := 0, 0
	for _, s := range series {
		ready += s.Counts.Ready
		unknown += s.Counts.Unknown
	}
	if ready > 0 { // rare here: a column of zeros takes room from figures
		t.Header = append(t.Header, "ready")
	}
	if unknown > 0 {
		t.Header = append(t.Header, "unknown")
	}
	for _, s := range series {
		c := s.Counts
		row := []string{s.Name}
		for _, n := range []int{c.Offered, c.Served, c.Throttled, c.Failed, c.TimedOut, c.Unsent, c.Cold, c.Warm} {
			row = append(row, figure.Count(n))
		}
		if ready > 0 {
			row = append(row, figure.Count(c.Ready))
		}
		if unknown > 0 {
			row = append(row, figure.Count(c.Unknown))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func atRate(run results.Run) string {
	for _, p := range run.Projections {
		if p.Offered && p.Steady.Rate > 0 {
			return " at " + figure.Rate(p.Steady.Rate)
		}
	}
	return ""
}

// models has a row for every model; "*" marks those on the Pareto front.
func models(run results.Run) chart.Table {
	t := chart.Table{Text: 1, Header: []string{"model, * on Pareto front", "p99", meets(run), "$/month", "$/M", "cold", "n"}}
	front := chart.Front(run.Projections)
	for _, p := range run.Projections {
		if !p.Offered {
			t.Rows = append(t.Rows, []string{p.Model, chart.Absent(p), "", "", "", "", ""})
			continue
		}
		name, st, ok := p.Model, p.Steady, "no"
		if front[p.Model] {
			name += " *"
		}
		if chart.Meets(p, run) {
			ok = "yes"
		}
		t.Rows = append(t.Rows, []string{
			name, figure.Quantile(st.All.P99, st.All.N), ok, figure.USD(st.Monthly.Total), figure.USD(st.PerMillion),
			figure.Share(st.ColdShare), figure.Count(st.All.N),
		})
	}
	return t
}

func meets(run results.Run) string {
	if run.Objective > 0 {
		return "within " + figure.Plain(run.Objective)
	}
	return "serves all"
}

func breakEven(run results.Run) chart.Table {
	best, _ := chart.Crossings(run)
	return best
}

// remarks are the sentences of a summary: how the run ended and what spoils
// its figures.
func remarks(run results.Run) []string {
	var out []string
	switch run.Status {
	case results.StatusAborted:
		out = append(out, "aborted: the run was stopped before its end and holds what was measured until then")
	case results.StatusInvalid:
		out = append(out, "invalid: an error spoils the figures of this run")
	}
	for _, level := range []results.Level{results.LevelSpoil, results.LevelWarn} {
		for _, n := range run.Notes {
			if n.Level != level {
				continue
			}
			word := "read with care"
			if level == results.LevelSpoil {
				word = "spoilt"
			}
			if n.About != "" {
				word += ", " + n.About
			}
			out = append(out, word+": "+n.Text)
		}
	}
	return out
}

// title says what was run, and when.
func title(run results.Run) string {
	subject := "scenario " + run.Scenario
	if run.Function.Name != "" { // none is known of an endpoint
		subject = run.Function.Name + ", " + subject
	}
	return fmt.Sprintf("%s, %s, took %s", subject, run.Started.UTC().Format("2006-01-02 15:04:05 UTC"), figure.Duration(run.Took))
}

// verdict names the cheapest model.
func verdict(run results.Run) string {
	if len(run.Projections) == 0 {
		return ""
	}
	p, ok := chart.Cheapest(run)
	if !ok {
		return chart.NoneCheapest(run)
	}
	return fmt.Sprintf("cheapest that %s: %s, %s a month at %s, %s per million requests (%s)", condition(run), p.Model,
		figure.USD(p.Steady.Monthly.Total), figure.Rate(p.Steady.Rate), figure.USD(p.Steady.PerMillion), chart.Projected)
}

func condition(run results.Run) string {
	if run.Objective > 0 {
		return "meets " + figure.Plain(run.Objective) + " at p99"
	}
	return "serves every trigger"
}

// reasons says what storms of events are, and why models have no figure: once for all
// that share it.
func reasons(run results.Run) []string {
	var out, whys []string
	for _, s := range run.Series {
		if text := chart.Sourced(s); text != "" {
			out = append(out, s.Name+" came as events: "+text)
		}
	}
	for _, cv := range run.Curves {
		if cv.Knee != nil {
			out = append(out, "Over "+cv.Axis+": "+chart.KneeSentence(cv))
		}
	}
	models := map[string][]string{}
	for _, p := range run.Projections {
		if p.Offered {
			continue
		}
		why := chart.Absent(p) + ": " + p.Reason
		if models[why] == nil {
			whys = append(whys, why)
		}
		models[why] = append(models[why], p.Model)
	}
	for _, why := range whys {
		out = append(out, strings.Join(models[why], ", ")+" "+why)
	}
	return out
}
