package html

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
	"time"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// models is the table of every compute model.
type models struct {
	Rate   string // the steady rate
	Storm  string // the storm whose columns the main table has
	Within string // the head of the columns that judge
	Alike  string // why models have the same p99, if any have
	Rows   []modelRow
	Each   []stormTable // every storm whole
}

type modelRow struct {
	Model, Absent, Reason, Config string
	Image                         string // where starts find it
	Offered                       bool
	Glyph                         template.HTML
	Front                         bool
	Cells                         []cell
	Notes                         []string
}

// cell is a figure and, smaller, what belongs to it.
type cell struct{ Text, Small string }

type stormTable struct {
	Name  string
	Table chart.Table
}

func newModels(run results.Run) models {
	m := models{Storm: mainStorm(run), Within: "serves all", Alike: alike(run)}
	if run.Objective > 0 {
		m.Within = "within " + strings.ReplaceAll(figure.Plain(run.Objective), " ", "\u00a0")
	}
	front := chart.Front(run.Projections)
	for _, p := range run.Projections {
		if p.Offered && m.Rate == "" && p.Steady.Rate > 0 {
			m.Rate = figure.Rate(p.Steady.Rate)
		}
		row := modelRow{
			Model: p.Model, Absent: chart.Absent(p), Reason: p.Reason, Config: roundDurations(p.Config), Image: p.Image, Offered: p.Offered, Front: front[p.Model],
			Glyph: template.HTML(chart.Glyph(p.Model, front[p.Model])), Notes: p.Notes, // Glyph holds no text
		}
		if row.Reason == "" {
			row.Reason = "no reason was given"
		}
		if p.Offered {
			row.Cells = cells(p, m.Storm, run)
		}
		m.Rows = append(m.Rows, row)
	}
	if t := steadily(run); len(t.Rows) > 0 {
		m.Each = append(m.Each, stormTable{"the steady rate", t})
	}
	for _, name := range projectedStorms(run) {
		m.Each = append(m.Each, stormTable{"“" + name + "”", everyModel(run, name)})
		if t := chart.ProjectedStates(run.Projections, name); len(t.Rows) > 0 {
			m.Each = append(m.Each, stormTable{"“" + name + "”: tasks, pods and instances in each state (stops take none unless stop_time says so)", t})
		}
	}
	if t := chart.ProjectedWay(run.Projections); len(t.Rows) > 0 {
		m.Each = append(m.Each, stormTable{"where the time of events went, from their publishing to done,", t})
	}
	return m
}

// mainStorm names the projected storm with the most triggers, of those that the most
// models have: a storm over several functions is not on all.
func mainStorm(run results.Run) string {
	models, triggers := map[string]int{}, map[string]int{}
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			models[s.Name]++
			triggers[s.Name] = max(triggers[s.Name], s.Counts.Offered)
		}
	}
	main := ""
	for _, name := range projectedStorms(run) {
		if m, of := models[name], models[main]; m > of || m == of && triggers[name] > triggers[main] {
			main = name
		}
	}
	return main
}

// cells are a model's figures, in the order of the table's head: four at the
// steady rate, four under the storm.
func cells(p results.Projection, storm string, run results.Run) []cell {
	st := p.Steady
	out := []cell{
		coldCell(st.Latency, st.Counts), quantile(st.All.P99, st.All), verdict(chart.Meets(p, run), st.Counts),
		{figure.USD(st.Monthly.Total), figure.USD(st.PerMillion) + "\u00a0/M"},
	}
	for _, s := range p.Storms {
		if s.Name == storm {
			within := s.Counts.Served == s.Counts.Offered && s.All.P99 > 0 && (run.Objective == 0 || s.All.P99 <= run.Objective)
			return append(out, coldCell(s.Latency, s.Counts), quantile(s.All.P99, s.All), verdict(within, s.Counts), cell{Text: figure.USD(s.Bill.Total)})
		}
	}
	for range 4 {
		out = append(out, cell{Text: figure.Absent})
	}
	return out
}

