package record

import (
	"coldstorm/report/stats"
	"coldstorm/results"
)

// modes lists the modes of a sandbox's start in the order in which reports show them.
var modes = []string{"cold", "pooled", "parked"}

// Breakdown splits the served cold starts of samples into parts, those of each mode by
// themselves. It is empty if none of them has moments.
func Breakdown(samples func(yield func(results.Sample) bool)) []results.Breakdown {
	type set struct {
		parts map[results.Part]*stats.Set
		total stats.Set
	}
	sets := map[string]*set{}
	for s := range samples {
		if !cold(&s) || s.Moments == (results.Moments{}) {
			continue
		}
		parts := s.Parts()
		if len(parts) == 0 {
			continue
		}
		of := sets[s.Mode]
		if of == nil {
			of = &set{parts: map[results.Part]*stats.Set{}}
			sets[s.Mode] = of
		}
		for _, p := range parts {
			if of.parts[p.Part] == nil {
				of.parts[p.Part] = &stats.Set{}
			}
			of.parts[p.Part].Add(p.Took)
		}
		of.total.Add(s.Total())
	}
	var out []results.Breakdown
	for _, mode := range modes {
		of := sets[mode]
		if of == nil {
			continue
		}
		b := results.Breakdown{Mode: mode, Total: of.total.Summarise()}
		for _, p := range results.PartNames {
			if of.parts[p] != nil {
				b.Parts = append(b.Parts, results.PartTime{Part: p, Time: of.parts[p].Summarise()})
			}
		}
		out = append(out, b)
	}
	return out
}
