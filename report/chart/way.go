package chart

import (
	"fmt"
	"slices"
	"strings"

	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// Way is where the time of events went that were not answered on their request: a row for
// each part, from the intended send to done, of each storm and kind of start.
func Way(series []results.Series) Table {
	t := Table{Text: 3, Header: []string{"storm", "start", "part", "n", "p50", "p99"}}
	for _, s := range series {
		for _, p := range s.Way {
			t.Rows = append(t.Rows, []string{
				s.Name, string(p.Start), p.Part, figure.Count(p.Time.N), figure.Quantile(p.Time.P50, p.Time.N), figure.Quantile(p.Time.P99, p.Time.N),
			})
		}
	}
	return t
}

// ProjectedWay is the same of projected storms, under each model that has them.
func ProjectedWay(projections []results.Projection) Table {
	t := Table{Text: 4, Header: []string{"storm", "model", "start", "part", "n", "p50", "p99"}}
	for _, p := range projections {
		for _, s := range p.Storms {
			for _, w := range s.Way {
				t.Rows = append(t.Rows, []string{
					s.Name, p.Model, string(w.Start), w.Part, figure.Count(w.Time.N), figure.Quantile(w.Time.P50, w.Time.N), figure.Quantile(w.Time.P99, w.Time.N),
				})
			}
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return t
}

// Sourced says of a storm that came by an event source what its figures are of; empty for
// one of requests.
func Sourced(s results.Series) string {
	if s.Trigger == "" {
		return ""
	}
	handled := ""
	if n := s.Counts.Offered - s.Counts.Unsent; s.Invocations > 0 && s.Invocations < s.Counts.Served { // some shared one
		handled = fmt.Sprintf("; %s events in %s invocations, %s of them cold (cold and warm are counts of events)", figure.Count(n), figure.Count(s.Invocations), figure.Count(s.ColdStarts))
	}
	return s.Trigger + handled + "; measured here"
}
