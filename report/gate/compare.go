package gate

import (
	"cmp"
	"hash/fnv"
	"slices"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// Arm is one side of a comparison.
type Arm struct {
	Run     results.Run
	Samples []results.Sample
	// Manifest is what the run's folder says of its payloads. With the zero
	// value payloads are not compared, and the report warns of it.
	Manifest results.Manifest
}

// Compare holds head against base.
func Compare(base, head Arm, limits Limits) Report {
	c := newComparison(base, head, limits)
	r := Report{
		Schema: Schema, Base: base.Run.ID, Head: head.Run.ID,
		Advisory: true, Alpha: limits.alpha(), Rows: []Row{},
	}
	if r.Reasons = c.faults(); len(r.Reasons) > 0 {
		r.Verdict = Invalid
		return r
	}
	r.Reasons, r.Warnings = c.barriers(), c.warnings()
	for _, m := range Metrics {
		if limits.off(m) {
			continue
		}
		switch m {
		case Errors:
			r.Rows = append(r.Rows, c.errors())
		case Cost:
			r.Rows = append(r.Rows, c.cost())
		default:
			r.Rows = append(r.Rows, c.latencies(m)...)
			r.Rows = append(r.Rows, c.ways(m)...)
		}
	}
	judge(r.Rows, r.Reasons, limits)
	r.Verdict = overall(r.Rows)
	sortWorstFirst(r.Rows)
	return r
}

// comparison is both arms with their samples by storm and start.
type comparison struct {
	base, head arm
	limits     Limits
	seed       int64
}

// arm is an Arm, looked up by storm.
type arm struct {
	Arm
	name    string // base or head
	series  map[string]*results.Series
	samples map[key][]results.Sample // served ones, in the order of the schedule
	count   map[string]int           // of all samples of a storm
	apart   map[key]int              // of samples: those that share nothing (see invocations)
	retried map[string]int           // events that were handed to the function more than once, and served
}

// key names the samples of one storm that started alike.
type key struct {
	series string
	start  results.Start
}

func newComparison(base, head Arm, limits Limits) comparison {
	c := comparison{base: index("base", base), head: index("head", head), limits: limits, seed: limits.Seed}
	if c.seed == 0 {
		h := fnv.New64a()
		for _, s := range base.Run.Series {
			h.Write([]byte(s.Name + "\x00" + s.Arrivals + "\x00"))
		}
		c.seed = int64(h.Sum64())
	}
	return c
}

func index(name string, a Arm) arm {
	out := arm{
		Arm: a, name: name,
		series: map[string]*results.Series{}, samples: map[key][]results.Sample{}, count: map[string]int{}, apart: map[key]int{}, retried: map[string]int{},
	}
	for i := range a.Run.Series {
		out.series[a.Run.Series[i].Name] = &a.Run.Series[i]
	}
	for _, s := range a.Samples {
		out.count[s.Series]++
		if s.Outcome == results.OutcomeServed && s.Way.Attempts > 1 {
			out.retried[s.Series]++
		}
		if s.Outcome == results.OutcomeServed && s.Latency() > 0 {
			k := key{s.Series, s.Start}
			out.samples[k] = append(out.samples[k], s)
		}
	}
	for k, set := range out.samples {
		slices.SortStableFunc(set, func(a, b results.Sample) int { return cmp.Compare(a.Seq, b.Seq) })
		out.apart[k] = len(invocations(set))
	}
	return out
}

// names lists the storms of both runs, base's first, each once.
func (c comparison) names() (out []string) {
	for _, run := range []results.Run{c.base.Run, c.head.Run} {
		for _, s := range run.Series {
			if !slices.Contains(out, s.Name) {
				out = append(out, s.Name)
			}
		}
	}
	return out
}

// chosen returns the storms in which either run has enough samples of a start,
// those with most first; if none has, the one that has most, or "" if there is
// no sample at all.
func (c comparison) chosen(m Metric) []string {
	start := standards[m].start
	samples := func(name string) (base, head int) {
		return c.base.apart[key{name, start}], c.head.apart[key{name, start}]
	}
	names := c.names()
	if m == Cost { // what an invocation was billed for is told of one of its events alone
		names = slices.DeleteFunc(names, c.sourced)
	}
	slices.SortStableFunc(names, func(x, y string) int {
		bx, hx := samples(x)
		by, hy := samples(y)
		return cmp.Compare(by+hy, bx+hx)
	})
	enough := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		b, h := samples(name)
		return max(b, h) < c.limits.minimum(m)
	})
	switch {
	case len(enough) > 0:
		return enough
	case len(names) > 0:
		if b, h := samples(names[0]); b+h > 0 {
			return names[:1]
		}
	}
	return []string{""}
}

// resampling returns the seed of one row.
func (c comparison) resampling(m Metric, series string) stats.Resampling {
	h := fnv.New64a()
	h.Write([]byte(string(m) + "\x00" + series))
	return stats.Resampling{Seed: c.seed ^ int64(h.Sum64()), Repeats: c.limits.Repeats}
}
