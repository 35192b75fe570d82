package record

import (
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// modes lists the modes of a sandbox's start in the order in which reports show them.
var modes = []string{"cold", "pooled", "parked"}

// Breakdown splits the served cold starts of samples into parts, those of each mode by
// themselves. It is empty if none of them has moments.
func Breakdown(samples func(yield func(results.Sample) bool)) []results.Breakdown {
	type set struct {
		parts map[results.Part][]time.Duration
		total []time.Duration
	}
	sets := map[string]*set{}
	for s := range samples {
		parts := s.Parts()
		if !cold(s) || len(parts) == 0 {
			continue
		}
		of := sets[s.Mode]
		if of == nil {
			of = &set{parts: map[results.Part][]time.Duration{}}
			sets[s.Mode] = of
		}
		for _, p := range parts {
			of.parts[p.Part] = append(of.parts[p.Part], p.Took)
		}
		of.total = append(of.total, s.Total())
	}
	var out []results.Breakdown
	for _, mode := range modes {
		of := sets[mode]
		if of == nil {
			continue
		}
		b := results.Breakdown{Mode: mode, Total: stats.Summarise(of.total)}
		for _, p := range results.PartNames {
			if len(of.parts[p]) > 0 {
				b.Parts = append(b.Parts, results.PartTime{Part: p, Time: stats.Summarise(of.parts[p])})
			}
		}
		out = append(out, b)
	}
	return out
}
