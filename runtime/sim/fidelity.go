package sim

import (
	"math"
	"time"

	"coldstorm/results"
)

// Fidelity holds a simulation against what live measured on one storm: counts of
// cold and throttled triggers, environments over time, and p50, p90 and p99 of cold and warm starts where
// both carry them.
func Fidelity(series string, live results.Series, o Outcome) []results.Fidelity {
	var out []results.Fidelity
	add := func(metric string, l, s float64) {
		f := results.Fidelity{Series: series, Model: string(o.Model), Metric: metric, Live: l, Sim: s}
		switch {
		case l != 0:
			f.Error = s/l - 1
		case s != 0:
			return // no ratio to nothing
		}
		out = append(out, f)
	}
	add("cold_starts", float64(live.Counts.Cold), float64(o.Counts.Cold))
	add("throttled", float64(live.Counts.Throttled), float64(o.Counts.Throttled))
	if l, s, off, ok := unitsApart(live.Timeline, o.Timeline); ok {
		out = append(out, results.Fidelity{Series: series, Model: string(o.Model), Metric: "environments", Live: l, Sim: s, Error: off})
	}
	for _, s := range []results.Start{results.StartCold, results.StartWarm} {
		l, q := live.Latency[s], o.Latency[s]
		if l.N == 0 || q.N == 0 {
			continue
		}
		for _, at := range []struct {
			name      string
			live, sim time.Duration
		}{{"_p50", l.P50, q.P50}, {"_p90", l.P90, q.P90}, {"_p99", l.P99, q.P99}} {
			if at.live > 0 && at.sim > 0 {
				add(string(s)+at.name, float64(at.live), float64(at.sim))
			}
		}
	}
	return out
}

// looks is at how many times two timelines are held against each other, and spells in how
// many parts of the storm their means are: counts at a moment depend on a few milliseconds.
const (
	looks  = 200
	spells = 10
)

// unitsApart are the mean numbers of units of two timelines while both last, and how far
// apart their means over each tenth of that time are on average, as a share of the first's
// mean. It is not ok where one of them is not known, or the first has no unit.
func unitsApart(live, sim []results.TimelinePoint) (l, s, off float64, ok bool) {
	if len(live) == 0 || len(sim) == 0 {
		return 0, 0, 0, false
	}
	end := min(endOf(live), endOf(sim))
	apart := 0.0 // in this part so far
	for i := range looks {
		at := end * time.Duration(2*i+1) / (2 * looks)
		a, knownA := unitsAt(live, at)
		b, knownB := unitsAt(sim, at)
		if !knownA || !knownB {
			return 0, 0, 0, false
		}
		l += a / looks
		s += b / looks
		apart += a - b
		if (i+1)%(looks/spells) == 0 {
			off += math.Abs(apart) / looks
			apart = 0
		}
	}
	return l, s, off / l, l > 0
}

func endOf(line []results.TimelinePoint) time.Duration {
	last := line[len(line)-1]
	return last.At + last.Every
}

// unitsAt is how many units a timeline has at a time, between what it has at the
// ends of its intervals; at its start there are as many as at the first of them, which
// a burst reaches at once.
func unitsAt(line []results.TimelinePoint, at time.Duration) (n float64, known bool) {
	i := min(int(at/line[0].Every), len(line)-1)
	p := line[i]
	if p.Starting < 0 || p.Idle < 0 || p.Busy < 0 {
		return 0, false
	}
	here := float64(p.Starting + p.Idle + p.Busy)
	if i == 0 || p.Every <= 0 {
		return here, true
	}
	q := line[i-1]
	if q.Starting < 0 || q.Idle < 0 || q.Busy < 0 {
		return 0, false
	}
	before := float64(q.Starting + q.Idle + q.Busy)
	share := float64(at-p.At) / float64(p.Every)
	return before + share*(here-before), true
}
