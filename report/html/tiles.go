package html

import (
	"fmt"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// tiles are the run in four figures.
func tiles(run results.Run) []tile {
	var out []tile
	if s, ok := fullest(run.Series, results.StartCold); ok {
		out = append(out, latencyTile("cold start, p50", s, results.StartCold))
	} else if !withoutEvidence(run.Series) {
		out = append(out, tile{Name: "cold start, p50", Basis: chart.Measured, Value: "none", Detail: []string{"no trigger met a cold start"}})
	}
	if s, ok := fullest(run.Series, results.StartWarm); ok {
		out = append(out, latencyTile("warm start, p50", s, results.StartWarm))
	}
	if s, ok := fullest(run.Series, results.StartUnknown); ok && withoutEvidence(run.Series) {
		out = append(out, latencyTile("latency, start unknown, p50", s, results.StartUnknown))
	}
	if s, ok := hardest(run.Series); ok {
		out = append(out, stormTile(s))
	}
	if len(run.Projections) > 0 {
		out = append(out, cheapestTile(run))
	}
	return out
}

// withoutEvidence tells whether no answer said how it started: then nothing is
// known of cold starts, which is not the same as that there were none.
func withoutEvidence(series []results.Series) bool {
	unknown := 0
	for _, s := range series {
		if s.Counts.Cold+s.Counts.Warm+s.Counts.Ready > 0 {
			return false
		}
		unknown += s.Counts.Unknown
	}
	return unknown > 0
}

// fullest returns the storm with the most samples of a kind of start, before
// all among those in which neither the generator nor the host was the limit.
func fullest(series []results.Series, start results.Start) (results.Series, bool) {
	best, found := results.Series{}, false
	for _, limited := range []bool{false, true} {
		for _, s := range series {
			if s.Generator.Limited == limited && s.Latency[start].N > best.Latency[start].N {
				best, found = s, true
			}
		}
		if found {
			break
		}
	}
	return best, found
}

// hardest returns the storm of which the most triggers went unserved, and if
// all were served, the one with the most triggers.
func hardest(series []results.Series) (results.Series, bool) {
	best, found := results.Series{}, false
	for _, s := range series {
		a, b := s.Counts.Offered-s.Counts.Served, best.Counts.Offered-best.Counts.Served
		if !found || a > b || a == b && s.Counts.Offered > best.Counts.Offered {
			best, found = s, true
		}
	}
	return best, found
}

func latencyTile(name string, s results.Series, start results.Start) tile {
	q := s.Latency[start]
	t := tile{Name: name, Basis: chart.Measured, Value: figure.Quantile(q.P50, q.N)}
	interval := figure.Interval(q.P50Low, q.P50High)
	if interval == "" {
		interval = "interval: n too small"
	} else {
		interval = "95 % " + interval
	}
	p99 := "p99 " + figure.Quantile(q.P99, q.N)
	if i := figure.Interval(q.P99Low, q.P99High); i != "" {
		p99 += ", 95 % " + i
	}
	t.Detail = []string{interval, p99, fmt.Sprintf("n = %s, under %s", figure.Count(q.N), s.Name)}
	if s.Generator.Limited {
		t.Bad = true
		t.Detail = append(t.Detail, "limited: "+s.Generator.Why)
	}
	return t
}

func stormTile(s results.Series) tile {
	c := s.Counts
	t := tile{Name: s.Name + ", served", Basis: chart.Measured}
	t.Value = figure.Count(c.Served) + " of " + figure.Count(c.Offered)
	t.Detail = []string{
		fmt.Sprintf("throttled %s, failed %s, timed out %s", figure.Count(c.Throttled), figure.Count(c.Failed), figure.Count(c.TimedOut)),
		s.Shape,
	}
	if c.Unsent > 0 {
		t.Detail = append(t.Detail, figure.Count(c.Unsent)+" were never sent")
	}
	t.Bad = !c.Accounted()
	if t.Bad {
		t.Detail = append(t.Detail, "not every trigger is accounted for")
	}
	return t
}

func cheapestTile(run results.Run) tile {
	t := tile{Name: "cheapest model", Basis: chart.Projected}
	if run.Objective > 0 {
		t.Name += " that meets " + figure.Plain(run.Objective) + " at p99"
	}
	p, ok := chart.Cheapest(run)
	if !ok {
		t.Value, t.Bad = "none", true
		t.Detail = []string{"no model serves the steady rate within the objective"}
		return t
	}
	t.Value = p.Model
	t.Detail = []string{
		fmt.Sprintf("%s a month at %s", figure.USD(p.Steady.Monthly.Total), figure.Rate(p.Steady.Rate)),
		figure.USD(p.Steady.PerMillion) + " per million requests",
		fmt.Sprintf("p99 %s, n = %s", figure.Quantile(p.Steady.All.P99, p.Steady.All.N), figure.Count(p.Steady.All.N)),
	}
	return t
}
