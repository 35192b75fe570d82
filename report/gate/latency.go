package gate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// latencies returns the rows of a latency metric, a storm each.
func (c comparison) latencies(m Metric) []Row {
	var rows []Row
	for _, name := range c.chosen(m) {
		rows = append(rows, c.latency(m, name))
	}
	return rows
}

func (c comparison) latency(m Metric, name string) Row {
	std := standards[m]
	base, head := c.pick(name, std.start, latency)
	row := Row{
		Metric: m, Series: name, Unit: Nanoseconds, Limit: c.limits.effect(m),
		BaseN: len(base), HeadN: len(head),
	}
	row.barriers = c.few(m, row)
	if name != "" {
		row.barriers = append(row.barriers, c.storm(name)...)
	}
	if len(base) == 0 || len(head) == 0 { // the one that is there is shown all the same
		row.Base, row.Head = float64(quantile(base, std.quantile)), float64(quantile(head, std.quantile))
		return row
	}
	row.barriers = append(row.barriers, c.lag(name, quantile(base, 0.5))...)
	c.compare(&row, base, head)
	return row
}

// compare fills in the figures of a row.
func (c comparison) compare(row *Row, base, head [][]time.Duration) {
	q := standards[row.Metric].quantile
	b, h, resampling := blocks(base), blocks(head), c.resampling(row.Metric, row.Series+row.Part)
	ratio := stats.CompareBlocks(b, h, q, resampling)
	if resampling.Repeats == 0 && math.Abs(ratio.Interval.High-1-row.Limit) < row.Limit/10 {
		// Close to the limit the end decides, and has to stand firm.
		resampling.Repeats = 10_000
		ratio.Interval = stats.CompareBlocks(b, h, q, resampling).Interval
	}
	row.Base, row.Head, row.Effect = float64(ratio.Base), float64(ratio.Head), ratio.Ratio-1
	row.Interval = effectInterval(ratio.Interval)
	row.P = &ratio.P.Slower
}

// latency is what all storms are compared by.
func latency(s results.Sample) (time.Duration, bool) { return s.Latency(), true }

// pick returns a figure of the samples of a storm that started alike, in both runs, in the
// order of the schedule: those of events that share an invocation together, all others
// each alone. Samples without one are left out.
func (c comparison) pick(name string, start results.Start, of func(results.Sample) (time.Duration, bool)) (base, head [][]time.Duration) {
	groups := func(a arm) (all [][]time.Duration) {
		for _, shared := range invocations(a.samples[key{name, start}]) {
			var g []time.Duration
			for _, s := range shared {
				if d, ok := of(s); ok {
					g = append(g, d)
				}
			}
			if g != nil {
				all = append(all, g)
			}
		}
		return all
	}
	return groups(c.base), groups(c.head)
}

// few says whether a row lacks samples.
func (c comparison) few(m Metric, row Row) (out []string) {
	minimum, kind := c.limits.minimum(m), c.kind(row.Series, standards[m].start)
	for _, side := range []struct {
		a arm
		n int
	}{{c.base, row.BaseN}, {c.head, row.HeadN}} {
		switch {
		case side.n == 0:
			out = append(out, fmt.Sprintf("%s has no %s", side.a.name, kind))
		case side.n < minimum:
			out = append(out, fmt.Sprintf("%s has %d %ss of the %d that it takes", side.a.name, side.n, kind, minimum))
		}
	}
	return out
}

// blockCount is how many blocks an arm is cut into: fewer leave too little to
// resample, more treat neighbours as independent. On made-up runs with a drift
// of 5 % that lasts 100 samples, 20 blocks of 200 cold and 2,000 warm samples
// raised 4 % false alarms and 40 blocks 7 %; without drift both stay below 1 %.
const blockCount = 20

// blocks joins samples that belong together, in their order, to the units that are
// resampled.
func blocks(groups [][]time.Duration) [][]time.Duration {
	n := len(groups)
	k := min(n, blockCount)
	out := make([][]time.Duration, k)
	for i := range out {
		out[i] = slices.Concat(groups[i*n/k : (i+1)*n/k]...)
	}
	return out
}

// effectInterval turns an interval of a ratio into one of an effect.
func effectInterval(i stats.Interval) *Interval {
	if !i.Known() {
		return nil
	}
	return &Interval{Low: i.Low - 1, High: i.High - 1, Level: i.Level}
}
