package html

import (
	"fmt"
	"slices"
	"strings"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// tiles are the run in four figures.
func tiles(run results.Run) []tile {
	var out []tile
	if s, ok := chart.Foremost(run.Series, results.StartCold); ok {
		out = append(out, latencyTile("cold start, p50", s, results.StartCold))
	} else if len(run.Series) > 0 && !withoutEvidence(run.Series) {
		out = append(out, tile{Name: "cold start, p50", Basis: chart.Measured, Value: "none", Detail: []string{noColdStart(run.Series)}})
	}
	for _, start := range readyStarts {
		if s, ok := chart.Foremost(run.Series, start); ok {
			out = append(out, latencyTile(string(start)+" start, p50", s, start))
		}
	}
	if s, ok := chart.Foremost(run.Series, results.StartWarm); ok {
		out = append(out, latencyTile("warm start, p50", s, results.StartWarm))
	}
	if s, ok := chart.Foremost(run.Series, results.StartUnknown); ok && withoutEvidence(run.Series) {
		out = append(out, latencyTile("latency, start unknown, p50", s, results.StartUnknown))
	}
	if s, ok := hardest(run.Series); ok {
		out = append(out, stormTile(s))
	}
	for _, cv := range run.Curves {
		out = append(out, curveTiles(cv)...)
	}
	if len(run.Projections) > 0 {
		out = append(out, cheapestTile(run))
	}
	return out
}

// curveTiles is what a scaling curve comes to: its knee, or else how the median
// changes from its first value to its last.
func curveTiles(cv results.Curve) []tile {
	c := chart.Curve(cv)
	switch {
	case c.Empty != "":
		return []tile{{Name: "over " + cv.Axis, Basis: chart.Measured, Value: "none", Detail: []string{c.Empty}, Bad: true}}
	case cv.Knee != nil:
		return []tile{{Name: "over " + cv.Axis + ", at most", Basis: chart.Measured, Value: figure.Rate(cv.Knee.Highest), Detail: []string{chart.KneeSentence(cv)}}}
	}
	first, last := cv.Points[0].Latency[results.StartCold], cv.Points[len(cv.Points)-1].Latency[results.StartCold]
	return []tile{{
		Name: "over " + cv.Axis + ", cold p50", Basis: chart.Measured,
		Value: figure.Quantile(first.P50, first.N) + " to " + figure.Quantile(last.P50, last.N), Detail: []string{c.Alt},
	}}
}

// noColdStart says why there is no cold start to tell of: a trigger that failed
// may have met one.
func noColdStart(series []results.Series) string {
	for _, s := range series {
		if s.Counts.Served > 0 {
			return "no served trigger met a cold start"
		}
	}
	return "no trigger was served"
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

// hardest returns the storm of which the most triggers went unserved, and if
// all were served, the one with the most triggers. As of chart.Foremost, it is one of
// requests if there is any.
func hardest(series []results.Series) (results.Series, bool) {
	events := func(s results.Series) bool { return s.Trigger != "" }
	if requests := slices.DeleteFunc(slices.Clone(series), events); len(requests) > 0 {
		series = requests
	}
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
	t.Detail = []string{interval, p99, fmt.Sprintf("n = %s, “%s”", figure.Count(q.N), s.Name), shape(s)}
	if s.Generator.Limited {
		t.Bad = true
		t.Detail = append(t.Detail, "limited: "+s.Generator.Why)
	}
	return t
}

// shape is that of a storm, and what its triggers are if they aren't requests.
func shape(s results.Series) string {
	if s.Trigger == "" {
		return s.Shape
	}
	return s.Shape + ", of events: " + s.Trigger
}

func stormTile(s results.Series) tile {
	c := s.Counts
	t := tile{Name: "“" + s.Name + "”, served", Basis: chart.Measured}
	t.Value = figure.Count(c.Served) + " of " + figure.Count(c.Offered)
	t.Detail = []string{
		shape(s),
		fmt.Sprintf("throttled %s, failed %s, timed out %s", figure.Count(c.Throttled), figure.Count(c.Failed), figure.Count(c.TimedOut)),
		startsOf(c),
	}
	if s.Took > 0 {
		t.Detail = append(t.Detail, "took "+figure.Duration(s.Took))
	}
	if c.Unsent > 0 {
		t.Detail = append(t.Detail, figure.Count(c.Unsent)+" were never sent")
	}
	if s.Generator.Limited {
		t.Bad = true
		t.Detail = append(t.Detail, "limited: "+s.Generator.Why)
	}
	if !c.Accounted() {
		t.Bad = true
		t.Detail = append(t.Detail, "not every trigger is accounted for")
	}
	return t
}

// startsOf says how the served triggers started: all kinds that there were.
func startsOf(c results.Counts) string {
	var parts []string
	for _, k := range []struct {
		n    int
		word string
	}{{c.Cold, "cold"}, {c.Warm, "warm"}, {c.Ready, "provisioned or restored"}, {c.Unknown, "unknown"}} {
		if k.n > 0 {
			parts = append(parts, figure.Count(k.n)+" "+k.word)
		}
	}
	if len(parts) == 0 {
		return "none started"
	}
	return "starts: " + strings.Join(parts, ", ")
}

func cheapestTile(run results.Run) tile {
	t := tile{Name: "cheapest model", Basis: chart.Projected}
	if run.Objective > 0 {
		t.Name += " within " + figure.Plain(run.Objective) + " at p99, steady rate"
	}
	p, ok := chart.Cheapest(run)
	if !ok {
		t.Value, t.Bad = "none", true
		t.Detail = []string{chart.NoneCheapest(run)}
		return t
	}
	t.Value = p.Model
	t.Detail = []string{
		fmt.Sprintf("%s a month at %s", figure.USD(p.Steady.Monthly.Total), figure.Rate(p.Steady.Rate)),
		figure.USD(p.Steady.PerMillion) + " per million requests",
		fmt.Sprintf("p99 %s, n = %s", figure.Quantile(p.Steady.All.P99, p.Steady.All.N), figure.Count(p.Steady.All.N)),
	}
	storm := mainStorm(run)
	for _, s := range p.Storms {
		if s.Name == storm {
			t.Detail = append(t.Detail, fmt.Sprintf("under “%s”: p99 %s, %s of %s served", s.Name, figure.Quantile(s.All.P99, s.All.N), figure.Count(s.Counts.Served), figure.Count(s.Counts.Offered)))
		}
	}
	return t
}
