package cost

import (
	"cmp"
	"math"
	"slices"

	"coldstorm/results"
)

// Curve is what a model costs at several request rates.
type Curve struct {
	Model  string
	Points []results.RatePoint
}

// BreakEven returns the request rates at which two of the models cost the same,
// by rate. Between two rates of a curve its cost is interpolated in the
// logarithms of both. A pair may cross more than once, where instances are
// added in steps; touching is not crossing.
//
// Nothing is said outside what was simulated, nor where a side does not meet
// the objective or throttles (RatePoint.Feasible): a model that can't carry the
// load has no price there to compare.
func BreakEven(curves []Curve) []results.BreakEven {
	var out []results.BreakEven
	for i, a := range curves {
		for _, b := range curves[i+1:] {
			out = append(out, crossings(a.Model, logs(a.Points), b.Model, logs(b.Points))...)
		}
	}
	slices.SortStableFunc(out, func(x, y results.BreakEven) int { return cmp.Compare(x.Rate, y.Rate) })
	return out
}

// knot is a point of a curve in logarithms.
type knot struct {
	x, y float64 // of rate and cost
	ok   bool    // it may be compared
}

// logs returns a curve's points by rate, each rate once. A point without a
// logarithm can't be compared.
func logs(points []results.RatePoint) []knot {
	var out []knot
	for _, p := range points {
		if !(p.Rate > 0) || math.IsInf(p.Rate, 0) {
			continue
		}
		y := math.Log(float64(p.Monthly))
		ok := p.Feasible && p.Monthly > 0 && !math.IsInf(y, 0)
		out = append(out, knot{math.Log(p.Rate), y, ok})
	}
	slices.SortStableFunc(out, func(a, b knot) int { return cmp.Compare(a.x, b.x) })
	return slices.CompactFunc(out, func(a, b knot) bool { return a.x == b.x })
}

// same is the difference of two costs, as a ratio less one, that is taken for
// none: what floating point leaves between two ways to the same figure.
const same = 1e-9

// crossings walks both curves over the union of their rates.
func crossings(nameA string, a []knot, nameB string, b []knot) []results.BreakEven {
	var xs []float64
	for _, k := range slices.Concat(a, b) {
		xs = append(xs, k.x)
	}
	slices.Sort(xs)
	xs = slices.Compact(xs)

	var out []results.BreakEven
	var last knot      // the last x at which they differed; y is a-b
	var even []float64 // rates since then at which they cost the same
	for _, x := range xs {
		ya, okA := at(a, x)
		yb, okB := at(b, x)
		d := knot{x, ya - yb, okA && okB}
		switch {
		case !d.ok:
			last, even = knot{}, nil
		case math.Abs(d.y) < same:
			even = append(even, x)
		case last.ok && (d.y > 0) != (last.y > 0):
			cross := last.x + (d.x-last.x)*last.y/(last.y-d.y)
			if len(even) > 0 {
				cross = even[0]
			}
			y, _ := at(a, cross)
			e := results.BreakEven{A: nameA, B: nameB, Rate: math.Exp(cross), Monthly: results.USD(math.Exp(y))}
			if last.y > 0 { // a was the dearer one below
				e.A, e.B = nameB, nameA
			}
			out, last, even = append(out, e), d, nil
		default:
			last, even = d, nil
		}
	}
	return out
}

// at interpolates a curve; ok is false outside it and beside a point that can't
// be compared.
func at(curve []knot, x float64) (y float64, ok bool) {
	i, exact := slices.BinarySearchFunc(curve, x, func(k knot, x float64) int { return cmp.Compare(k.x, x) })
	if exact {
		return curve[i].y, curve[i].ok
	}
	if i == 0 || i == len(curve) || !curve[i-1].ok || !curve[i].ok {
		return 0, false
	}
	l, r := curve[i-1], curve[i]
	return l.y + (r.y-l.y)*(x-l.x)/(r.x-l.x), true
}
