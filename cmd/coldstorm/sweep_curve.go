package main

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/loadgen/storm"
	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/workloads"
)

// curveTarget measures the points of one curve at the deployed function.
type curveTarget struct {
	*liveTarget
	ctx     context.Context
	options *curveOptions
	axis    axis
	curve   results.Curve
	point   results.CurvePoint // under way
	rec     *record.Recorder   // of it
}

// curves measures every curve that was asked for. What was measured is kept,
// whatever the error.
func (l *liveTarget) curves(ctx context.Context) error {
	o := l.options.curves
	if o == nil {
		return nil
	}
	for _, a := range o.axes {
		c := &curveTarget{liveTarget: l, ctx: ctx, options: o, axis: a, curve: results.Curve{Axis: a.name, Unit: a.unit, Storm: a.storm(o)}}
		err := c.points()
		if len(c.curve.Points) > 0 {
			c.bend()
			l.run.Curves = append(l.run.Curves, c.curve)
		}
		if err != nil {
			return fmt.Errorf("curve over %s: %w", a.name, err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// points measures each value. A value that can't be measured ends the curve there.
func (c *curveTarget) points() error {
	for i, v := range c.axis.values {
		c.progress.Say("%s %s %s, %d of %d", c.axis.name, plainNumber(v), c.axis.unit, i+1, len(c.axis.values))
		c.point = results.CurvePoint{Value: v, Peak: -1}
		c.rec = &record.Recorder{Name: fmt.Sprintf("%s %s", c.axis.name, plainNumber(v))}
		err := c.axis.measure(c, v)
		if c.point.Repeats > 0 {
			c.close()
		}
		if err != nil || c.ctx.Err() != nil {
			return err
		}
		if rest := c.axis.values[i+1:]; len(rest) > 0 && c.overwhelmed() {
			c.note(results.LevelWarn, "", "the curve over %s ends at %s: of what was offered there, less than half was served in its time; larger values would only queue",
				c.axis.name, plainNumber(v))
			return nil
		}
	}
	return nil
}

// overwhelmed tells that a rate is far beyond what could be served: what is
// offered beyond it takes ever longer and tells nothing new.
func (c *curveTarget) overwhelmed() bool {
	return c.axis.name == "rate" && c.point.Throughput < c.point.Offered/2
}

// close sums up the point's samples, and keeps both.
func (c *curveTarget) close() {
	s := c.rec.Series()
	c.point.Counts, c.point.Latency, c.point.PeakMemory = s.Counts, s.Latency, s.PeakMemory
	var inits []time.Duration
	for x := range c.rec.Samples() {
		if x.Outcome == results.OutcomeServed && x.Start == results.StartCold {
			inits = append(inits, x.Phases.InitDuration())
		}
	}
	c.point.Init = stats.Summarise(inits)
	c.point.Throughput = medianBy(c.point.Throughputs, func(f float64) float64 { return f })
	c.curve.Points = append(c.curve.Points, c.point)
	c.swept = append(c.swept, c.rec)
}

// repeat deploys the function afresh, fires st and adds what came of it to the point.
// Without loaded, the storm says nothing of throughput.
func (c *curveTarget) repeat(st workloads.Storm, loaded bool) error {
	if err := c.deploy(st); err != nil {
		return err
	}
	return c.again(st, loaded)
}

// again is repeat at what is deployed.
func (c *curveTarget) again(st workloads.Storm, loaded bool) error {
	st.Name = c.rec.Name
	m, err := c.fire(c.ctx, st)
	if err != nil {
		return err
	}
	return c.add(m, loaded)
}

// add keeps what came of one storm.
func (c *curveTarget) add(m measured, loaded bool) error {
	for x := range m.recorder.Samples() {
		c.rec.Add(x)
	}
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx) // cut short, it has no throughput
	}
	c.point.Repeats++
	c.point.Growth = max(c.point.Growth, growth(m.recorder.Samples(), 10*time.Second))
	for _, t := range m.Timeline {
		if t.Starting >= 0 {
			c.point.Peak = max(c.point.Peak, t.Starting+t.Idle+t.Busy)
		}
	}
	if m.Generator.Limited {
		c.point.Limited, c.point.Why = true, m.Generator.Why
	}
	if loaded && m.Took > 0 {
		c.point.Offered = m.Generator.Offered
		c.point.Throughputs = append(c.point.Throughputs, float64(m.Counts.Served)/m.Took.Seconds())
	}
	return nil
}

// repeats does it as often as was asked for.
func (c *curveTarget) repeats(st workloads.Storm) error {
	for range c.options.repeats {
		if err := c.repeat(st, true); err != nil {
			return err
		}
	}
	return nil
}

func (c *curveTarget) burst(v float64) error {
	return c.repeats(workloads.Storm{Shape: workloads.ShapeBurst, N: int(v)})
}

// rate holds a rate at as many warm environments as it is to need: a start on a
// small machine takes what many invocations do, and the curve is to be theirs.
func (c *curveTarget) rate(v float64) error {
	st := workloads.Storm{Name: c.rec.Name, Shape: workloads.ShapeConstant, Rate: v, For: c.options.hold}
	for range c.options.repeats {
		if err := c.deploy(st); err != nil {
			return err
		}
		if err := c.warm(v); err != nil {
			return err
		}
		if err := c.again(st, true); err != nil {
			return err
		}
	}
	return nil
}

// A rate is fired at warmBeyond times the environments that it keeps busy, and at
// most at maxWarm.
const (
	warmBeyond = 2
	maxWarm    = 200
)

// warm makes environments ready for a rate, by invocations that are not recorded:
// by Little's law as many as it keeps busy at the latency of one warm invocation.
func (c *curveTarget) warm(rate float64) error {
	probe := workloads.Storm{Name: "warm-up", Shape: workloads.ShapeSequence, N: 4}
	m, err := c.fire(c.ctx, probe)
	if err != nil || c.ctx.Err() != nil {
		return err
	}
	busy := rate * m.Latency[results.StartWarm].P50.Seconds()
	n := min(int(math.Ceil(warmBeyond*busy))+1, maxWarm)
	_, err = c.fire(c.ctx, workloads.Storm{Name: "warm-up", Shape: workloads.ShapeBurst, N: n})
	return err
}

// concurrency is a closed loop of v clients without pauses.
func (c *curveTarget) concurrency(v float64) error {
	for range c.options.repeats {
		st := workloads.Storm{Name: c.rec.Name, Shape: workloads.ShapeSequence, N: c.options.n * int(v)}
		if err := c.deploy(st); err != nil {
			return err
		}
		m, err := c.fireSchedule(c.ctx, st, storm.Loop{N: st.N, Callers: int(v)})
		if err == nil {
			err = c.add(m, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// singles is a number of cold starts one after another, then as many warm ones.
func (c *curveTarget) singles() error {
	n, never := c.options.n, time.Duration(0)
	if err := c.repeat(workloads.Storm{Shape: workloads.ShapeSequence, N: n, KeepAlive: &never}, false); err != nil {
		return err
	}
	warm := workloads.Storm{Shape: workloads.ShapeSequence, N: n + 1} // the first of which is cold
	err := c.repeat(warm, false)
	c.point.Repeats = 1
	return err
}

func (c *curveTarget) memory(v float64) error {
	was := c.scenario.Function.MemoryMB
	defer func() { c.scenario.Function.MemoryMB = was }()
	c.scenario.Function.MemoryMB = int(v)
	return c.singles()
}

// keptUpShare of an offered rate has to be served for it to count as kept up with.
const keptUpShare = 0.95

// bend looks for the knee of a curve of throughput.
func (c *curveTarget) bend() {
	var load, offered, served []float64
	for _, p := range c.curve.Points {
		load, offered, served = append(load, p.Value), append(offered, p.Offered), append(served, p.Throughput)
	}
	if len(load) < 2 {
		return
	}
	switch c.axis.name {
	case "rate":
		k := results.Knee{Rule: fmt.Sprintf("the largest offered rate up to which at least %.0f %% of each was served", 100*keptUpShare)}
		k.Value, k.Reached = stats.KeptUp(offered, served, keptUpShare)
		for _, x := range served {
			k.Highest = max(k.Highest, x)
		}
		c.curve.Knee = &k
	case "burst", "concurrency":
		k := results.Knee{Rule: "where the throughput of the first point, growing in proportion, would reach the highest"}
		k.Value, k.Highest, k.Reached = stats.Saturation(load, served)
		c.curve.Knee = &k
	}
}

// growth is the most cold starts that were answered within any window: each is an
// environment that was not there before.
func growth(samples iter.Seq[results.Sample], window time.Duration) int {
	var at []results.Stamp
	for x := range samples {
		if x.Outcome == results.OutcomeServed && x.Start == results.StartCold {
			at = append(at, x.Done)
		}
	}
	slices.Sort(at)
	most, first := 0, 0
	for i := range at {
		for at[i].Sub(at[first]) > window {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
