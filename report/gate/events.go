package gate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// Storms that came by an event source are judged as those of requests, from the intended
// send to done, with these differences.
//
// The events of a batch share an invocation: it is the sample, not they. As many
// invocations as other storms take samples have to be there, and none is cut in two by the
// blocks that are resampled.
//
// Each part of the way (results.WayNames) has a row for its median, cold and warm apart.
// Its effect is what the part did to the whole: its change over base's median of the whole
// way. What is a tenth of the way so has to grow by a half before it matters by 5 %, and a
// part that takes next to no time raises no alarm.
//
// Of errors, an event counts that was lost, given up, or handed to the function more than
// once.

// wayMetrics are those that each part of the way has a row of. The tails of parts are of
// different events and say little of the whole's.
var wayMetrics = []Metric{ColdP50, WarmP50}

// invocation names what events share.
type invocation struct {
	environment string
	served      int
}

// invocations are the samples of a storm that started alike, in the order of the schedule
// by the first of each, those of an invocation together. What tells no environment, and
// what is no event, is alone.
func invocations(samples []results.Sample) [][]results.Sample {
	at := map[invocation]int{}
	var all [][]results.Sample
	for _, s := range samples {
		one := invocation{s.Environment, s.Served}
		i, met := at[one]
		if s.Way == (results.Way{}) || s.Environment == "" || !met {
			i, all = len(all), append(all, nil)
		}
		if s.Way != (results.Way{}) {
			at[one] = i
		}
		all[i] = append(all[i], s)
	}
	return all
}

// sourced reports whether a storm came by an event source in either run.
func (c comparison) sourced(name string) bool {
	return slices.ContainsFunc([]arm{c.base, c.head}, func(a arm) bool {
		s := a.series[name]
		return s != nil && s.Trigger != ""
	})
}

// sources says whether a storm came by different ones.
func (c comparison) sources(name string) []string {
	b, h := c.base.series[name], c.head.series[name]
	if b == nil || h == nil {
		return nil
	}
	return differ("event source", cmp.Or(b.Trigger, "none"), cmp.Or(h.Trigger, "none"))
}

// ways returns the rows of the parts of the way, of the storms in which either run has
// enough samples.
func (c comparison) ways(m Metric) (rows []Row) {
	if !slices.Contains(wayMetrics, m) {
		return nil
	}
	for _, name := range c.chosen(m) {
		if name == "" || !c.sourced(name) || !c.known(name, standards[m].start) {
			continue
		}
		for part := range results.WayNames {
			rows = append(rows, c.way(m, name, part))
		}
	}
	return rows
}

// known reports whether both runs tell the way of a storm's events: older ones don't.
func (c comparison) known(name string, start results.Start) bool {
	k := key{name, start}
	for _, a := range []arm{c.base, c.head} {
		if !slices.ContainsFunc(a.samples[k], func(s results.Sample) bool { return s.WaySpans() != nil }) {
			return false
		}
	}
	return true
}

// untold lists the storms of events of which a run tells no way.
func (c comparison) untold() (names []string) {
	for _, name := range c.names() {
		if c.sourced(name) && !c.known(name, results.StartWarm) && !c.known(name, results.StartCold) {
			names = append(names, name)
		}
	}
	return names
}

// way is the row of a part.
func (c comparison) way(m Metric, name string, part int) Row {
	std := standards[m]
	base, head := c.pick(name, std.start, func(s results.Sample) (time.Duration, bool) {
		spans := s.WaySpans()
		if spans == nil {
			return 0, false
		}
		return spans[part], true
	})
	row := Row{
		Metric: m, Series: name, Part: results.WayNames[part], Unit: Nanoseconds, Limit: c.limits.effect(m),
		BaseN: len(base), HeadN: len(head),
	}
	row.barriers = append(c.few(m, row), c.storm(name)...)
	whole, _ := c.pick(name, std.start, latency)
	median := quantile(whole, std.quantile)
	if median <= 0 || len(base) == 0 || len(head) == 0 {
		return row
	}
	row.barriers = append(row.barriers, c.lag(name, median)...)
	// The rest of base's way is added to both arms: the ratio is then that of the whole,
	// had nothing but this part changed.
	rest := median - quantile(base, std.quantile)
	c.compare(&row, shifted(base, rest), shifted(head, rest))
	row.Base, row.Head = row.Base-float64(rest), row.Head-float64(rest)
	return row
}

func shifted(groups [][]time.Duration, by time.Duration) [][]time.Duration {
	all := make([][]time.Duration, len(groups))
	for i, g := range groups {
		for _, d := range g {
			all[i] = append(all[i], d+by)
		}
	}
	return all
}

func quantile(groups [][]time.Duration, q float64) time.Duration {
	return stats.Quantile(slices.Sorted(slices.Values(slices.Concat(groups...))), q)
}

// kind is what a storm's samples are.
func (c comparison) kind(name string, start results.Start) string {
	if name != "" && c.sourced(name) {
		return fmt.Sprintf("%s invocation", start)
	}
	return fmt.Sprintf("%s sample", start)
}
