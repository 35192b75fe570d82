package main

import (
	"context"
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
		"each row is its round with the median p99; the p99 of every round is printed",
		"the ratio is of the p99s, stock vegeta's to coldstorm's at the same rate",
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
	at := " at " + thousands(int(rate)) + "/s"
	ours, stock = lagRow("coldstorm"+at, a), lagRow("stock vegeta"+at, b)
	ours.Ratio, stock.Ratio = 1, float64(stock.Time.P99)/max(1, float64(ours.Time.P99))
	return ours, stock, nil
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
