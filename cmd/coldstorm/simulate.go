package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/results"
	"coldstorm/workloads"
)

var simulateCommand = command{
	name: "simulate", args: "[SCENARIO|TRACE] [flags]", short: "project a scenario or a trace at any scale, running nothing",
	long: `
Simulate fires the storms of a scenario at every compute model in virtual time, at
the scale where AWS runs them, and writes the same run folder and report as a run.
It starts no function: it has to be told what the function takes, by one of

    --profile RUN    what a run has measured on this machine
    --service, --init   what you state: a time, or a distribution of times
    a trace          its own durations

A distribution is stated as
    50ms                            always the same
    lognormal:50ms,400ms            with this median and 99th percentile
    exponential:50ms                with this mean
    p0=10ms,p50=50ms,p99=400ms      with these percentiles

Stated times are those of the function on Lambda with its memory there.

A storm over several functions (zipf) or with a share of cold starts (cold) is simulated
on Lambda, where each function has environments of its own and all share the account's
quota; the run says which models leave it out, and why.

A trace is a file: Azure's of 2019 (with the files of durations and memory beside it)
and 2021, Huawei's, IBM's, an access log, a log or table with times (README); what has no
durations of its own takes those of --service. The trace "azure" is a day of functions as the published distributions of Azure's
describe them, 46,000 of them and a billion invocations at --scale 1 and all
--functions; each has environments of its own, and no account's quota binds, as they
are many accounts. Its functions are simulated in parallel; the outcome is the same
for any number of --workers, and the same seed gives the same figures to the last.

Every figure is simulated, and labelled as projected on AWS. Ctrl-C stops and keeps
what is done.

Examples:

    coldstorm simulate --profile latest
    coldstorm simulate burst --service 80ms --init 300ms
    coldstorm simulate storm.yaml --profile latest --scale 1000 --model lambda
    coldstorm simulate --service lognormal:40ms,600ms --init 250ms --memory 512 --keep-alive 10m
    coldstorm simulate --profile latest --report-lines lambda.log
    coldstorm simulate --profile latest --model ecs-fargate,ecs-ec2 --image-mb 900 --image-cache warm
    coldstorm simulate invocations_per_function_md.anon.d01.csv --functions 1000
    coldstorm simulate access.log --service lognormal:40ms,600ms
    coldstorm simulate azure --functions 2000 --keep-alive 20m`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o simulateOptions
		f.StringVar(&o.profile, "profile", "", "`run` whose measured times are taken: its folder, id or latest")
		f.StringVar(&o.service, "service", "", "service `time` of an invocation, or a distribution of it")
		f.StringVar(&o.init, "init", "", "init `time` of an environment, or a distribution of it (of a trace: default that of Python 3.12 on Lambda)")
		f.StringVar(&o.reportLines, "report-lines", "", reportLinesUsage+" (with --profile)")
		f.StringSliceVar(&o.models, "model", nil, "compute `models`, instead of the scenario's (repeat, or separate by commas)")
		f.IntVar(&o.memory, "memory", 0, "memory of the function in `MB`, instead of the scenario's or the trace's")
		f.DurationVar(&o.keepAlive, "keep-alive", 0, "idle time after which an environment is reclaimed, instead of the scenario's (of a trace: default 10m)")
		f.IntVar(&o.concurrency, "concurrency", 0, "invocations at once that the function, or each function of a trace, has reserved")
		f.Float64Var(&o.rate, "rate", 0, "steady triggers a second for the monthly bill, instead of the scenario's")
		f.StringVar(&o.imageCache, "image-cache", "", "whether new instances come with the container's image, `cold or warm`, instead of the scenario's (default cold: the first start on an instance pulls; on Fargate each does)")
		f.IntVar(&o.imageMB, "image-mb", 0, "size of that image as it is pulled, in `MB`, instead of the scenario's (default: that of the function's files)")
		f.Float64Var(&o.scale, "scale", 1, "so many times the triggers in the same time: a storm of 100 becomes one of 100,000 at 1000")
		f.IntVar(&o.functions, "functions", 0, "so many of a trace's functions, of a file a sample that represents all; 0 is all")
		f.Int64Var(&o.seed, "seed", 0, "seed of every random choice, instead of the scenario's")
		f.IntVar(&o.workers, "workers", runtime.NumCPU(), "models or functions that are simulated at a time")
		f.BoolVar(&o.samples, "samples", false, "keep every trigger of a scenario's storms in samples.csv, up to 2,000,000")
		f.StringVar(&o.out, "out", results.Root, "`folder` in which the run's folder is made")
		return func(ctx context.Context, a *app, args []string) error {
			o.given = func(name string) bool { return f.Lookup(name).Changed }
			if err := o.check(args); err != nil {
				return err
			}
			if len(args) == 1 && args[0] == azureTrace {
				return o.trace(ctx, a, o.azure)
			}
			if len(args) == 1 && isTrace(args[0]) {
				return o.trace(ctx, a, func(seed int64) (traffic, error) { return o.file(args[0], a.stderr, seed) })
			}
			return o.storms(ctx, a, args)
		}
	},
}

