package random

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/results"
)

type generator struct{ *rand.Rand }

// shape is a storm: n triggers over a span, the share that starts cold, and
// how many times slower a cold start is than on an idle host.
type shape struct {
	name, words string
	n           int
	over        time.Duration
	cold        float64
	slow        float64
}

// around draws a log-normal duration with the given median and spread.
func (g generator) around(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*g.NormFloat64()))
}

func (g generator) samples(st shape) []results.Sample {
	const epoch = results.Stamp(1e12)
	out := make([]results.Sample, st.n)
	grows := st.name == "ramp" // arrivals ever faster
	for i := range out {
		part := float64(i) / float64(st.n)
		if grows {
			part = math.Sqrt(part)
		}
		at := time.Duration(float64(st.over) * part)
		s := results.Sample{Series: st.name, Seq: uint64(i), Intended: epoch.Add(at), Outcome: results.OutcomeServed, Status: 200, Bytes: 4096}
		s.Sent = s.Intended.Add(g.around(60*time.Microsecond, 0.7))
		s.Start = results.StartWarm
		if g.Float64() < st.cold {
			s.Start, s.Cause, s.Mode = results.StartCold, results.CauseScaleOut, "pooled"
			s.Phases = g.coldPhases(st.slow)
			if i%2 == 0 {
				s.Mode = "cold"
			}
		}
		s.Phases.Queue = g.around(time.Duration(float64(90*time.Microsecond)*st.slow), 0.5)
		s.Phases.Invoke = g.around(time.Duration(float64(12*time.Millisecond)*math.Sqrt(st.slow)), 0.18)
		s.Phases.Transport = g.around(400*time.Microsecond, 0.4)
		s.Done = s.Sent.Add(s.Phases.Sum())
		s.Moments = moments(s)
		s.Billed = (s.Phases.Invoke + s.Phases.InitDuration()).Round(time.Millisecond)
		if st.name == "burst" && i >= 850 {
			g.spoil(&s, i)
		}
		out[i] = s
	}
	return out
}

// spoil throttles a trigger, and fails a few.
func (g generator) spoil(s *results.Sample, i int) {
	s.Outcome, s.Status, s.Reason = results.OutcomeThrottled, 429, "ReservedFunctionConcurrentInvocationLimitExceeded"
	if i%37 == 0 {
		s.Outcome, s.Status, s.Reason = results.OutcomeFailed, 502, "Runtime.ExitError"
	}
	s.Evidence = results.Evidence{Start: results.StartUnknown}
	s.Done = s.Sent.Add(g.around(700*time.Microsecond, 0.3))
}

// moments are those that a cold sample's phases allow for.
func moments(s results.Sample) (m results.Moments) {
	if s.Start != results.StartCold {
		return m
	}
	p, ask := s.Phases, s.Sent.Add(s.Phases.Transport/2+s.Phases.Queue)
	exec := ask.Add(p.Sandbox + p.Rootfs)
	m[results.MomentAsk], m[results.MomentReceived], m[results.MomentExec] = ask, ask.Add(p.Sandbox/8), exec
	m[results.MomentFirst], m[results.MomentReady] = exec.Add(p.RuntimeInit), exec.Add(p.InitDuration())
	if s.Mode == "pooled" {
		m[results.MomentBegun] = m[results.MomentReceived].Add(p.Sandbox / 8)
		return m
	}
	m[results.MomentCloned] = ask.Add(p.Sandbox / 2)
	m[results.MomentRootfs] = m[results.MomentCloned].Add(p.Rootfs)
	m[results.MomentCgroups], m[results.MomentJoined] = m[results.MomentRootfs].Add(p.Sandbox/5), m[results.MomentRootfs].Add(p.Sandbox/4)
	m[results.MomentSecured] = m[results.MomentJoined].Add(p.Sandbox / 5)
	return m
}

func (g generator) coldPhases(slow float64) results.Phases {
	at := func(median time.Duration, sigma float64) time.Duration {
		return g.around(time.Duration(float64(median)*slow), sigma)
	}
	return results.Phases{
		Sandbox: at(1100*time.Microsecond, 0.3), Rootfs: at(1800*time.Microsecond, 0.25),
		RuntimeInit: at(2600*time.Microsecond, 0.2), FunctionInit: at(4200*time.Microsecond, 0.25),
	}
}

