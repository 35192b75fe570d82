package random

import (
	"math"
	"time"

	"coldstorm/results"
)

// model is a compute model in one line: its cold start and tail, how much it
// costs for a month at a rate, and the rate from which it misses the objective.
type model struct {
	name, config string
	cold, tail   time.Duration
	share        float64
	fixed, each  float64 // USD a month: at no traffic, and for 1/s
	step         float64 // requests a second that one unit carries; 0: no steps
	item, unit   string
}

var models = []model{
	{"lambda", "512 MB, x86_64, on demand", 310 * time.Millisecond, 182 * time.Millisecond, 0.004, 0, 0.86, 0, "Lambda duration", "GB-s"},
	{"lambda-provisioned", "512 MB, 10 kept ready", 310 * time.Millisecond, 41 * time.Millisecond, 0.0003, 62, 0.74, 0, "Provisioned concurrency", "GB-s"},
	{"lambda-snapstart", "", 0, 0, 0, 0, 0, 0, "", ""},
	{"ecs-fargate", "0.5 vCPU, 1 GB, 2 to 40 tasks", 34 * time.Second, 58 * time.Millisecond, 0, 52, 0, 40, "Fargate vCPU", "vCPU-s"},
	{"eks-fargate", "0.5 vCPU, 1 GB, 2 to 40 pods", 52 * time.Second, 61 * time.Millisecond, 0, 127, 0, 40, "Fargate vCPU", "vCPU-s"},
	{"ecs-ec2", "2 x c7i.large, 4 tasks each", 95 * time.Second, 44 * time.Millisecond, 0, 146, 0, 160, "c7i.large", "h"},
	{"eks-ec2", "2 x c7i.large, 4 pods each", 71 * time.Second, 45 * time.Millisecond, 0, 219, 0, 160, "c7i.large", "h"},
	{"ec2", "1 x c7i.large, 2 processes", 0, 43 * time.Millisecond, 0, 81, 0, 170, "c7i.large", "h"},
}

func (m model) monthly(rate float64) float64 {
	if m.step == 0 {
		return m.fixed + m.each*rate
	}
	return m.fixed * math.Max(1, math.Ceil(rate/m.step))
}

func (g generator) projections(objective time.Duration) []results.Projection {
	var out []results.Projection
	for _, m := range models {
		p := results.Projection{Model: m.name, Offered: m.config != "", Config: m.config}
		if !p.Offered {
			p.Reason = "SnapStart is not offered for provided.al2023: Java, Python and .NET managed runtimes only"
			out = append(out, p)
			continue
		}
		p.Storms = []results.ProjectedStorm{g.storm(m, "burst", 1000), g.storm(m, "ramp", 2010)}
		p.Steady = g.steady(m, 20)
		p.Curve = curve(m, objective)
		if m.step > 0 {
			p.Notes = []string{"the scaler's metric delay is taken as one minute"}
		}
		out = append(out, p)
	}
	return out
}

func (g generator) draw(n int, median time.Duration, sigma float64) []time.Duration {
	ds := make([]time.Duration, n)
	for i := range ds {
		ds[i] = g.around(median, sigma)
	}
	return ds
}

func (g generator) storm(m model, name string, n int) results.ProjectedStorm {
	cold, throttled := 0, n/50
	if m.step == 0 {
		cold, throttled = n/2, n/10
	}
	warm := n - cold - throttled
	cs, ws := g.draw(cold, m.cold, 0.25), g.draw(warm, 14*time.Millisecond, 0.3)
	if m.step > 0 {
		ws = g.draw(warm, 1400*time.Millisecond, 0.6)
	}
	all := append(append([]time.Duration{}, cs...), ws...)
	s := results.ProjectedStorm{
		Name: name, All: Quantiles(all), Spectrum: Spectrum(all), Peak: max(2, cold), Recover: 4 * m.tail,
		Counts:  results.Counts{Offered: n, Served: n - throttled, Throttled: throttled, Cold: cold, Warm: warm},
		Latency: map[results.Start]results.Quantiles{results.StartWarm: Quantiles(ws)},
		Bill:    bill(m, 0.0004*float64(n)),
	}
	if cold > 0 {
		s.Latency[results.StartCold] = Quantiles(cs)
	}
	return s
}

func (g generator) steady(m model, rate float64) results.Steady {
	const n = 20000
	cold := int(m.share * n)
	warm := g.draw(n-cold, m.tail/4, 0.5)
	cs := g.draw(cold, m.cold, 0.2)
	month := m.monthly(rate)
	s := results.Steady{
		Rate: rate, ColdShare: m.share, All: Quantiles(append(append([]time.Duration{}, cs...), warm...)),
		Counts:  results.Counts{Offered: n, Served: n, Cold: cold, Warm: n - cold},
		Latency: map[results.Start]results.Quantiles{results.StartWarm: Quantiles(warm)},
		Monthly: bill(m, month), PerMillion: results.USD(month / (rate * 2.628)),
	}
	if cold > 0 {
		s.Latency[results.StartCold] = Quantiles(cs)
	}
	return s
}

func bill(m model, total float64) results.Bill {
	const price = 0.0000166667
	main := 0.8 * total
	return results.Bill{Total: results.USD(total), Items: []results.BillItem{
		{Name: m.item, Quantity: main / price, Unit: m.unit, Price: price, Amount: results.USD(main)},
		{Name: "Requests", Quantity: 0.2 * total / 0.0000002, Unit: "requests", Price: 0.0000002, Amount: results.USD(0.2 * total)},
	}}
}

func curve(m model, objective time.Duration) []results.RatePoint {
	var out []results.RatePoint
	for e := -2.0; e <= 3.5; e += 0.125 {
		rate := math.Pow(10, e)
		p99 := m.tail
		if m.step == 0 {
			p99 = time.Duration(float64(m.cold) / math.Pow(rate+0.2, 0.22))
		}
		if m.name == "ec2" && rate > m.step {
			p99 = 10 * objective
		}
		out = append(out, results.RatePoint{
			Rate: rate, Monthly: results.USD(m.monthly(rate)), P99: p99,
			Units: math.Max(1, rate/math.Max(m.step, 20)), Feasible: p99 <= objective,
		})
	}
	return out
}

// crossings finds the rates at which two models cost the same.
func crossings(ps []results.Projection) []results.BreakEven {
	var out []results.BreakEven
	for i, a := range ps {
		for _, b := range ps[i+1:] {
			for k := 1; k < min(len(a.Curve), len(b.Curve)); k++ {
				before, after := a.Curve[k-1].Monthly-b.Curve[k-1].Monthly, a.Curve[k].Monthly-b.Curve[k].Monthly
				if before == 0 || (before < 0) == (after <= 0) {
					continue
				}
				t := float64(before / (before - after))
				x := results.BreakEven{
					A: a.Model, B: b.Model,
					Rate:    a.Curve[k-1].Rate + t*(a.Curve[k].Rate-a.Curve[k-1].Rate),
					Monthly: a.Curve[k-1].Monthly + results.USD(t)*(a.Curve[k].Monthly-a.Curve[k-1].Monthly),
				}
				if before > 0 {
					x.A, x.B = x.B, x.A
				}
				out = append(out, x)
			}
		}
	}
	return out
}
