package gate

import (
	"fmt"
	"math"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// costModel is the model whose cost is gated: the one in which a slower
// function costs more with no step and no scaler in between.
const costModel = "lambda"

// cost returns the row of what a million requests cost. The cost follows from
// recorded durations without chance, so it inherits their interval: that of the
// mean billed duration of warm starts, taken whole, although the price of the
// requests themselves has none. There is no test; the interval decides.
func (c comparison) cost() Row {
	row := Row{Metric: Cost, Unit: USD, Limit: c.limits.effect(Cost)}
	var steady [2]results.Steady
	for i, a := range []arm{c.base, c.head} {
		p, ok := projection(a.Run, costModel)
		if !ok || !(p.Steady.PerMillion > 0) || math.IsInf(float64(p.Steady.PerMillion), 0) {
			row.barriers = append(row.barriers, a.name+" has no projected cost on "+costModel)
			continue
		}
		row.barriers = append(row.barriers, spoilt(a, costModel)...)
		steady[i] = p.Steady
	}
	row.Base, row.Head = float64(steady[0].PerMillion), float64(steady[1].PerMillion)
	if row.Base == 0 || row.Head == 0 {
		return row
	}
	row.Effect = row.Head/row.Base - 1
	row.barriers = append(row.barriers, differ("steady rate", steady[0].Rate, steady[1].Rate)...)
	row.barriers = append(row.barriers, differ("price book", c.base.Run.PriceBook.Digest, c.head.Run.PriceBook.Digest)...)
	if math.Abs(throttled(steady[1].Counts)-throttled(steady[0].Counts)) > throttleLimit {
		row.barriers = append(row.barriers, "one of them throttles at the steady rate")
	}
	c.billed(&row)
	return row
}

// billed gives a row of cost the interval of the billed durations.
func (c comparison) billed(row *Row) {
	name := c.chosen(Cost)[0]
	base, head := c.pick(name, standards[Cost].start, func(s results.Sample) (time.Duration, bool) { return s.Billed, true })
	row.BaseN, row.HeadN = len(base), len(head)
	row.barriers = append(row.barriers, c.few(Cost, *row)...)
	if name != "" {
		row.barriers = append(row.barriers, c.storm(name)...)
	}
	b, h := blocks(base), blocks(head)
	point := meanRatio(b, h, nil)
	if !(point > 0) || math.IsInf(point, 0) {
		row.barriers = append(row.barriers, "no billed durations were recorded")
		return
	}
	i := stats.Bootstrap2(len(b), len(h), func(times []int) float64 {
		return meanRatio(b, h, times)
	}, withLevel(c.resampling(Cost, name), 1-2*c.limits.alpha()))
	if !i.Known() {
		row.barriers = append(row.barriers, fmt.Sprintf("fewer than %d blocks of billed durations", stats.MinUnits))
		return
	}
	scale := row.Head / row.Base / point
	row.Interval = &Interval{Low: i.Low*scale - 1, High: i.High*scale - 1, Level: i.Level}
}

func withLevel(r stats.Resampling, level float64) stats.Resampling {
	r.Level = level
	return r
}

// meanRatio returns the mean of head's blocks over that of base's, each taken
// so many times; nil: once.
func meanRatio(base, head [][]time.Duration, times []int) float64 {
	mean := func(blocks [][]time.Duration, offset int) float64 {
		sum, n := 0.0, 0
		for i, block := range blocks {
			k := 1
			if times != nil {
				k = times[offset+i]
			}
			for _, d := range block {
				sum += float64(k) * float64(d)
			}
			n += k * len(block)
		}
		return sum / float64(n)
	}
	return mean(head, len(base)) / mean(base, 0)
}