// coldCell is the median of cold starts, with how many there were of all served.
func coldCell(of map[results.Start]results.Quantiles, c results.Counts) cell {
	out, q := cell{Text: "none"}, of[results.StartCold]
	if q.N > 0 {
		out = cell{figure.Quantile(q.P50, q.N), "n\u00a0" + figure.Count(q.N)}
		if c.Served > 0 {
			out.Small += ", " + figure.Share(float64(c.Cold)/float64(c.Served))
		}
	}
	if c.Ready > 0 {
		out.Small = strings.TrimPrefix(out.Small+"; "+figure.Count(c.Ready)+" ready", "; ")
	}
	return out
}

// verdict says whether the objective is met, and what was not served.
func verdict(meets bool, c results.Counts) cell {
	out := cell{Text: "no"}
	if meets {
		out.Text = "yes"
	}
	var lost []string
	for _, k := range []struct {
		n    int
		word string
	}{{c.Throttled, "throttled"}, {c.Failed, "failed"}, {c.TimedOut, "timed out"}, {c.Unsent, "unsent"}} {
		if k.n > 0 {
			lost = append(lost, figure.Count(k.n)+" "+k.word)
		}
	}
	out.Small = strings.Join(lost, ", ")
	return out
}

// alike explains a p99 at the steady rate that several models share.
func alike(run results.Run) string {
	by := map[time.Duration][]string{}
	var order []time.Duration
	rare := true // too few cold starts for p99 to be one
	for _, p := range run.Projections {
		d := p.Steady.All.P99
		if !p.Offered || d <= 0 {
			continue
		}
		if by[d] == nil {
			order = append(order, d)
		}
		by[d] = append(by[d], p.Model)
		rare = rare && p.Steady.ColdShare < 0.01
	}
	var parts []string
	for _, d := range order {
		if len(by[d]) > 1 {
			parts = append(parts, fmt.Sprintf("%s have the same p99 of %s at the steady rate", strings.Join(by[d], ", "), figure.Duration(d)))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	s := strings.Join(parts, "; ") + ": no network time is included, and every model draws its service times from those measured here, with the same triggers"
	if rare {
		s += "; and with fewer than 1 % cold starts p99 is the function's own time and its wait for a free unit, not a cold start"
	}
	return s + ". They differ in price, and in how they take a storm."
}

// goDuration is a duration as Go prints it, such as 5m0s or 1h30m0s.
var goDuration = regexp.MustCompile(`\b(\d+h)?\d+m\d+(\.\d+)?s\b`)

// roundDurations writes the durations within a text as everywhere else.
func roundDurations(s string) string {
	return goDuration.ReplaceAllStringFunc(s, func(d string) string {
		v, err := time.ParseDuration(d)
		if err != nil {
			return d
		}
		return figure.Plain(v)
	})
}

// quantile is d, a quantile of q, with q's n.
func quantile(d time.Duration, q results.Quantiles) cell {
	if q.N == 0 {
		return cell{Text: "none"}
	}
	return cell{figure.Quantile(d, q.N), "n\u00a0" + figure.Count(q.N)}
}

// steadily is the steady rate under each model that is offered, with every
// interval.
func steadily(run results.Run) chart.Table {
	t := chart.Table{Text: 1, Header: []string{
		"model", "offered", "served", "throttled", "failed", "timed out", "cold", "warm", "provisioned or restored", "cold p50", "95 % interval", "p50", "95 % interval", "p90", "p99", "95 % interval",
	}}
	for _, p := range run.Projections {
		n, cold, all := p.Steady.Counts, p.Steady.Latency[results.StartCold], p.Steady.All
		if !p.Offered || n.Offered == 0 {
			continue
		}
		t.Rows = append(t.Rows, []string{
			p.Model, figure.Count(n.Offered), figure.Count(n.Served), figure.Count(n.Throttled), figure.Count(n.Failed), figure.Count(n.TimedOut),
			figure.Count(n.Cold), figure.Count(n.Warm), figure.Count(n.Ready), figure.Quantile(cold.P50, cold.N), figure.Interval(cold.P50Low, cold.P50High), figure.Quantile(all.P50, all.N),
			figure.Interval(all.P50Low, all.P50High), figure.Quantile(all.P90, all.N), figure.Quantile(all.P99, all.N), figure.Interval(all.P99Low, all.P99High),
		})
	}
	return t
}

// everyModel is one projected storm under each model that is offered.
func everyModel(run results.Run, storm string) chart.Table {
	t := chart.Table{Text: 1, Header: []string{
		"model", "offered", "served", "throttled", "failed", "timed out", "cold", "warm", "provisioned or restored", "cold p50", "95 % interval", "p50", "p99", "95 % interval", "peak units", "all answered after", "$",
	}}
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if s.Name != storm || !p.Offered {
				continue
			}
			n, cold := s.Counts, s.Latency[results.StartCold]
			t.Rows = append(t.Rows, []string{
				p.Model, figure.Count(n.Offered), figure.Count(n.Served), figure.Count(n.Throttled), figure.Count(n.Failed), figure.Count(n.TimedOut),
				figure.Count(n.Cold), figure.Count(n.Warm), figure.Count(n.Ready), figure.Quantile(cold.P50, cold.N), figure.Interval(cold.P50Low, cold.P50High),
				figure.Quantile(s.All.P50, s.All.N), figure.Quantile(s.All.P99, s.All.N), figure.Interval(s.All.P99Low, s.All.P99High), figure.Count(s.Peak), recovered(s), figure.USD(s.Bill.Total),
			})
		}
	}
	return t
}

