package chart

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// at is a model that serves everything at a cost and a p99 in milliseconds.
func at(model string, usd, p99 float64) results.Projection {
	p := results.Projection{Model: model, Offered: true}
	p.Steady.All = results.Quantiles{N: 10000, P99: time.Duration(p99 * float64(time.Millisecond))}
	p.Steady.Monthly.Total = results.USD(usd)
	p.Steady.Counts = results.Counts{Offered: 10000, Served: 10000}
	return p
}

func throttles(p results.Projection) results.Projection {
	p.Steady.Counts.Served, p.Steady.Counts.Throttled = 9000, 1000
	return p
}

func notOffered(p results.Projection) results.Projection { p.Offered = false; return p }

func TestFrontAndCheapest(t *testing.T) {
	for _, c := range []struct {
		rule     string
		models   []results.Projection
		front    string
		cheapest string // within 100 ms
	}{
		{"nothing is on an empty front", nil, "", ""},
		{"one that is dearer and slower is off", []results.Projection{at("a", 10, 50), at("b", 20, 60)}, "a", "a"},
		{"dearer but faster stays on", []results.Projection{at("a", 10, 50), at("b", 20, 40)}, "a b", "a"},
		{"equals don't beat each other", []results.Projection{at("a", 10, 50), at("b", 10, 50)}, "a b", "a"},
		{"the cheapest that misses the objective isn't chosen", []results.Projection{at("a", 10, 500), at("b", 20, 40)}, "a b", "b"},
		{"what throttles is neither on the front nor chosen, and beats none", []results.Projection{throttles(at("a", 1, 1)), at("b", 20, 40)}, "b", "b"},
		{"what isn't offered doesn't count", []results.Projection{notOffered(at("a", 1, 1)), at("b", 20, 40)}, "b", "b"},
		{"a p99 that n can't carry has no place", []results.Projection{at("a", 1, 0), at("b", 20, 40)}, "b", "b"},
		{"none meets the objective", []results.Projection{at("a", 10, 500)}, "a", ""},
	} {
		front := strings.Join(slices.Sorted(maps.Keys(Front(c.models))), " ")
		if front != c.front {
			t.Errorf("%s: front %q, want %q", c.rule, front, c.front)
		}
		p, ok := Cheapest(results.Run{Projections: c.models, Objective: 100 * time.Millisecond})
		if p.Model != c.cheapest || ok != (c.cheapest != "") {
			t.Errorf("%s: cheapest %q, want %q", c.rule, p.Model, c.cheapest)
		}
	}
}

func TestCrossingsOfTheCheapestStandApart(t *testing.T) {
	line := func(model string, fixed, each float64, feasible bool) results.Projection {
		p := results.Projection{Model: model, Offered: true}
		for _, r := range []float64{1, 10, 100, 1000} {
			p.Curve = append(p.Curve, results.RatePoint{Rate: r, Monthly: results.USD(fixed + each*r), Feasible: feasible})
		}
		return p
	}
	run := results.Run{
		Projections: []results.Projection{line("a", 0, 1, true), line("b", 100, 0, true), line("c", 0, 0.001, false), line("d", 500, 0, true)},
		BreakEven: []results.BreakEven{
			{A: "a", B: "b", Rate: 100, Monthly: 100},  // the two cheapest that are feasible
			{A: "a", B: "d", Rate: 500, Monthly: 500},  // b is cheaper there
			{A: "c", B: "b", Rate: 1000, Monthly: 100}, // c isn't feasible
			{A: "a", B: "b", Rate: -1},
		},
	}
	best, others := Crossings(run)
	if len(best.Rows) != 1 || best.Rows[0][1] != "b" || best.Rows[0][2] != "100/s" {
		t.Errorf("between the two cheapest: %q, want a to b at 100/s alone", best.Rows)
	}
	if len(others.Rows) != 2 {
		t.Errorf("others: %q, want two", others.Rows)
	}
}