// azureTrace is the name of the trace that is made of published distributions.
const azureTrace = "azure"

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	profile, service, init string
	reportLines            string
	models                 []string
	memory                 int
	keepAlive              time.Duration
	concurrency            int
	imageCache             string
	imageMB                int
	rate, scale            float64
	functions              int
	seed                   int64
	workers                int
	samples                bool
	out                    string

	given func(flag string) bool
}

func (o *simulateOptions) check(args []string) error {
	switch {
	case len(args) > 1:
		return usageError("", "simulate takes one scenario or trace, not %d", len(args))
	case o.scale <= 0 || o.scale > 1e9:
		return usageError("", "--scale %v is not a positive number", o.scale)
	case o.workers < 1:
		return usageError("", "--workers %d", o.workers)
	case o.functions < 0 || o.concurrency < 0 || o.rate < 0:
		return usageError("", "--functions, --concurrency and --rate are not negative")
	case o.profile != "" && (o.service != "" || o.init != ""):
		return usageError("", "--profile and stated times exclude each other")
	case o.reportLines != "" && o.profile == "":
		return usageError("stated times are taken as those on Lambda", "--report-lines goes with --profile")
	case o.memory != 0 && (o.memory < workloads.MinMemoryMB || o.memory > workloads.MaxMemoryMB):
		return usageError("", "--memory %d is not within %d..%d MB (AWS Lambda quotas)", o.memory, workloads.MinMemoryMB, workloads.MaxMemoryMB)
	case o.imageCache != "" && !slices.Contains(workloads.ImageCaches, o.imageCache):
		return usageError("", "--image-cache %q: want cold or warm", o.imageCache)
	case o.imageMB < 0 || o.imageMB > workloads.MaxImageMB:
		return usageError("", "--image-mb %d is not within 1..%d", o.imageMB, workloads.MaxImageMB)
	}
	for _, m := range o.models {
		if !slices.Contains(workloads.AllModels, workloads.Model(m)) {
			return usageError("one of "+strings.Join(modelNames(), ", "), "--model: no compute model is named %q", m)
		}
	}
	return nil
}

func modelNames() []string {
	var names []string
	for _, m := range workloads.AllModels {
		names = append(names, string(m))
	}
	return names
}

// apply lets the flags override a scenario.
func (o *simulateOptions) apply(sc *workloads.Scenario) {
	sc.Function.MemoryMB = cmp.Or(o.memory, sc.Function.MemoryMB)
	sc.Function.Concurrency = cmp.Or(o.concurrency, sc.Function.Concurrency)
	sc.Project.Rate = cmp.Or(o.rate, sc.Project.Rate)
	sc.Project.ImageCache = cmp.Or(o.imageCache, sc.Project.ImageCache)
	sc.Project.ImageMB = cmp.Or(o.imageMB, sc.Project.ImageMB)
	if o.given("keep-alive") {
		sc.Function.KeepAlive = o.keepAlive
		for i := range sc.Storms {
			sc.Storms[i].KeepAlive = nil
		}
	}
	if o.given("seed") {
		sc.Seed = o.seed
	}
	if len(o.models) > 0 {
		sc.Models = nil
		for _, m := range workloads.AllModels { // in the order of reports
			if slices.Contains(o.models, string(m)) {
				sc.Models = append(sc.Models, m)
			}
		}
	}
}

// simulation is a run folder in the making, of figures that are all simulated.
func (o *simulateOptions) simulation(a *app, sc workloads.Scenario) (*runner, error) {
	r := newRunner(a, sc, runOptions{out: o.out, launcher: "builtin"})
	if err := r.prepare(); err != nil {
		return nil, err
	}
	f := sc.Function
	r.run.Function = results.Function{
		Name: f.Name, Runtime: f.Runtime, Architecture: f.Architecture, MemoryMB: f.MemoryMB,
		Timeout: f.Timeout, Concurrency: f.Concurrency, KeepAlive: f.KeepAlive,
	}
	r.progress = newProgress(a.stderr)
	return r, nil
}

// finish writes the run folder of a simulation, with more files beside the usual, and
// prints what came out. What is done is kept when ctx has ended.
func (r *runner) finish(ctx context.Context, more ...func() error) error {
	done := slices.ContainsFunc(r.run.Projections, func(p results.Projection) bool { return p.Offered })
	if ctx.Err() != nil {
		if !done {
			r.removeFolder()
			return exitError{code: exitInterrupted, err: fmt.Errorf("interrupted before anything was simulated")}
		}
		r.run.Status = results.StatusAborted
	}
	r.run.Took = time.Since(r.run.Started)
	r.progress.Say("writing the report")
	if err := r.write(); err != nil {
		return err
	}
	for _, write := range more {
		if err := write(); err != nil {
			return err
		}
	}
	os.Remove(r.dir + "/" + underWay)
	r.progress.Close()
	if err := r.projected(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return exitError{code: exitInterrupted, err: fmt.Errorf("interrupted; what was simulated is in %s", r.dir)}
	}
	return nil
}