func recovered(s results.ProjectedStorm) string {
	if s.Recover == 0 {
		return figure.Absent
	}
	return figure.Duration(s.Recover)
}

// bill is what one model costs, item by item.
type bill struct {
	Model string
	Parts []billPart
}

type billPart struct {
	Title, Total string
	Table        chart.Table
}

func bills(run results.Run) []bill {
	var out []bill
	for _, p := range run.Projections {
		if !p.Offered {
			continue
		}
		b := bill{Model: p.Model}
		b.add(fmt.Sprintf("a month at %s", figure.Rate(p.Steady.Rate)), p.Steady.Monthly)
		for _, s := range p.Storms {
			b.add("“"+s.Name+"”", s.Bill)
		}
		if len(b.Parts) > 0 {
			out = append(out, b)
		}
	}
	return out
}

func (b *bill) add(title string, of results.Bill) {
	if len(of.Items) == 0 {
		return
	}
	t := chart.Table{Text: 1, Header: []string{"item", "quantity", "unit", "$ a unit", "$"}}
	for _, i := range of.Items {
		t.Rows = append(t.Rows, []string{i.Name, figure.Number(i.Quantity), i.Unit, figure.USD(i.Price), figure.USD(i.Amount)})
	}
	b.Parts = append(b.Parts, billPart{title, figure.USD(of.Total), t})
}

// omissions are the refinements that projections leave out. What many models
// share is said once, of all of them.
func omissions(run results.Run) []fact {
	offered := 0
	var notes []string
	models := map[string][]string{} // of a note
	for _, p := range run.Projections {
		if !p.Offered {
			continue
		}
		offered++
		for _, n := range p.Notes {
			if models[n] == nil {
				notes = append(notes, n)
			}
			models[n] = append(models[n], p.Model)
		}
	}
	var out []fact
	at := map[string]int{} // of the models in out
	for _, n := range notes {
		who := strings.Join(models[n], ", ")
		if len(models[n]) == offered {
			who = "every model"
		}
		sentence := strings.TrimSuffix(n, ".") + "."
		if i, ok := at[who]; ok {
			out[i].Text += " " + sentence
			continue
		}
		at[who] = len(out)
		out = append(out, fact{who, sentence})
	}
	return out
}
