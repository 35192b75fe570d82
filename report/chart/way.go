package chart

import (
	"fmt"

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
	return s.Trigger + handled + "; measured here alone, not projected"
}
