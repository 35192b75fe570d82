package drive

import (
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// StockQuantiles returns what vegeta's own reports say of latencies: the quantiles
// qs by its t-digest.
func StockQuantiles(latencies []time.Duration, qs []float64) []time.Duration {
	var m vegeta.LatencyMetrics
	for _, d := range latencies {
		m.Add(d)
	}
	var out []time.Duration
	for _, q := range qs {
		out = append(out, m.Quantile(q))
	}
	return out
}
