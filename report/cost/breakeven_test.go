package cost

import (
	"math"
	"testing"

	"coldstorm/results"
)

// curve returns a feasible curve over rates.
func curve(model string, monthly func(rate float64) float64, rates ...float64) Curve {
	c := Curve{Model: model}
	for _, r := range rates {
		c.Points = append(c.Points, results.RatePoint{Rate: r, Monthly: results.USD(monthly(r)), Feasible: true})
	}
	return c
}

func flat(usd float64) func(float64) float64 { return func(float64) float64 { return usd } }

func linear(usd float64) func(float64) float64 { return func(r float64) float64 { return usd * r } }

// SeBS (Copik et al., Middleware '21), table 6: requests an hour at which AWS
// Lambda costs as much as a t2.micro at $0.0116 an hour, from the cost of 1M
// requests. The paper rounds its costs to cents.
func TestBreakEvenOfSeBS(t *testing.T) {
	for _, c := range []struct {
		name       string
		perMillion float64
		want       float64 // requests an hour: 0.0116 / perMillion x 1M
		paper      float64
	}{
		{"uploader", 3.54, 3277, 3275},
		{"thumbnailer, Python", 2.29, 5066, 5062},
		{"thumbnailer, Node.js", 3.75, 3093, 3093},
		{"compression", 32.08, 362, 362},
		{"image-recognition", 15.83, 733, 733},
		{"graph-bfs", 2.08, 5577, 5568},
	} {
		// Rates a second, a decade apart, so that the crossing is interpolated.
		rates := []float64{0.01, 0.1, 1, 10}
		got := BreakEven([]Curve{
			curve("lambda", linear(c.perMillion/1e6*3600*730), rates...),
			curve("ec2", flat(0.0116*730), rates...),
		})
		if len(got) != 1 || got[0].A != "lambda" || got[0].B != "ec2" {
			t.Errorf("%s: %+v, want lambda cheaper below and ec2 above, once", c.name, got)
			continue
		}
		hourly := got[0].Rate * 3600
		if math.Abs(hourly-c.want) > 1 || math.Abs(hourly/c.paper-1) > 0.002 {
			t.Errorf("%s: %.0f requests an hour, want %.0f, %.0f in the paper", c.name, hourly, c.want, c.paper)
		}
		near(t, c.name, got[0].Monthly, 0.0116*730)
	}
}

func TestBreakEven(t *testing.T) {
	rates := []float64{1, 10, 100}
	infeasible := curve("b", flat(5), rates...)
	infeasible.Points[1].Feasible = false
	steps := curve("b", nil)
	for _, p := range [][2]float64{{1, 5}, {4, 5}, {4.5, 12}, {9, 12}} {
		steps.Points = append(steps.Points, results.RatePoint{Rate: p[0], Monthly: results.USD(p[1]), Feasible: true})
	}
	// From 4 to 4.5 triggers a second, 2r goes from 8 to 9 and the steps from 5
	// to 12: they meet where the ratio, 8/5, has fallen to 1 on its way to 9/12.
	again := 4 * math.Pow(4.5/4, math.Log(8.0/5)/(math.Log(8.0/5)-math.Log(9.0/12)))
	type crossing struct {
		a, b string
		rate float64
	}
	for _, c := range []struct {
		name string
		a, b Curve
		want []crossing
	}{
		{"the cheaper side below is A", curve("a", linear(1), rates...), curve("b", flat(5), rates...), []crossing{{"a", "b", 5}}},
		{"whichever comes first", curve("a", flat(5), rates...), curve("b", linear(1), rates...), []crossing{{"b", "a", 5}}},
		{"at a simulated rate it is that rate", curve("a", linear(1), rates...), curve("b", flat(10), rates...), []crossing{{"a", "b", 10}}},
		{"grids may differ", curve("a", linear(1), 1, 3, 100), curve("b", flat(5), 2, 50), []crossing{{"a", "b", 5}}},
		{"no crossing, none reported", curve("a", linear(1), rates...), curve("b", flat(0.5), rates...), nil},
		{"nothing beyond the rates of both", curve("a", linear(1), 1, 10), curve("b", flat(50), 1, 10, 100), nil},
		{"no rate in common", curve("a", linear(1), 1, 10), curve("b", flat(5), 20, 100), nil},
		{"equal curves don't cross", curve("a", linear(1), rates...), curve("b", linear(1), 1, 7, 100), nil},
		{"touching is not crossing", curve("a", func(r float64) float64 { return math.Abs(math.Log(r/10)) + 1 }, rates...), curve("b", flat(1), rates...), nil},
		{"a side that can't carry the load has no price", curve("a", linear(1), rates...), infeasible, nil},
		{"steps may cross more than once", curve("a", linear(2), 1, 9), steps, []crossing{{"a", "b", 2.5}, {"b", "a", again}, {"a", "b", 6}}},
		{"a free model can't be compared", curve("a", linear(1), rates...), curve("b", flat(0), rates...), nil},
		{"no points", curve("a", nil), curve("b", flat(5), rates...), nil},
	} {
		got := BreakEven([]Curve{c.a, c.b})
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
			continue
		}
		for i, w := range c.want {
			if got[i].A != w.a || got[i].B != w.b || math.Abs(got[i].Rate/w.rate-1) > 1e-9 {
				t.Errorf("%s: %+v, want %+v", c.name, got[i], w)
			}
		}
	}
	if got := BreakEven(nil); got != nil {
		t.Errorf("no curves: %+v", got)
	}
}
