package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"coldstorm/report/chart/figure"
	"coldstorm/report/cost"
	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// functionsFile is the file of a simulated trace's folder that has a row for each
// of its functions.
const functionsFile = "functions.csv"

// traceKeepAlive is how long environments of a trace are kept by default: what AWS
// did when Azure's was published ("Serverless in the Wild", ATC'20).
const traceKeepAlive = 10 * time.Minute

// traceInit are the init times of a trace's functions unless they are stated: a
// Python 3.12 function that does nothing, from a zip, x86_64, 128 MB (maxday/lambda-perf,
// August 2026; facts/aws.md section 6.1).
func traceInit() (sim.Times, error) {
	return sim.LogNormal(84700*time.Microsecond, 117200*time.Microsecond)
}

// trace simulates a day of many functions.
func (o *simulateOptions) trace(ctx context.Context, a *app) error {
	if o.profile != "" || o.service != "" {
		return usageError("leave out --profile and --service", "a trace has service times of its own")
	}
	c, sc, err := o.traceConfig()
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
	t := traceSimulation{runner: r, options: o, config: c}
	if err := t.all(ctx); err != nil {
		r.removeFolder()
		return err
	}
	return errors.Join(r.finish(ctx), t.writeFiles())
}

// traceConfig is what is simulated, and the scenario that stands for it in the run.
func (o *simulateOptions) traceConfig() (sim.TraceConfig, workloads.Scenario, error) {
	sc := workloads.Default()
	sc.Name, sc.Storms, sc.Payloads, sc.Source = azureTrace, nil, nil, nil
	sc.Sweep, sc.Project.Instance = workloads.Sweep{}, ""
	sc.Function = workloads.Function{
		Name: azureTrace, MemoryMB: cmp.Or(o.memory, workloads.MinMemoryMB), Timeout: workloads.MaxTimeout,
		KeepAlive: traceKeepAlive, Architecture: "x86_64", Concurrency: o.concurrency,
	}
	sc.Models = []workloads.Model{workloads.ModelLambda}
	o.apply(&sc)
	initial, err := traceInit()
	if o.init != "" {
		initial, err = parseTimes(o.init)
	}
	if err != nil {
		return sim.TraceConfig{}, sc, usageError(timesHint, "--init: %w", err)
	}
	const span = 24 * time.Hour
	functions := cmp.Or(o.functions, azureFunctions)
	triggers := float64(azureTriggers) * float64(functions) / azureFunctions * o.scale
	if triggers > 1e12 {
		return sim.TraceConfig{}, sc, usageError("", "--scale %v asks for %.3g triggers", o.scale, triggers)
	}
	p := newPopulation(functions, int(triggers), span, uint64(sc.Seed))
	return sim.TraceConfig{
		Functions: functions, Order: p.order(), Span: span, KeepAlive: sc.Function.KeepAlive, Timeout: sc.Function.Timeout,
		Concurrency: o.concurrency, Seed: sc.Seed, Workers: o.workers,
		Function: func(i int) (sim.Tenant, error) {
			t, err := p.tenant(i, span)
			t.Init, t.MemoryMB = initial, cmp.Or(o.memory, t.MemoryMB)
			return t, err
		},
	}, sc, nil
}

// traceSimulation simulates a trace on each of the models that can serve it.
type traceSimulation struct {
	*runner
	options  *simulateOptions
	config   sim.TraceConfig
	outcomes []sim.TraceOutcome
}

func (t *traceSimulation) all(ctx context.Context) error {
	t.note(results.LevelInfo, "", "nothing was run: every figure is simulated, from the trace's own durations; init times p50 %s unless they are stated (Python 3.12 on Lambda, maxday/lambda-perf, August 2026)", span(84700*time.Microsecond))
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
	row := o.Storm(azureTrace)
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
	if all := t.expected(); triggers > 0 && triggers < all {
		s += ", about " + span(time.Duration(float64(took)*(all/triggers-1))) + " left"
	}
	return s
}

