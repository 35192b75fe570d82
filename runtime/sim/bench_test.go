package sim

import (
	"testing"
	"time"

	"coldstorm/runtime/plane"
)

// BenchmarkLambda runs 1,000 busy environments: 10,000 triggers a second that
// take 100 ms on average. An operation is an invocation.
func BenchmarkLambda(b *testing.B) {
	p := plane.NewLambda(plane.LambdaRules{
		KeepAlive: 10 * time.Minute, Concurrency: 1200, Warm: 1200, RequestRate: -1,
	})
	m := theory(p, exponential("warm", 100*ms), exponential("cold", 200*ms), 1, 0)
	m.triggers = make([]trigger, 0, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	if err := m.run(stream(10_000, b.N), 0); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invocations/s")
}
