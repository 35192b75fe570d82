package gate

import (
	"math"
	"math/rand/v2"
	"time"

	"coldstorm/results"
)

// synthetic describes a made-up run: one storm, some of it cold.
type synthetic struct {
	seed       uint64
	cold, warm int
	failed     int
	factor     float64 // on all latencies; 0: 1
	// drift is the standard deviation of an AR(1) walk (0.99 a sample) that
	// multiplies latencies: neighbours resemble each other.
	drift float64
}

// arm makes the run: lognormal latencies around 120 ms cold and 8 ms warm,
// sigma 0.2, a fiftieth of them two to three times as long.
func (s synthetic) arm(id string) Arm {
	if s.factor == 0 {
		s.factor = 1
	}
	rng := rand.New(rand.NewPCG(s.seed, 42))
	n := s.cold + s.warm + s.failed
	walk := 0.0
	latency := func(median float64) time.Duration {
		walk = 0.99*walk + math.Sqrt(1-0.99*0.99)*s.drift*rng.NormFloat64()
		v := median * s.factor * math.Exp(0.2*rng.NormFloat64()+walk)
		if rng.Float64() < 0.02 {
			v *= 2 + rng.Float64()
		}
		return time.Duration(v * 1e6)
	}
	var samples []results.Sample
	var billed float64
	for i := range n {
		sample := results.Sample{
			Series: "steady", Seq: uint64(i), Outcome: results.OutcomeServed,
			Intended: results.Stamp(1e9 + i*1e6),
		}
		sample.Start = results.StartWarm
		median := 8.0
		switch {
		case i < s.cold:
			sample.Start, median = results.StartCold, 120
		case i >= s.cold+s.warm:
			sample.Start, sample.Outcome = results.StartUnknown, results.OutcomeFailed
		}
		d := latency(median)
		sample.Sent, sample.Done = sample.Intended, sample.Intended.Add(d)
		sample.Billed = d.Round(time.Millisecond) + time.Millisecond
		if sample.Start == results.StartWarm {
			billed += sample.Billed.Seconds() / float64(max(1, s.warm))
		}
		samples = append(samples, sample)
	}
	return Arm{
		Samples: samples,
		Run: results.Run{
			Schema: results.Schema, ID: id, Status: results.StatusComplete, Scenario: "made up",
			Function: results.Function{Name: "f", Digest: id, Architecture: "arm64", MemoryMB: 512},
			Host:     results.Host{Kernel: "6.1", CPU: "one", Cores: 2, Limits: true},
			Series: []results.Series{{
				Name: "steady", Arrivals: "abc",
				Counts: results.Counts{
					Offered: n, Served: s.cold + s.warm, Failed: s.failed, Cold: s.cold, Warm: s.warm,
				},
			}},
			Projections: []results.Projection{{
				Model: "lambda", Offered: true,
				Steady: results.Steady{Rate: 10, PerMillion: results.USD(0.2 + billed*0.5*13.3334)},
			}},
			PriceBook: results.PriceBookRef{Digest: "book"},
		},
		Manifest: results.Manifest{Payloads: map[string]string{"small": "aa"}},
	}
}

// full is a run that carries every metric.
func full(seed uint64) synthetic { return synthetic{seed: seed, cold: 200, warm: 2000} }

// quick keeps tests short; p still reaches 1/1,000.
var quick = Limits{Repeats: 999}

// find returns the row of a metric.
func find(r Report, m Metric) Row {
	for _, row := range r.Rows {
		if row.Metric == m {
			return row
		}
	}
	return Row{}
}