// expected is about how many triggers there are in all.
func (t *traceSimulation) expected() float64 {
	return float64(azureTriggers) * float64(t.config.Functions) / azureFunctions * t.options.scale
}

// mostPoints is how many intervals of a day's timeline the report draws.
const mostPoints = 144

// coarser joins intervals of a timeline until there are no more than mostPoints.
func coarser(points []results.TimelinePoint) []results.TimelinePoint {
	for len(points) > mostPoints {
		var half []results.TimelinePoint
		for pair := range slices.Chunk(points, 2) {
			p := pair[len(pair)-1]
			p.At, p.Every = pair[0].At, 2*pair[0].Every
			if len(pair) == 2 {
				p.Offered += pair[0].Offered
				p.Completed += pair[0].Completed
				p.Throttled += pair[0].Throttled
				p.Errors += pair[0].Errors
				p.Cold += pair[0].Cold
			}
			half = append(half, p)
		}
		points = half
	}
	return points
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
	slices.Sort(shares)
	if len(shares) > 0 {
		at := func(q float64) string { return figure.Share(shares[min(int(q*float64(len(shares))), len(shares)-1)]) }
		t.note(results.LevelInfo, string(m), "cold share of a function: p25 %s, p50 %s, p75 %s, over the %s that were invoked; of each in %s", at(0.25), at(0.5), at(0.75), thousands(len(shares)), functionsFile)
	}
	most := 0
	for _, p := range o.Timeline {
		most = max(most, p.InFlight)
	}
	t.note(results.LevelInfo, string(m), "in flight at once: %s at most, at the ends of minutes (an account's default quota is 1,000); environments kept %s GB-hours with nothing to do, %s of all that they lived",
		thousands(most), thousands(int(math.Round(o.Idle/3600))), figure.Share(o.Idle/max(o.Idle+used, 1)))
	t.progress.Say("%s: %s triggers of %s functions, %d bytes kept of each", m, thousands(o.Counts.Offered), thousands(len(o.Functions)), bytes/max(len(o.Functions), 1))
}

// writeFiles adds the histogram logs and the table of functions to the folder.
func (t *traceSimulation) writeFiles() error {
	for _, o := range t.outcomes {
		l := hlog{name: azureTrace + " " + string(o.Model), outcome: o.Outcome}
		if err := results.Replace(filepath.Join(t.dir, fileName(l.name)+".hlog"), l.write); err != nil {
			return err
		}
	}
	return results.Replace(filepath.Join(t.dir, functionsFile), t.writeFunctions)
}

func (t *traceSimulation) writeFunctions(to io.Writer) error {
	w := bufio.NewWriter(to)
	fmt.Fprintln(w, "model,function,memory_mb,offered,cold,warm,refused,cold_p50_ns,cold_p99_ns,warm_p50_ns,warm_p99_ns,peak_environments,busy_s,alive_s")
	for _, o := range t.outcomes {
		for _, f := range o.Functions {
			fmt.Fprintf(w, "%s,%s,%d,%d,%d,%d,%d,%s,%s,%s,%s,%d,%.3f,%.3f\n", o.Model, f.Name, f.MemoryMB, f.Offered, f.Cold.N, f.Warm.N, f.Refused,
				carriedBy(f.Cold, 0.5), carriedBy(f.Cold, 0.99), carriedBy(f.Warm, 0.5), carriedBy(f.Warm, 0.99), f.Peak, f.Busy, f.Alive)
		}
	}
	return w.Flush()
}

// carriedBy is a quantile in nanoseconds, empty where there are too few values for
// it: one beyond it at least.
func carriedBy(d sim.Digest, q float64) string {
	if float64(d.N)*(1-q) < 1 {
		return ""
	}
	return strconv.FormatInt(int64(d.Quantile(q)), 10)
}
