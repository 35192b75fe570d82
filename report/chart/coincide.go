package chart

import (
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
)

// alike is how far apart, as a share, two curves may be and still be drawn on
// top of each other by the width of a line.
const alike = 0.01

// coincides tells whether two curves can't be told apart in a drawing.
func (p percentiles) coincides(with percentiles) bool {
	if len(p.points) != len(with.points) || len(p.points) == 0 {
		return false
	}
	for i, a := range p.points {
		b := with.points[i]
		if a.Q != b.Q || math.Abs(float64(a.Value)/float64(b.Value)-1) > alike {
			return false
		}
	}
	return true
}

// groups returns the curves that coincide with the first of their group, as
// indices, in order.
func groups(curves []percentiles) [][]int {
	var out [][]int
next:
	for i, p := range curves {
		for g, members := range out {
			if curves[members[0]].coincides(p) {
				out[g] = append(members, i)
				continue next
			}
		}
		out = append(out, []int{i})
	}
	return out
}

// striped returns the curves with those that coincide drawn in turns along
// their line, so that none hides another.
func striped(curves []percentiles) []percentiles {
	const stripe = vg.Length(9)
	out := slices.Clone(curves)
	for _, members := range groups(curves) {
		if len(members) < 2 {
			continue
		}
		k := vg.Length(len(members))
		for turn, i := range members {
			out[i].style.Dashes = []vg.Length{stripe, stripe * (k - 1)}
			out[i].style.DashOffs = stripe * (k - vg.Length(turn))
		}
	}
	return out
}

// coinciding names the curves of each group that coincide; "" if none do.
func coinciding(curves []percentiles) string {
	var parts []string
	for _, members := range groups(curves) {
		if len(members) < 2 {
			continue
		}
		var names []string
		for _, i := range members {
			names = append(names, curves[i].label)
		}
		parts = append(parts, strings.Join(names, ", "))
	}
	return strings.Join(parts, "; ")
}