func (g generator) series(st shape, samples []results.Sample) results.Series {
	s := results.Series{
		Name: st.name, Shape: st.words, Seed: 1, Arrivals: fmt.Sprintf("%064x", g.Uint64()),
		Latency: map[results.Start]results.Quantiles{}, Service: map[results.Start]results.Quantiles{},
		Spectra: map[results.Start]results.Spectrum{}, Phases: map[results.Phase]results.Quantiles{},
		PeakMemory: 41 << 20, Modes: []string{"cold", "pooled"}, Breakdown: record.Breakdown(slices.Values(samples)),
		Generator: results.Generator{CPUShare: 0.31, HostCPUShare: 0.62},
	}
	latency, service := map[results.Start][]time.Duration{}, map[results.Start][]time.Duration{}
	phases := map[results.Phase][]time.Duration{}
	var lag, totals, cpu []time.Duration
	for _, x := range samples {
		count(&s.Counts, x)
		lag = append(lag, x.Lag())
		s.Took = max(s.Took, x.Done.Sub(samples[0].Intended))
		if x.Outcome != results.OutcomeServed {
			continue
		}
		s.BilledMS += x.Billed.Milliseconds()
		latency[x.Start] = append(latency[x.Start], x.Latency())
		service[x.Start] = append(service[x.Start], x.Phases.Invoke)
		if x.Start != results.StartCold {
			cpu = append(cpu, x.Phases.Invoke*8/10)
			continue
		}
		totals = append(totals, x.Total())
		for _, p := range results.PhaseNames {
			if d := x.Phases.Get(p); d > 0 {
				phases[p] = append(phases[p], d)
			}
		}
	}
	for start, ds := range latency {
		s.Latency[start], s.Service[start], s.Spectra[start] = Quantiles(ds), Quantiles(service[start]), Spectrum(ds)
	}
	for p, ds := range phases {
		s.Phases[p] = Quantiles(ds)
	}
	s.Lag, s.Total, s.CPU = Quantiles(lag), Quantiles(totals), Quantiles(cpu)
	s.Generator.Offered = float64(s.Counts.Offered) / max(st.over, time.Second).Seconds()
	s.Generator.Achieved = float64(s.Counts.Served) / max(s.Took, time.Second).Seconds()
	if st.slow > 10 {
		s.Skew = 5 * time.Millisecond
		s.Generator.Limited, s.Generator.Why = true, "the host's processors were 97 % busy"
	}
	s.Timeline = timeline(samples, st)
	return s
}

func count(c *results.Counts, x results.Sample) {
	c.Offered++
	switch x.Outcome {
	case results.OutcomeServed:
		c.Served++
		switch x.Start {
		case results.StartCold:
			c.Cold++
			if c.Causes == nil {
				c.Causes = map[results.Cause]int{}
			}
			c.Causes[x.Cause]++
		case results.StartWarm:
			c.Warm++
		}
		return
	case results.OutcomeThrottled:
		c.Throttled++
	default:
		c.Failed++
	}
	if c.Reasons == nil {
		c.Reasons = map[string]int{}
	}
	c.Reasons[x.Reason]++
}

// timeline counts what happened in each of forty intervals.
func timeline(samples []results.Sample, st shape) []results.TimelinePoint {
	start, end := samples[0].Intended, samples[0].Done
	for _, x := range samples {
		end = max(end, x.Done)
	}
	every := time.Duration(end-start)/40 + 1
	points := make([]results.TimelinePoint, 40)
	for i := range points {
		points[i].At, points[i].Every = every*time.Duration(i), every
	}
	units := 0
	for _, x := range samples {
		at, done := int(time.Duration(x.Intended-start)/every), int(time.Duration(x.Done-start)/every)
		points[at].Offered++
		switch x.Outcome {
		case results.OutcomeServed:
			points[done].Completed++
			if x.Start == results.StartCold {
				points[at].Cold++
			}
		case results.OutcomeThrottled:
			points[done].Throttled++
		default:
			points[done].Errors++
		}
	}
	inFlight := 0
	for i := range points {
		p := &points[i]
		units += p.Cold
		inFlight += p.Offered - p.Completed - p.Throttled - p.Errors
		p.InFlight, p.Starting = inFlight, min(p.Cold, inFlight)
		p.Busy = min(inFlight-p.Starting, units)
		p.Idle = max(0, units-p.Busy-p.Starting)
		p.FunctionCPU, p.GeneratorCPU = 2*float64(p.Busy)/float64(p.Busy+2), float64(p.Offered)/float64(4*p.Offered+400)
	}
	return points
}

