package gate

import (
	"coldstorm/report/stats"
	"coldstorm/results"
)

// errors returns the row of failures and timeouts, and of events that were tried again,
// over all storms together. Throttles are none of them.
func (c comparison) errors() Row {
	row := Row{Metric: Errors, Unit: Share, Limit: c.limits.effect(Errors)}
	var failed [2]int64
	var sent [2]int
	for i, a := range []arm{c.base, c.head} {
		for _, s := range a.Run.Series {
			failed[i] += int64(s.Counts.Failed + s.Counts.TimedOut + a.retried[s.Name])
			sent[i] += s.Counts.Offered - s.Counts.Unsent
		}
	}
	row.BaseN, row.HeadN = sent[0], sent[1]
	for i, a := range []arm{c.base, c.head} {
		if sent[i] < c.limits.minimum(Errors) {
			row.barriers = append(row.barriers, lacks(a, sent[i], c.limits.minimum(Errors)))
		}
	}
	for _, name := range c.names() {
		row.barriers = append(row.barriers, prefix("storm "+name, c.missing(name))...)
	}
	if sent[0] == 0 || sent[1] == 0 {
		return row
	}
	row.Base, row.Head = float64(failed[0])/float64(sent[0]), float64(failed[1])/float64(sent[1])
	row.Effect = row.Head - row.Base
	i := stats.DifferenceInterval(failed[0], int64(sent[0]), failed[1], int64(sent[1]))
	row.Interval = &Interval{Low: i.Low, High: i.High, Level: i.Level}
	p := stats.TwoProportions(failed[0], int64(sent[0]), failed[1], int64(sent[1]))
	row.P = &p
	return row
}

// missing says what of a storm's load keeps its errors from being counted. A
// lag or a throttle does not.
func (c comparison) missing(name string) (out []string) {
	for _, a := range []arm{c.base, c.head} {
		s := a.series[name]
		if s == nil {
			out = append(out, a.name+" does not have it")
			continue
		}
		out = append(out, load(a, s)...)
	}
	out = append(out, c.sources(name)...)
	if b, h := c.base.series[name], c.head.series[name]; b != nil && h != nil && b.Arrivals != h.Arrivals {
		out = append(out, "the schedules of arrivals differ")
	}
	return out
}

// projection returns a model's projection in a run.
func projection(run results.Run, model string) (results.Projection, bool) {
	for _, p := range run.Projections {
		if p.Model == model {
			return p, p.Offered
		}
	}
	return results.Projection{}, false
}
