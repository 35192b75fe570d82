package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
)

// lagRates are the offered rates at which sends are held against the schedule, with
// the goals beside: coldstorm's share of stock vegeta's p99 lag, and of its processor
// time a trigger, 0 where there is none.
var lagRates = []struct {
	rate     float64
	lag, cpu float64
}{
	{100, 0.1, 0}, {1000, 0.1, 0}, {5000, 0.1, 1.3}, {10000, 0.1, 1.3}, {20000, 1.0 / 3, 1.0},
}

// lagFor is how long a rate is held in a round.
const lagFor = 1000 * time.Millisecond

// duel is two generators at the same storm, a run of each in every round.
type duel struct{ own, stock []drive.Bench }

// fight runs both in random order, as often as there are rounds.
func fight(rounds int, own, stock func() (drive.Bench, error)) (d duel, err error) {
	for range rounds {
		turns := []func() error{
			func() error { b, err := own(); d.own = append(d.own, b); return err },
			func() error { b, err := stock(); d.stock = append(d.stock, b); return err },
		}
		for _, i := range rand.Perm(len(turns)) {
			if err := turns[i](); err != nil {
				return d, err
			}
		}
	}
	return d, nil
}

// benchLag measures the schedule lag at several rates and of idle gaps, coldstorm and
// stock vegeta in turn, against a server that answers at once. The server is another
// process on the same cores, as any local endpoint is.
func benchLag(ctx context.Context, rounds int) (benchTable, error) {
	var t benchTable
	n, err := startNull(ctx)
	if err != nil {
		return t, err
	}
	defer n.end()
	to := drive.BenchTarget{URL: n.url}
	rounds = max(3, rounds/20)
	for _, l := range lagRates {
		count := max(200, int(l.rate*lagFor.Seconds()))
		d, err := fight(rounds, func() (drive.Bench, error) {
			return drive.BenchOwn(ctx, to, storm.Constant{Rate: l.rate, For: time.Duration(float64(count) / l.rate * 1e9)}, 0)
		}, func() (drive.Bench, error) { return drive.BenchVegeta(ctx, to, l.rate, count, 0, false) })
		if err != nil {
			return t, err
		}
		at := " at " + thousands(int(l.rate)) + "/s"
		t.Rows = append(t.Rows, lagRows(at, d)...)
		t.Goals = append(t.Goals, atMost("lag p99"+at+", of stock vegeta's", l.lag, shareOf(d, lagP99)))
		if l.cpu > 0 {
			t.Goals = append(t.Goals, atMost("processor time a trigger"+at+", of stock vegeta's", l.cpu, shareOf(d, cpuEach)))
		}
	}
	gaps := storm.Gap{N: 8, Gap: 250 * time.Millisecond}
	d, err := fight(rounds, func() (drive.Bench, error) { return drive.BenchOwn(ctx, to, gaps, 0) },
		func() (drive.Bench, error) { return drive.BenchVegeta(ctx, to, 4, gaps.N, 0, false) })
	if err != nil {
		return t, err
	}
	t.Rows = append(t.Rows, lagRows(" after idle gaps of 250 ms", d)...)
	t.Goals = append(t.Goals, atMost("lag p50 after idle gaps, of stock vegeta's", 0.01, shareOf(d, lagP50)))
	for _, peer := range []string{"wrk2", "k6"} {
		t.Missing = append(t.Missing, peer+": its sends are not stamped by a program that this bench could read; see the study of its arrivals")
	}
	t.Notes = []string{
		fmt.Sprintf("medians of %d rounds, in random order, %v each; lag p99 and processor time of every round are printed; a ratio is of medians", rounds, lagFor),
		"processor time is the generator's process alone; the endpoint is another process on the same cores",
	}
	return t, nil
}

func lagP50(b drive.Bench) float64  { return float64(b.Lag.P50) }
func lagP99(b drive.Bench) float64  { return float64(max(b.Lag.P99, b.Lag.P90)) }
func cpuEach(b drive.Bench) float64 { return float64(b.CPU) }
func skewOf(b drive.Bench) float64  { return float64(b.Skew) }

// medianOf is the median of a figure over rounds.
func medianOf(bs []drive.Bench, figure func(drive.Bench) float64) float64 {
	if len(bs) == 0 {
		return 0
	}
	return figure(medianBy(bs, figure))
}

// shareOf is coldstorm's median over vegeta's.
func shareOf(d duel, figure func(drive.Bench) float64) float64 {
	return medianOf(d.own, figure) / max(1, medianOf(d.stock, figure))
}

func lagRows(at string, d duel) []benchRow {
	return []benchRow{lagRow("coldstorm"+at, d.own), lagRow("stock vegeta"+at, d.stock)}
}

// lagRow is the medians of a contender, then each round.
func lagRow(name string, bs []drive.Bench) benchRow {
	row := benchRow{Contender: name, Figures: []benchFigure{
		{Name: "lag p50", Unit: unitNS, Value: medianOf(bs, lagP50)},
		{Name: "p99", Unit: unitNS, Value: medianOf(bs, lagP99)},
		{Name: "CPU each", Unit: unitNS, Value: medianOf(bs, cpuEach)},
		{Name: "errors", Value: medianOf(bs, func(b drive.Bench) float64 { return float64(b.Errors) })},
	}}
	for i, b := range bs {
		row.Figures = append(row.Figures,
			benchFigure{Name: fmt.Sprintf("p99 #%d", i+1), Unit: unitNS, Value: lagP99(b)},
			benchFigure{Name: fmt.Sprintf("CPU #%d", i+1), Unit: unitNS, Value: cpuEach(b)})
	}
	return row
}
