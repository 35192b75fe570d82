package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/results"
)

// lagRates are the offered rates at which sends are held against the schedule.
var lagRates = []float64{100, 1000, 5000, 10000}

// benchLag measures the schedule lag at several rates, coldstorm and stock
// vegeta in turn, against a server that answers at once. The server shares the
// cores, as any local endpoint does.
func benchLag(ctx context.Context, rounds int) (benchTable, error) {
	var t benchTable
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return t, err
	}
	served := make(chan error, 1)
	go func() { served <- drive.ServeNull(l) }()
	defer func() { l.Close(); <-served }()
	url := "http://" + l.Addr().String() + "/"
	for _, rate := range lagRates {
		ours, stock, err := lagAt(ctx, url, rate, max(3, rounds/20))
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, ours, stock)
	}
	t.Notes = []string{
		"each row is the median of its rounds, all of which are printed as p99; p50 and p99 are of one round's sends",
		"the ratio in this table is to the first row; compare the two rows of one rate",
	}
	return t, nil
}

func lagAt(ctx context.Context, url string, rate float64, rounds int) (ours, stock benchRow, err error) {
	n := max(200, int(rate*1.5))
	var a, b []results.Quantiles
	for range rounds {
		qa, qb, err := drive.BenchLag(ctx, url, rate, n)
		if err != nil {
			return ours, stock, err
		}
		a, b = append(a, qa), append(b, qb)
	}
	return lagRow(fmt.Sprintf("coldstorm at %s/s", thousands(int(rate))), a), lagRow(fmt.Sprintf("stock vegeta at %s/s", thousands(int(rate))), b), nil
}

// lagRow is the round with the median p99.
func lagRow(name string, rounds []results.Quantiles) benchRow {
	row := benchRow{Contender: name}
	for _, q := range rounds {
		row.Rounds = append(row.Rounds, q.P99)
	}
	mid := medianBy(rounds, func(q results.Quantiles) time.Duration { return q.P99 })
	row.Time = &mid
	return row
}