func (g generator) sweep() []results.SweepPoint {
	var out []results.SweepPoint
	for n := 1; n <= 256; n *= 2 {
		repeats := max(3, 64/n)
		var ds []time.Duration
		for range n * repeats {
			ds = append(ds, g.around(time.Duration(float64(10*time.Millisecond)*(1+float64(n)/14)), 0.2))
		}
		q := Quantiles(ds)
		out = append(out, results.SweepPoint{
			N: n, Repeats: repeats, Cold: q, Ready: slices.Max(ds),
			Counts: results.Counts{Offered: n * repeats, Served: n * repeats, Cold: n * repeats},
		})
	}
	return out
}

// curves are two scaling curves: one with a throughput that bends, one without.
func (g generator) curves() []results.Curve {
	rate := results.Curve{
		Axis: "rate", Unit: "triggers/s", Storm: "3 times a constant rate for 5 s, each on a fresh deployment",
		Knee: &results.Knee{Value: 100, Highest: 140, Reached: true, Rule: "the largest offered rate up to which at least 95 % of each was served"},
	}
	memory := results.Curve{Axis: "memory", Unit: "MB", Storm: "20 cold starts, then 20 warm ones, one after another"}
	for i, v := range []float64{10, 50, 100, 200, 500} {
		served := min(v, 100+10*float64(i))
		rate.Points = append(rate.Points, g.curvePoint(v, time.Duration(1+i*i)*20*time.Millisecond, served))
		rate.Points[i].Offered, rate.Points[i].Limited = v, v > 200
		memory.Points = append(memory.Points, g.curvePoint(float64(int(128)<<i), 2*time.Second>>i, 0))
	}
	return []results.Curve{rate, memory}
}

func (g generator) curvePoint(v float64, typical time.Duration, served float64) results.CurvePoint {
	var cold, warm []time.Duration
	for range 60 {
		cold, warm = append(cold, g.around(typical, 0.3)), append(warm, g.around(typical/5, 0.2))
	}
	p := results.CurvePoint{
		Value: v, Repeats: 3, Peak: 12, Growth: 12, Counts: results.Counts{Offered: 120, Served: 120, Cold: 60, Warm: 60},
		Latency: map[results.Start]results.Quantiles{results.StartCold: Quantiles(cold), results.StartWarm: Quantiles(warm)},
		Init:    Quantiles(cold[:30]), Throughput: served,
	}
	if served > 0 {
		p.Throughputs = []float64{served, served * 0.97, served * 1.02}
	}
	return p
}

func (g generator) fidelity() []results.Fidelity {
	var out []results.Fidelity
	for _, f := range []results.Fidelity{
		{Series: "steady", Model: "lambda", Metric: "cold_starts", Live: 12, Sim: 13},
		{Series: "steady", Model: "lambda", Metric: "p50", Live: 12.6e6, Sim: 12.4e6},
		{Series: "steady", Model: "lambda", Metric: "p99", Live: 24e6, Sim: 21.1e6},
		{Series: "burst", Model: "lambda", Metric: "cold_starts", Live: 179, Sim: 184},
		{Series: "burst", Model: "lambda", Metric: "p50", Live: 46e6, Sim: 44e6},
		{Series: "burst", Model: "lambda", Metric: "p99", Live: 0, Sim: 220e6},
	} {
		if f.Live != 0 {
			f.Error = f.Sim/f.Live - 1
		}
		out = append(out, f)
	}
	return out
}
