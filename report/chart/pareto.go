package chart

import (
	"coldstorm/results"
)

// Absent says why a projection has no figure, in two words.
func Absent(p results.Projection) string {
	if p.Withheld {
		return "withheld"
	}
	return "not offered"
}

// NoneCheapest says why Cheapest found none.
func NoneCheapest(run results.Run) string {
	why := "no model was projected"
	for _, p := range run.Projections {
		if !p.Offered {
			continue
		}
		if p.Steady.Counts.Offered > 0 || p.Steady.All.P99 > 0 {
			return "no model serves the steady rate within the objective"
		}
		why = "no steady rate was projected, only storms" // as of a trace
	}
	return why
}

// Serves tells whether a model answers everything at the steady rate: what
// throttles or fails is cheap for a reason.
func Serves(p results.Projection) bool {
	c := p.Steady.Counts
	return p.Offered && c.Throttled+c.Failed+c.TimedOut == 0
}

// Meets tells whether a model serves the steady rate within the objective at
// p99; with no objective it only has to serve.
func Meets(p results.Projection, run results.Run) bool {
	p99 := p.Steady.All.P99
	return Serves(p) && p99 > 0 && (run.Objective == 0 || p99 <= run.Objective)
}

// priced tells whether a model has a place on the cost chart.
func priced(p results.Projection) bool {
	m := float64(p.Steady.Monthly.Total)
	return p.Offered && p.Steady.All.P99 > 0 && finite(m) && m > 0
}

// Front returns the models on the Pareto front at the steady rate: those that
// serve it and that no other such model beats on both cost and p99 latency.
func Front(ps []results.Projection) map[string]bool {
	front := map[string]bool{}
	for i, p := range ps {
		if !priced(p) || !Serves(p) {
			continue
		}
		beaten := false
		for j, q := range ps {
			beaten = beaten || i != j && priced(q) && Serves(q) && beats(q.Steady, p.Steady)
		}
		if !beaten {
			front[p.Model] = true
		}
	}
	return front
}

// beats tells whether a is no worse than b on both and better on one.
func beats(a, b results.Steady) bool {
	return a.All.P99 <= b.All.P99 && a.Monthly.Total <= b.Monthly.Total &&
		(a.All.P99 < b.All.P99 || a.Monthly.Total < b.Monthly.Total)
}

// Cheapest returns the model that meets the objective at the steady rate for
// the least money; false if none does.
func Cheapest(run results.Run) (results.Projection, bool) {
	best, found := results.Projection{}, false
	for _, p := range run.Projections {
		if Meets(p, run) && priced(p) && (!found || p.Steady.Monthly.Total < best.Steady.Monthly.Total) {
			best, found = p, true
		}
	}
	return best, found
}
