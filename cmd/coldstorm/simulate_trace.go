package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"coldstorm/report/chart/figure"
	"coldstorm/report/cost"
	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// traceKeepAlive is how long environments of a trace are kept by default: what AWS
// did when Azure's was published ("Serverless in the Wild", ATC'20).
const traceKeepAlive = 10 * time.Minute

// traceInit are the init times of a trace's functions unless they are stated: a
// Python 3.12 function that does nothing, from a zip, x86_64, 128 MB (maxday/lambda-perf,
// August 2026; facts/aws.md section 6.1).
func traceInit() (sim.Times, error) { return sim.LogNormal(traceInitP50, traceInitP99) }

const (
	traceInitP50 = 84700 * time.Microsecond
	traceInitP99 = 117200 * time.Microsecond
)

// traffic is a trace of functions, each with arrivals and times of its own.
type traffic struct {
	name      string
	source    string // of the service times, in words
	span      time.Duration
	functions int
	triggers  float64 // about how many in all
	order     []int   // of functions, the largest first
	tenant    func(i int) (sim.Tenant, error)
}

// trace simulates many functions.
func (o *simulateOptions) trace(ctx context.Context, a *app, of func(seed int64) (traffic, error)) error {
	if o.profile != "" {
		return usageError("leave out --profile: a run measures one function", "a trace is of many functions")
	}
	sc := o.traceScenario()
	from, err := of(sc.Seed)
	if err != nil {
		return err
	}
	sc.Name, sc.Function.Name = from.name, from.name
	c, err := o.traceConfig(sc, from)
	if err != nil {
		return err
	}
	r, err := o.simulation(a, sc)
	if err != nil {
		return err
	}
	defer r.removeWork()
	defer func() { r.lock.Close() }()
	defer r.progress.Close()
	t := traceSimulation{runner: r, traffic: from, config: c, init: o.init}
	if err := t.all(ctx); err != nil {
		r.removeFolder()
		return err
	}
	return r.finish(ctx, t.writeFiles)
}

// traceScenario is the scenario that stands for a trace in the run.
func (o *simulateOptions) traceScenario() workloads.Scenario {
	sc := workloads.Default()
	sc.Storms, sc.Payloads, sc.Source = nil, nil, nil
	sc.Sweep, sc.Project.Instance = workloads.Sweep{}, ""
	sc.Function = workloads.Function{
		MemoryMB: cmp.Or(o.memory, workloads.MinMemoryMB), Timeout: workloads.MaxTimeout, KeepAlive: traceKeepAlive, Architecture: "x86_64",
	}
	sc.Models = []workloads.Model{workloads.ModelLambda}
	o.apply(&sc)
	return sc
}

// traceConfig is what is simulated of a trace.
func (o *simulateOptions) traceConfig(sc workloads.Scenario, from traffic) (sim.TraceConfig, error) {
	initial, err := traceInit()
	if o.init != "" {
		initial, err = parseTimes(o.init)
	}
	if err != nil {
		return sim.TraceConfig{}, usageError(timesHint, "--init: %w", err)
	}
	return sim.TraceConfig{
		Functions: from.functions, Order: from.order, Span: from.span, KeepAlive: sc.Function.KeepAlive, Timeout: sc.Function.Timeout,
		Every:       max(time.Second, from.span/(24*60)),
		Concurrency: o.concurrency, Seed: sc.Seed, Workers: o.workers,
		Function: func(i int) (sim.Tenant, error) {
			t, err := from.tenant(i)
			t.Init, t.MemoryMB = initial, cmp.Or(o.memory, t.MemoryMB)
			return t, err
		},
	}, nil
}

// azure is the day of functions that is made of what is published of Azure's.
func (o *simulateOptions) azure(seed int64) (traffic, error) {
	if o.service != "" {
		return traffic{}, usageError("leave out --service", "the trace %s has service times of its own", azureTrace)
	}
	const span = 24 * time.Hour
	functions := cmp.Or(o.functions, azureFunctions)
	triggers := float64(azureTriggers) * float64(functions) / azureFunctions * o.scale
	if triggers > mostTriggers {
		return traffic{}, usageError("", "--scale %v asks for %.3g triggers", o.scale, triggers)
	}
	p := newPopulation(functions, int(triggers), span, uint64(seed))
	return traffic{
		name: azureTrace, source: "the trace's own durations (log-normal, as published of Azure's functions)", span: span,
		functions: functions, triggers: triggers, order: p.order(),
		tenant: func(i int) (sim.Tenant, error) { return p.tenant(i, span) },
	}, nil
}

// mostTriggers bounds a trace: more is a slip of the pen.
const mostTriggers = 1e12

