package html

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// models is the table of every compute model.
type models struct {
	Rate  string // the steady rate
	Storm string // the storm whose columns the main table has
	Rows  []modelRow
	Each  []stormTable // every storm whole
}

type modelRow struct {
	Model, Reason, Config string
	Offered               bool
	Glyph                 template.HTML
	Front, Meets          bool
	Cells                 []cell
	Notes                 []string
}

// cell is a figure and, smaller, what belongs to it.
type cell struct{ Text, Small string }

type stormTable struct {
	Name  string
	Table chart.Table
}

func newModels(run results.Run) models {
	m := models{Storm: mainStorm(run)}
	front := chart.Front(run.Projections)
	for _, p := range run.Projections {
		if p.Offered && m.Rate == "" && p.Steady.Rate > 0 {
			m.Rate = figure.Rate(p.Steady.Rate)
		}
		row := modelRow{
			Model: p.Model, Reason: p.Reason, Config: p.Config, Offered: p.Offered, Front: front[p.Model], Meets: chart.Meets(p, run),
			Glyph: template.HTML(chart.Glyph(p.Model, front[p.Model])), Notes: p.Notes, // Glyph holds no text
		}
		if row.Reason == "" {
			row.Reason = "no reason was given"
		}
		if p.Offered {
			row.Cells = cells(p, m.Storm)
		}
		m.Rows = append(m.Rows, row)
	}
	if t := steadily(run); len(t.Rows) > 0 {
		m.Each = append(m.Each, stormTable{"the steady rate", t})
	}
	for _, name := range projectedStorms(run) {
		m.Each = append(m.Each, stormTable{name, everyModel(run, name)})
	}
	return m
}

// mainStorm names the projected storm with the most triggers.
func mainStorm(run results.Run) string {
	name, most := "", -1
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if s.Counts.Offered > most {
				name, most = s.Name, s.Counts.Offered
			}
		}
	}
	return name
}

// cells are a model's figures, in the order of the table's head.
func cells(p results.Projection, storm string) []cell {
	st := p.Steady
	cold, all := st.Latency[results.StartCold], st.All
	out := []cell{
		quantile(cold.P50, cold), quantile(all.P99, all), {Text: figure.Share(st.ColdShare)},
		{Text: figure.USD(st.PerMillion)}, {Text: figure.USD(st.Monthly.Total)},
	}
	for _, s := range p.Storms {
		if s.Name == storm {
			c := s.Latency[results.StartCold]
			return append(out, quantile(c.P50, c), quantile(s.All.P99, s.All),
				cell{figure.Count(s.Counts.Throttled), "of " + figure.Count(s.Counts.Offered)}, cell{Text: figure.USD(s.Bill.Total)})
		}
	}
	return append(out, cell{Text: figure.Absent}, cell{Text: figure.Absent}, cell{Text: figure.Absent}, cell{Text: figure.Absent})
}

// quantile is d, a quantile of q, with q's n.
func quantile(d time.Duration, q results.Quantiles) cell {
	if q.N == 0 {
		return cell{Text: "none"}
	}
	return cell{figure.Quantile(d, q.N), "n " + figure.Count(q.N)}
}

// steadily is the steady rate under each model that is offered, with every
// interval.
func steadily(run results.Run) chart.Table {
	t := chart.Table{Text: 1, Header: []string{
		"model", "offered", "served", "throttled", "failed", "timed out", "cold starts", "cold p50", "95 % interval", "p50", "95 % interval", "p90", "p99", "95 % interval",
	}}
	for _, p := range run.Projections {
		n, cold, all := p.Steady.Counts, p.Steady.Latency[results.StartCold], p.Steady.All
		if !p.Offered || n.Offered == 0 {
			continue
		}
		t.Rows = append(t.Rows, []string{
			p.Model, figure.Count(n.Offered), figure.Count(n.Served), figure.Count(n.Throttled), figure.Count(n.Failed), figure.Count(n.TimedOut),
			figure.Count(n.Cold), figure.Quantile(cold.P50, cold.N), figure.Interval(cold.P50Low, cold.P50High), figure.Quantile(all.P50, all.N),
			figure.Interval(all.P50Low, all.P50High), figure.Quantile(all.P90, all.N), figure.Quantile(all.P99, all.N), figure.Interval(all.P99Low, all.P99High),
		})
	}
	return t
}

// everyModel is one projected storm under each model that is offered.
func everyModel(run results.Run, storm string) chart.Table {
	t := chart.Table{Text: 1, Header: []string{
		"model", "offered", "served", "throttled", "failed", "timed out", "cold starts", "cold p50", "95 % interval", "p50", "p99", "95 % interval", "peak units", "all answered after", "$",
	}}
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if s.Name != storm || !p.Offered {
				continue
			}
			n, cold := s.Counts, s.Latency[results.StartCold]
			t.Rows = append(t.Rows, []string{
				p.Model, figure.Count(n.Offered), figure.Count(n.Served), figure.Count(n.Throttled), figure.Count(n.Failed), figure.Count(n.TimedOut),
				figure.Count(n.Cold), figure.Quantile(cold.P50, cold.N), figure.Interval(cold.P50Low, cold.P50High),
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
			b.add("the storm "+s.Name, s.Bill)
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
	t := chart.Table{Text: 1, Header: []string{"item", "quantity", "unit", "price of a unit", "amount"}}
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
