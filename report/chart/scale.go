package chart

import (
	"math"
	"strconv"
	"time"

	"coldstorm/report/chart/figure"
)

// scale places values along an axis: 0 at its start, 1 at its end. What lies
// beyond, is not a number, or has no place on the scale (zero on a log scale)
// is held at the nearer end.
type scale interface {
	at(v float64) float64
	ticks() []tick
}

// tick is a mark on an axis. Where not all labels have room, those that are
// minor go first.
type tick struct {
	v     float64
	label string
	minor bool
}

// hold keeps x between 0 and 1; NaN is 0.
func hold(x float64) float64 {
	if !(x > 0) {
		return 0
	}
	return math.Min(x, 1)
}

// finite tells whether v is a number that can be drawn.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// linear runs from 0 to hi.
type linear struct {
	hi     float64
	least  float64 // between two ticks; 1 for counts
	format func(float64) string
}

// newLinear returns a scale from 0 to the largest of vs, rounded up to a tick.
func newLinear(format func(float64) string, vs ...float64) linear {
	hi := 0.0
	for _, v := range vs {
		if finite(v) {
			hi = math.Max(hi, math.Min(v, 1e30))
		}
	}
	if hi < 1e-12 {
		hi = 1
	}
	s := linear{hi: hi, format: format}
	step := s.step()
	s.hi = math.Ceil(hi/step-1e-9) * step
	return s
}

// newWhole is newLinear for counts: no tick stands between two whole numbers.
func newWhole(vs ...float64) linear {
	s := newLinear(countTick, vs...)
	s.least = 1
	s.hi = math.Ceil(s.hi)
	return s
}

// step is the distance between two ticks.
func (s linear) step() float64 { return math.Max(niceStep(s.hi, 4), s.least) }

// until returns a scale from 0 to exactly hi, for an axis that ends where its
// data does.
func until(format func(float64) string, hi float64) linear {
	if !finite(hi) || hi < 1e-12 {
		hi = 1
	}
	return linear{hi: math.Min(hi, 1e30), format: format}
}

// niceStep divides hi into about n steps of 1, 2 or 5 times a power of ten.
func niceStep(hi float64, n int) float64 {
	raw := hi / float64(n)
	decade := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*decade >= raw*0.999 {
			return m * decade
		}
	}
	return 10 * decade
}

func (s linear) at(v float64) float64 { return hold(v / s.hi) }

func (s linear) ticks() []tick {
	step := s.step()
	var out []tick
	for i := 0; float64(i)*step <= s.hi*1.0001 && i < 20; i++ {
		v := float64(i) * step
		out = append(out, tick{v: v, label: s.format(v)})
	}
	return out
}

// logarithmic runs from lo to hi, both above zero.
type logarithmic struct {
	lo, hi float64
	base   float64 // 10, or 2 with a tick at each power
	format func(float64) string
}

// newLog returns a scale over those of vs that are above zero, rounded out to
// 1, 2 or 5 times a power of ten so that at least two ticks are labelled.
func newLog(format func(float64) string, vs ...float64) logarithmic {
	lo, hi := positiveRange(vs)
	s := logarithmic{lo: down125(lo), hi: up125(hi), base: 10, format: format}
	if s.hi/s.lo < 1.5 {
		s.lo, s.hi = down125(s.lo*0.9), up125(s.hi*1.1)
	}
	return s
}

// closeLog is newLog with little room beyond the data, as long as two ticks
// that are labelled remain.
func closeLog(format func(float64) string, vs ...float64) logarithmic {
	s := newLog(format, vs...)
	lo, hi := positiveRange(vs)
	near := s
	near.lo, near.hi = math.Max(s.lo, lo/1.15), math.Min(s.hi, hi*1.15)
	if len(near.ticks()) < 2 {
		return s
	}
	return near
}

// exactLog is newLog without the rounding, for an axis that ends where its
// data does; under a decade it rounds.
func exactLog(format func(float64) string, vs ...float64) logarithmic {
	lo, hi := positiveRange(vs)
	if hi/lo < 10 {
		return newLog(format, vs...)
	}
	return logarithmic{lo: lo, hi: hi, base: 10, format: format}
}

