package chart

import (
	"strings"
	"time"

	"coldstorm/report/chart/figure"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// MeasuredStates is how long tasks, pods and instances that ran here were in each state, a
// row for each state in a storm; none without containers.
func MeasuredStates(series []results.Series) Table {
	t := statesTable("storm")
	for _, s := range series {
		t.states(s.Name, s.States)
	}
	return t
}

// ProjectedStates is the same of a projected storm, a row for each state under a model.
func ProjectedStates(ps []results.Projection, storm string) Table {
	t := statesTable("model")
	for _, p := range ps {
		for _, s := range p.Storms {
			if p.Offered && s.Name == storm {
				t.states(p.Model, s.States)
			}
		}
	}
	return t
}

func statesTable(of string) Table {
	return Table{Text: 3, Header: []string{of, "of", "state", "n", "still in it", "p50", "p99", "longest"}}
}

func (t *Table) states(name string, list []results.StateTime) {
	for _, s := range list {
		t.add(name, s.Of, s.State, figure.Count(s.Units), figure.Count(s.Still),
			stay(s.Time.P50, 0.5, s.Time.N), stay(s.Time.P99, 0.99, s.Time.N), stay(s.Time.Max, 0, s.Time.N))
	}
}

// stay writes the quantile q of n stays: unlike a latency it may be no time at all.
func stay(d time.Duration, q float64, n int) string {
	if ok, _ := stats.Carries(q, int64(n)); ok {
		return figure.Duration(d)
	}
	return figure.Quantile(0, n)
}

// StatesSentence is the medians of one model's states in a line; empty if nothing left one.
func StatesSentence(list []results.StateTime) string {
	var parts []string
	for _, s := range list {
		if s.Time.N > 0 {
			parts = append(parts, s.Of+" "+s.State+" "+figure.Duration(s.Time.P50)+" (n="+figure.Count(s.Time.N)+")")
		}
	}
	return strings.Join(parts, ", ")
}
