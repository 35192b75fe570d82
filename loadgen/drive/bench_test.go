package drive_test

import (
	"fmt"
	"testing"

	"coldstorm/loadgen/drive"
)

// BenchmarkLag prints the schedule lag of a second at each rate, beside that
// of vegeta as it comes.
func BenchmarkLag(b *testing.B) {
	for _, rate := range []int{100, 1000, 5000, 10000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			for b.Loop() {
				ours, stock, err := drive.BenchLag(b.Context(), "", float64(rate), 2*rate)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(ours.P50.Nanoseconds())/1e3, "p50-µs")
				b.ReportMetric(float64(ours.P99.Nanoseconds())/1e3, "p99-µs")
				b.ReportMetric(float64(stock.P50.Nanoseconds())/1e3, "stock-p50-µs")
				b.ReportMetric(float64(stock.P99.Nanoseconds())/1e3, "stock-p99-µs")
			}
		})
	}
}
