package main

import (
	"cmp"
	"context"
	"fmt"

	"coldstorm/loadgen/storm"
	"coldstorm/report/cost"
	"coldstorm/results"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/live"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// projector carries a measured function to AWS's scale: it runs sim for each
// model, and prices its usage.
type projector struct {
	scenario workloads.Scenario
	payloads []payload
	profile  sim.Profile
	book     *cost.Book
	say      func(model string) // called before each model

	// What simulate asks for beyond a run; nil: none of it.
	wanted   func(workloads.Storm) bool          // the storms, in the place of projected
	arrivals func(storm.Schedule) sim.Arrivals   // of a storm, in the place of its schedule
	scale    float64                             // triggers of those for one of the schedule; 0: 1
	keep     func(storm string, out sim.Outcome) // told of every storm on every model
	each     func(storm string, m workloads.Model) func(sim.Answer)
}

// all projects every model of the scenario, in its order. Models that AWS
// doesn't offer have a row that says so.
func (p projector) all(ctx context.Context) ([]results.Projection, []results.BreakEven, error) {
	var rows []results.Projection
	var curves []cost.Curve
	for _, m := range p.scenario.Models {
		if ctx.Err() != nil {
			return rows, nil, context.Cause(ctx)
		}
		p.say(string(m))
		row, err := p.one(m)
		if err != nil { // of this model alone, such as an instance that does not hold the function
			row = results.Projection{Model: string(m), Withheld: true, Reason: err.Error()}
		}
		rows = append(rows, row)
		if row.Offered {
			curves = append(curves, cost.Curve{Model: row.Model, Points: row.Curve})
		}
	}
	return rows, cost.BreakEven(curves), nil
}

func (p projector) one(m workloads.Model) (results.Projection, error) {
	row := results.Projection{Model: string(m)}
	if row.Offered, row.Reason = sim.Offered(m, p.scenario.Function); !row.Offered {
		return row, nil
	}
	c := p.config(m)
	if err := p.storms(c, &row); err != nil {
		return row, err
	}
	if err := p.steady(c, &row); err != nil {
		return row, err
	}
	return row, p.curve(c, &row)
}

// storms simulates those that are wanted, but for the ones whose copies or event source
// the model has none of: tellCopies and tellSources say why.
func (p projector) storms(c sim.Config, row *results.Projection) error {
	wanted := projected
	if p.wanted != nil {
		wanted = p.wanted
	}
	for _, st := range p.scenario.Storms {
		if !wanted(st) {
			continue
		}
		schedule, err := scheduleOf(p.scenario, st)
		if err != nil {
			return err
		}
		c.Copies = simulatedCopies(schedule, cmp.Or(p.scale, 1))
		if ok, _ := sim.Copied(c.Model, c.Copies); !ok {
			continue
		}
		if ok, _ := sim.Sourced(c.Model); !ok && !st.Trigger.Direct() {
			continue
		}
		c.Source = eventSource(st.Trigger, p.scenario.Seed)
		out, err := p.storm(c, st, schedule)
		if err != nil {
			return err
		}
		row.Storms = append(row.Storms, out)
	}
	return nil
}

func (p projector) config(m workloads.Model) sim.Config {
	return sim.Config{
		Model: m, Function: p.scenario.Function, Profile: p.profile, Seed: p.scenario.Seed,
		Steady: p.scenario.Project.Rate, Instance: p.scenario.Project.Instance, Fleet: p.scenario.Project.Fleet,
	}
}

// projected says whether a storm means something at another scale: an open
// loop of triggers that overlap. (A constant rate of requests that finds its environments
// warm is what the steady stream is of, which is projected for every model.)
func projected(st workloads.Storm) bool {
	steady := st.Shape == workloads.ShapeConstant && st.Warm > 0 && st.Trigger.Direct()
	return !steady && st.Has(
		workloads.ShapeBurst, workloads.ShapeConstant, workloads.ShapeTrace, workloads.ShapeRamp, workloads.ShapeStep, workloads.ShapeSpike, workloads.ShapeWave, workloads.ShapeDiurnal,
		workloads.ShapePoisson, workloads.ShapeOnOff, workloads.ShapePareto,
	)
}

func (p projector) storm(c sim.Config, st workloads.Storm, schedule storm.Schedule) (results.ProjectedStorm, error) {
	c.Warm = st.Warm
	if p.arrivals != nil {
		c.Stream = p.arrivals(schedule)
	} else {
		c.Arrivals = arrivals(schedule)
	}
	var err error
	if c.Units, err = sim.Units(c); err != nil { // what stands is sized for the steady rate, whatever the storm carries
		return results.ProjectedStorm{}, err
	}
	c.Function, c.Profile = stormFunction(c.Function, st), only(c.Profile, st.Payloads)
	c.Profile.RequestBytes = meanBytes(chosen(p.payloads, st.Payloads))
	if p.each != nil {
		c.Each = p.each(st.Name, c.Model)
	}
	o, err := sim.Run(c)
	if err != nil {
		return results.ProjectedStorm{}, err
	}
	if p.keep != nil {
		p.keep(st.Name, o)
	}
	row := o.Storm(st.Name)
	if !st.Trigger.Direct() {
		row.Trigger = st.Trigger.String()
	}
	row.Bill, err = cost.Bill(p.book, row.Usage)
	return row, err
}

// stormFunction is the function under the settings of one storm.
func stormFunction(f workloads.Function, st workloads.Storm) workloads.Function {
	if st.KeepAlive != nil {
		f.KeepAlive = *st.KeepAlive
	}
	if st.Concurrency != nil {
		f.Concurrency = *st.Concurrency
	}
	return f
}

func (p projector) steady(c sim.Config, row *results.Projection) error {
	o, err := sim.Steady(c)
	if err != nil {
		return err
	}
	row.Config, row.Notes, row.Image = o.Config, o.Notes, o.Image
	row.Steady = o.Steady(c.Steady)
	if row.Steady.Monthly, err = cost.Bill(p.book, o.Usage); err != nil {
		return err
	}
	row.Steady.PerMillion = cost.PerMillion(row.Steady.Monthly, o.Usage.Requests)
	return nil
}

// refusedShare is the share of refused triggers above which a model can't be
// said to carry a rate.
const refusedShare = 0.001

func (p projector) curve(c sim.Config, row *results.Projection) error {
	points, err := sim.Curve(c, p.scenario.Project.Rates)
	if err != nil {
		return err
	}
	objective := p.scenario.Project.Objective
	for _, pt := range points {
		bill, err := cost.Bill(p.book, pt.Usage)
		if err != nil {
			return err
		}
		meets := objective == 0 || (pt.P99 > 0 && pt.P99 <= objective)
		row.Curve = append(row.Curve, results.RatePoint{
			Rate: pt.Rate, Monthly: bill.Total, P99: pt.P99, Units: pt.Units,
			Feasible: meets && pt.Refused <= refusedShare,
		})
	}
	return nil
}

// withheld explains why nothing is projected from figures that a missing limit
// made: empty if they can be.
func withheld(host results.Host, f workloads.Function) string {
	if host.Limits || f.MemoryMB >= workloads.MBPerVCPU {
		return ""
	}
	if host.Launcher == launch.RuntimeProcess {
		return fmt.Sprintf("the process launcher gave environments whole cores, where %d MB is %.2f of a vCPU; run with another launcher, or with 1769 MB or more",
			f.MemoryMB, float64(f.MemoryMB)/workloads.MBPerVCPU)
	}
	return fmt.Sprintf("this host gave environments whole cores, where %d MB is %.2f of a vCPU; 'coldstorm doctor' says how to get limits, or take 1769 MB or more",
		f.MemoryMB, float64(f.MemoryMB)/workloads.MBPerVCPU)
}

// fidelity holds the simulation against live: the same storms, this host's start
// phases and cores, the same rules.
func fidelity(sc workloads.Scenario, prof sim.Profile, cores int, series []measured, around around) []results.Fidelity {
	var rows []results.Fidelity
	for _, s := range series {
		if s.storm.Has(workloads.ShapeSequence, workloads.ShapeLoop) || !s.storm.Trigger.Direct() || s.Status == results.StatusAborted {
			continue
		}
		if s.fleet != nil {
			rows = append(rows, s.containedFidelity(only(prof, s.storm.Payloads), cores, around, sc.Seed)...)
			continue
		}
		f := stormFunction(sc.Function, s.storm)
		deployed := live.Config{Concurrency: f.Concurrency, KeepAlive: f.KeepAlive}
		if s.bound > 0 {
			deployed.Concurrency, deployed.RequestRate = s.bound, -1
		}
		rules := deployed.Rules()
		rules.Warm = s.storm.Warm
		o, err := sim.Host(sim.HostConfig{
			Rules:   rules,
			Profile: only(prof, s.storm.Payloads), Timeout: f.Timeout, Arrivals: arrivals(s.schedule), Copies: simulatedCopies(s.schedule, 1),
			Cores: float64(cores), Overhead: around.overhead, Beside: around.beside, Seed: sc.Seed,
		})
		if err == nil {
			rows = append(rows, sim.Fidelity(s.Name, s.Series, o)...)
		}
	}
	return rows
}
