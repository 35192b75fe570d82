package stats

import (
	"cmp"
	"math"
	"slices"
)

// Holm returns the p values, in their order, adjusted for being several: one
// that is below α after it is a finding at a family-wise error of α. A NaN
// counts as 1.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	out := make([]float64, len(p))
	for i, v := range p {
		order[i], out[i] = i, min(max(v, 0), 1)
		if math.IsNaN(v) {
			out[i] = 1
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(out[a], out[b]) })
	worst := 0.0 // adjusted values never fall
	for k, i := range order {
		worst = max(worst, min(1, out[i]*float64(len(p)-k)))
		out[i] = worst
	}
	return out
}
