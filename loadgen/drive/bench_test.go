package drive_test

import (
	"fmt"
	"testing"

	"coldstorm/loadgen/drive"
)

// BenchmarkLag prints the schedule lag of two seconds at each rate, beside that
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

// BenchmarkBurst prints the skew of a burst of 1,000, beside that of vegeta
// with as many workers and connections made before.
func BenchmarkBurst(b *testing.B) {
	for b.Loop() {
		ours, stock, err := drive.BenchBurst(b.Context(), "", 1000)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(ours.Microseconds()), "skew-µs")
		b.ReportMetric(float64(stock.Microseconds()), "stock-skew-µs")
	}
}

func TestBenchesSendEverything(t *testing.T) {
	ours, stock, err := drive.BenchLag(t.Context(), "", 500, 50)
	if err != nil || ours.N != 50 || stock.N != 50 {
		t.Errorf("lag of %d and %d triggers: %v", ours.N, stock.N, err)
	}
	a, b, err := drive.BenchBurst(t.Context(), "", 50)
	if err != nil || a <= 0 || b <= 0 {
		t.Errorf("skews %v and %v: %v", a, b, err)
	}
}
