package export

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"time"

	"coldstorm/report/chart"
	"coldstorm/results"
)

// ModelsCSV writes a row for every compute model at the steady rate, projected
// on AWS. A quantile that n can't carry is an empty cell.
func ModelsCSV(w io.Writer, run results.Run) error {
	front := chart.Front(run.Projections)
	rows := [][]string{{
		"model", "offered", "reason", "config", "rate_per_second", "requests", "served", "throttled", "failed", "timed_out", "cold_share",
		"cold_n", "cold_p50_ns", "cold_p50_low_ns", "cold_p50_high_ns", "n", "p50_ns", "p90_ns", "p99_ns", "p99_low_ns", "p99_high_ns",
		"usd_per_month", "usd_per_million", "meets_objective", "pareto_front",
	}}
	for _, p := range run.Projections {
		if !p.Offered {
			row := make([]string, len(rows[0]))
			copy(row, []string{p.Model, "false", p.Reason, p.Config})
			rows = append(rows, row)
			continue
		}
		st, c := p.Steady, p.Steady.Counts
		cold, all := st.Latency[results.StartCold], st.All
		rows = append(rows, []string{
			p.Model, "true", p.Reason, p.Config, number(st.Rate), whole(c.Offered), whole(c.Served), whole(c.Throttled), whole(c.Failed), whole(c.TimedOut), number(st.ColdShare),
			whole(cold.N), nanoseconds(cold.P50), nanoseconds(cold.P50Low), nanoseconds(cold.P50High), whole(all.N), nanoseconds(all.P50), nanoseconds(all.P90),
			nanoseconds(all.P99), nanoseconds(all.P99Low), nanoseconds(all.P99High),
			number(float64(st.Monthly.Total)), number(float64(st.PerMillion)), strconv.FormatBool(chart.Meets(p, run)), strconv.FormatBool(front[p.Model]),
		})
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// CurvesCSV writes a row for every point of every model's cost curve.
func CurvesCSV(w io.Writer, run results.Run) error {
	rows := [][]string{{"model", "rate_per_second", "usd_per_month", "p99_ns", "units", "feasible"}}
	for _, p := range run.Projections {
		for _, x := range p.Curve {
			rows = append(rows, []string{p.Model, number(x.Rate), number(float64(x.Monthly)), nanoseconds(x.P99), number(x.Units), strconv.FormatBool(x.Feasible)})
		}
	}
	return csv.NewWriter(w).WriteAll(rows)
}

func whole(n int) string { return strconv.Itoa(n) }

// number writes v exactly; what is not a number is an empty cell.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// nanoseconds writes a quantile; one that is absent is an empty cell.
func nanoseconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.FormatInt(int64(d), 10)
}