// newLog2 is newLog with powers of two, for sizes that double.
func newLog2(format func(float64) string, vs ...float64) logarithmic {
	lo, hi := positiveRange(vs)
	lo, hi = math.Exp2(math.Floor(math.Log2(lo))), math.Exp2(math.Ceil(math.Log2(hi)))
	if hi <= lo {
		hi = 2 * lo
	}
	return logarithmic{lo: lo, hi: hi, base: 2, format: format}
}

// positiveRange returns the range of what can be drawn on a log scale, kept
// within 1e-12..1e30, and 1..10 if there is nothing.
func positiveRange(vs []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), 0
	for _, v := range vs {
		if finite(v) && v > 0 {
			v = math.Min(math.Max(v, 1e-12), 1e30)
			lo, hi = math.Min(lo, v), math.Max(hi, v)
		}
	}
	if hi == 0 {
		return 1, 10
	}
	return lo, hi
}

func (s logarithmic) at(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return hold(math.Log(v/s.lo) / math.Log(s.hi/s.lo))
}

func (s logarithmic) ticks() []tick {
	if s.base == 2 {
		var out []tick
		for v := s.lo; v <= s.hi*1.001 && len(out) < 64; v *= 2 {
			out = append(out, tick{v: v, label: s.format(v)})
		}
		return out
	}
	decades := math.Log10(s.hi / s.lo)
	marks := []float64{1}
	if decades <= 2.2 {
		marks = []float64{1, 2, 5}
	}
	if decades <= 0.6 {
		marks = []float64{1, 1.5, 2, 3, 5, 7}
	}
	every := max(1, int(math.Ceil(decades/7)))
	var out []tick
	first := int(math.Floor(math.Log10(s.lo)))
	for e := first; float64(e) <= math.Log10(s.hi)+0.01; e += every {
		for _, m := range marks {
			v := m * math.Pow(10, float64(e))
			if v >= s.lo*0.999 && v <= s.hi*1.001 {
				out = append(out, tick{v, s.format(v), m != 1})
			}
		}
	}
	return out
}

func down125(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{5, 2, 1} {
		if m*decade <= v*1.001 {
			return m * decade
		}
	}
	return decade
}

func up125(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*decade >= v*0.999 {
			return m * decade
		}
	}
	return 10 * decade
}

// tail is the axis of a percentile curve: 1/(1-q) on a log scale, so that each
// nine takes the same room. It runs from q = 0 to the quantile hi.
type tail struct{ hi float64 }

func nines(q float64) float64 {
	if !(q > 0) {
		return 0
	}
	return -math.Log10(1 - math.Min(q, 1-1e-12))
}

func (s tail) at(q float64) float64 { return hold(nines(q) / math.Max(nines(s.hi), 0.5)) }

func (s tail) ticks() []tick {
	out := []tick{{label: "p0"}, {v: 0.5, label: "p50"}}
	for k := 1; k <= 9; k++ {
		q := 1 - math.Pow(10, -float64(k))
		if q > s.hi+1e-12 {
			break
		}
		out = append(out, tick{v: q, label: "p" + strconv.FormatFloat(q*100, 'f', max(0, k-2), 64)})
	}
	return out
}

// The labels of ticks: round values without needless zeros.

func durationTick(ns float64) string {
	if !finite(ns) || ns < 0 || ns > math.MaxInt64/2 {
		return figure.Absent
	}
	return figure.Plain(time.Duration(math.Round(ns)))
}

func countTick(v float64) string {
	switch {
	case v >= 0.9999e9:
		return trim(v/1e9) + "G"
	case v >= 0.9999e6:
		return trim(v/1e6) + "M"
	case v >= 0.9999e4:
		return trim(v/1e3) + "k"
	case v >= 1000 && v == math.Trunc(v):
		return figure.Number(v)
	}
	return trim(v)
}

func usdTick(v float64) string  { return "$" + countTick(v) }
func rateTick(v float64) string { return countTick(v) + "/s" }

func trim(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
