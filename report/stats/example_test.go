package stats_test

import (
	"fmt"
	"time"

	"coldstorm/report/stats"
)

func ExampleSummarise() {
	var samples []time.Duration
	for i := range 200 {
		samples = append(samples, time.Duration(i+1)*time.Millisecond)
	}
	q := stats.Summarise(samples)
	fmt.Println(q.P50, "between", q.P50Low, "and", q.P50High)
	fmt.Println(q.P90, q.P99, "thin:", q.Thin)
	// Output:
	// 100ms between 86ms and 115ms
	// 180ms 198ms thin: true
}

func ExampleCompareRounds() {
	var rounds []stats.Round
	for i := range 20 {
		d := time.Duration(100+i%7) * time.Millisecond // drift that both share
		rounds = append(rounds, stats.Round{
			Base: []time.Duration{d}, Head: []time.Duration{d * 5 / 4},
		})
	}
	r := stats.CompareRounds(rounds, 0.5, stats.Resampling{Seed: 1})
	fmt.Printf("%.2f times base, p = %.4f\n", r.Ratio, r.P.Slower)
	// Output:
	// 1.25 times base, p = 0.0001
}
