package sim

import (
	"testing"
	"time"

	"coldstorm/runtime/plane"
	"coldstorm/workloads"
)

// BenchmarkLambda runs 1,000 busy environments: 10,000 triggers a second that
// take 100 ms on average. An operation is an invocation.
func BenchmarkLambda(b *testing.B) {
	p := plane.NewLambda(plane.LambdaRules{
		KeepAlive: 10 * time.Minute, Concurrency: 1200, Warm: 1200, RequestRate: -1,
	})
	m := theory(p, exponential("warm", 100*ms), exponential("cold", 200*ms), 1, 0)
	b.ReportAllocs()
	b.ResetTimer()
	if err := m.run(stream(10_000, b.N), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
}

// BenchmarkRun is a whole projection: 200,000 triggers at 10,000 a second on
// Lambda, with histograms, usage and timeline. An operation is an invocation.
func BenchmarkRun(b *testing.B) {
	c := sample(workloads.ModelLambda)
	c.Function.Concurrency, c.Warm = 2000, 1000
	for i := range 200_000 {
		c.Arrivals = append(c.Arrivals, time.Duration(i)*100*time.Microsecond)
	}
	b.ResetTimer()
	n := 0
	for ; n < b.N; n += len(c.Arrivals) {
		if _, err := Run(c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "invocations/s")
}

// BenchmarkFleet is the same for 143 Fargate tasks.
func BenchmarkFleet(b *testing.B) {
	c := sample(workloads.ModelECSFargate)
	c.Steady = 2000
	for i := range 200_000 {
		c.Arrivals = append(c.Arrivals, time.Duration(i)*500*time.Microsecond)
	}
	b.ResetTimer()
	n := 0
	for ; n < b.N; n += len(c.Arrivals) {
		if _, err := Run(c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "invocations/s")
}

// BenchmarkTrace is a trace of 1,000 functions, whose rates span four decades. An
// operation is an invocation.
func BenchmarkTrace(b *testing.B) {
	c := lives(1000, 24*time.Hour)
	b.ResetTimer()
	n := 0
	for n < b.N {
		o, err := Trace(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		n += o.Counts.Offered
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "invocations/s")
}