// traceSimulation simulates a trace on each of the models that can serve it.
type traceSimulation struct {
	*runner
	traffic
	init     string // as it was stated
	config   sim.TraceConfig
	outcomes []sim.TraceOutcome
}

func (t *traceSimulation) all(ctx context.Context) error {
	initial := t.init + ", as stated"
	if t.init == "" {
		initial = span(traceInitP50) + " at p50 (Python 3.12 on Lambda, maxday/lambda-perf, August 2026)"
	}
	t.note(results.LevelInfo, "", "nothing was run: every figure is simulated, from %s; init times %s", t.source, initial)
	t.note(results.LevelInfo, "", "each function has environments of its own, of which 1,000 may start at once and 100 a second after that; no account's quota of concurrency binds, as a trace is of many accounts")
	for _, m := range t.scenario.Models {
		if ctx.Err() != nil {
			break
		}
		if m != workloads.ModelLambda && m != workloads.ModelLambdaSnapStart {
			t.run.Projections = append(t.run.Projections, results.Projection{
				Model: string(m), Withheld: true, Reason: "many functions are simulated on lambda and lambda-snapstart alone: each would be a service of its own",
			})
			continue
		}
		if err := t.model(ctx, m); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (t *traceSimulation) model(ctx context.Context, m workloads.Model) error {
	c := t.config
	c.Model = m
	var triggers, functions atomic.Int64
	c.Progress = func(tr, f int) {
		triggers.Add(int64(tr))
		functions.Add(int64(f))
	}
	began := time.Now()
	t.progress.Say("simulating %s functions on %s", thousands(c.Functions), m)
	t.progress.Show(func() []string {
		return []string{t.state(m, int(functions.Load()), float64(triggers.Load()), time.Since(began))}
	})
	o, err := sim.Trace(ctx, c)
	t.progress.Show(nil)
	if err != nil && len(o.Functions) == 0 {
		return err
	}
	row := o.Storm(t.name)
	bill, berr := cost.Bill(t.book, row.Usage)
	if berr != nil {
		return berr
	}
	row.Bill, row.Timeline = bill, coarser(row.Timeline)
	t.outcomes = append(t.outcomes, o)
	t.run.Projections = append(t.run.Projections, results.Projection{
		Model: string(m), Offered: true, Config: o.Config, Notes: o.Notes, Storms: []results.ProjectedStorm{row},
	})
	t.tell(m, &o)
	return err
}

// state is the progress, with how long it may still take by the triggers that are left.
func (t *traceSimulation) state(m workloads.Model, functions int, triggers float64, took time.Duration) string {
	s := fmt.Sprintf("%s: %s of %s functions, %s triggers, %s a second", m, thousands(functions), thousands(t.config.Functions), thousands(int(triggers)), thousands(int(triggers/took.Seconds())))
	if triggers > 0 && triggers < t.triggers {
		s += ", about " + span(time.Duration(float64(took)*(t.triggers/triggers-1))) + " left"
	}
	return s
}

// tell notes what is said of functions, rather than of triggers.
func (t *traceSimulation) tell(m workloads.Model, o *sim.TraceOutcome) {
	var shares []float64
	bytes, used := 0, 0.0
	for i := range o.Functions {
		f := &o.Functions[i]
		bytes += f.Bytes()
		used += f.Busy * float64(f.MemoryMB) / 1024
		if f.Cold.N+f.Warm.N > 0 {
			shares = append(shares, f.ColdShare())
		}
	}
	if len(o.Functions) < t.config.Functions {
		t.note(results.LevelWarn, string(m), "interrupted: %s of %s functions were simulated, those with the most triggers, which start cold least often", thousands(len(o.Functions)), thousands(t.config.Functions))
	}
	slices.Sort(shares)
	if len(shares) > 0 {
		at := func(q float64) string { return figure.Share(shares[min(int(q*float64(len(shares))), len(shares)-1)]) }
		t.note(results.LevelInfo, string(m), "cold share of a function: p25 %s, p50 %s, p75 %s, over the %s that were invoked; of each in %s", at(0.25), at(0.5), at(0.75), thousands(len(shares)), functionsFile)
	}
	most := 0
	for _, p := range o.Timeline {
		most = max(most, p.InFlight)
	}
	t.note(results.LevelInfo, string(m), "in flight at once: %s at most, at the ends of intervals of %s (an account's default quota is 1,000); environments kept %s GB-hours with nothing to do, %s of all that they lived",
		thousands(most), span(t.config.Every), thousands(int(math.Round(o.Idle/3600))), figure.Share(o.Idle/max(o.Idle+used, 1)))
	t.progress.Say("%s: %s triggers of %s functions, %d bytes kept of each", m, thousands(o.Counts.Offered), thousands(len(o.Functions)), bytes/max(len(o.Functions), 1))
}
