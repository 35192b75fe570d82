package chart

import (
	"math"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
)

func labels(s scale) string {
	var out []string
	for _, t := range s.ticks() {
		out = append(out, t.label)
	}
	return strings.Join(out, " | ")
}

func TestTicks(t *testing.T) {
	ms := float64(time.Millisecond)
	for _, c := range []struct {
		rule string
		s    scale
		want string
	}{
		{"a log axis has 1, 2 and 5 and ends on them", newLog(durationTick, 12*ms, 180*ms), "10 ms | 20 ms | 50 ms | 100 ms | 200 ms"},
		{"over more than two decades it has decades", newLog(durationTick, 0.12*ms, 1800*ms), "100 µs | 1 ms | 10 ms | 100 ms | 1 s"},
		{"below one too", newLog(usdTick, 0.012, 70), "$0.01 | $0.1 | $1 | $10 | $100"},
		{"a single value has two ticks about it", newLog(durationTick, ms), "500 µs | 1 ms | 2 ms"},
		{"zero and NaN aren't on it", newLog(durationTick, 0, math.NaN(), -5, 3*ms, 40*ms), "2 ms | 5 ms | 10 ms | 20 ms | 50 ms"},
		{"nothing is still an axis", newLog(countTick), "1 | 2 | 5 | 10"},
		{"sizes double", newLog2(countTick, 3, 17), "2 | 4 | 8 | 16 | 32"},
		{"a linear axis starts at zero", newLinear(durationTick, 17*ms), "0 | 5 ms | 10 ms | 15 ms | 20 ms"},
		{"counts have whole ticks", newWhole(1), "0 | 1"},
		{"the tail ends with its last nine", tail{0.9991}, "p0 | p50 | p90 | p99 | p99.9"},
		{"large counts are short", newLinear(countTick, 2.5e6), "0 | 1M | 2M | 3M"},
	} {
		if got := labels(c.s); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}

func TestScalesHoldEveryValue(t *testing.T) {
	values := []float64{0, -1, 1, 0.5, 1e-300, 1e300, math.NaN(), math.Inf(1), math.Inf(-1)}
	for _, a := range values {
		for _, b := range values {
			for _, s := range []scale{
				newLog(countTick, a, b), exactLog(countTick, a, b), newLog2(countTick, a, b), newLinear(countTick, a, b),
				newWhole(a, b), until(countTick, a),
				tail{a},
				percentError{1},
				newRatio(nil),
			} {
				for _, v := range values {
					if x := s.at(v); !(x >= 0 && x <= 1) {
						t.Errorf("%#v of %v, %v puts %v at %v", s, a, b, v, x)
					}
				}
			}
		}
	}
}

func TestSpreadKeepsLabelsApart(t *testing.T) {
	for _, c := range []struct {
		rule   string
		wanted []vg.Length
		want   []vg.Length
	}{
		{"those with room stay", []vg.Length{10, 50}, []vg.Length{10, 50}},
		{"equals part", []vg.Length{20, 20}, []vg.Length{20, 30}},
		{"the order is kept", []vg.Length{25, 20}, []vg.Length{30, 20}},
		{"the top holds", []vg.Length{99, 100}, []vg.Length{90, 100}},
		{"nothing is nothing", nil, nil},
	} {
		got := spread(c.wanted, 10, 0, 100)
		if len(got) != len(c.want) {
			t.Fatalf("%s: %v", c.rule, got)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.rule, got, c.want)
			}
		}
	}
}

func TestLabelsFindAFreePlace(t *testing.T) {
	pl := &placer{bounds: rect(0, 0, 200, 100)}
	var taken []vg.Rectangle
	for range 6 { // all want the same place
		r, _ := pl.around(vg.Point{X: 100, Y: 50}, 40, 10, 6)
		for _, o := range taken {
			if min(r.Max.X, o.Max.X) > max(r.Min.X, o.Min.X) && min(r.Max.Y, o.Max.Y) > max(r.Min.Y, o.Min.Y) {
				t.Errorf("%v lies over %v", r, o)
			}
		}
		if r.Min.X < 0 || r.Min.Y < 0 || r.Max.X > 200 || r.Max.Y > 100 {
			t.Errorf("%v is out of bounds", r)
		}
		taken = append(taken, r)
	}
}
