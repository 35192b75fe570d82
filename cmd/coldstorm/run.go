package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/loadgen/record"
	"coldstorm/report/cost"
	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

var runCommand = command{
	name: "run", args: "[SCENARIO] [flags]", short: "measure a function, project and price it, write a report",
	long: `
Run does the whole job on one function: it fires the scenario's storms at it in
sandboxes on this machine, projects what it measured onto every compute model,
prices them, and writes a run folder with a report. Without a scenario it takes
the bundled one: an image-resizing function fed with photographs.

SCENARIO is a file (see workloads/scenarios) or the name of a bundled one.
--function takes any function of one's own and fires the bundled scenario's storms
at it: a directory or zip with an executable bootstrap that speaks the Lambda
Runtime API, or with a handler in Python or Node.js, or a container image, whose
ENTRYPOINT and CMD are started.

A handler runs in this host's interpreter or, if --runtime is given with it, in an
image's. lambda_function.lambda_handler and index.handler are found; --handler names
another.

An image is an OCI layout, a tar of docker save, or, if there is no such path, a
reference to a registry, which is asked with the credentials that docker login
keeps. Layers are kept in $COLDSTORM_STORE, or else in ~/.cache/coldstorm, until
coldstorm clean.

--snapstart measures restores beside cold starts: the function's init runs once, its
hooks before a snapshot run (snapshot_restore_py), and every environment is restored
from there and runs its hooks after a restore. A function that can't be restored here
is said why.

--live runs the models of containers and instances here too, with real containers on
emulated nodes behind a load balancer, under their own rules of scaling, whose clock
is sped up (--live-speed). Each is fired the scenario's open-loop storms that this
machine can serve, and the simulation of the same storm is held against it.
--kill-node kills one mid-storm: the report says when that was noticed and made up for.
lambda-managed has environments that stand, each with several requests at once, for
which its runtime has to ask in parallel, as AWS's client for Go does and handlers in
Python (in as many processes) and Node.js: of another, requests wait for one another.

A storm of a scenario may come by an event source (trigger: queue, or async, bucket,
schedule): each trigger is published when it is due and ends when its handler is done, and
the report says how long each part of its way took. 'coldstorm help triggers' has the
settings.

--launcher compares container runtimes by cold start: the same function, storms
and rules with an OCI runtime in the place of coldstorm's own launcher, or with
none at all (process: the function runs with your rights, as root if you are).

stdout is the summary and the report's path; progress goes to stderr. Ctrl-C
stops the storm, keeps what was measured and marks the run aborted.

Examples:

    coldstorm run
    coldstorm run --function ./fn --payload event.json
    coldstorm run --function fn.zip --payload event.json --memory 512
    coldstorm run --function ./py --runtime python3.13 --handler app.main
    docker save fn:latest -o fn.tar && coldstorm run --function fn.tar
    coldstorm run --function registry.example/team/fn:1.2
    coldstorm run workloads/scenarios/burst.yaml --out /tmp/runs
    coldstorm run events # by a queue, a bucket, a schedule and asynchronously
    coldstorm run --function ./py --snapstart
    coldstorm run --live ecs-fargate,ecs-ec2 --kill-node 5s
    coldstorm run --live lambda-managed --environment-concurrency 16
    coldstorm run --function ./py --page-cache cold
    coldstorm run --launcher oci:crun`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o runOptions
		o.functionFlags(f)
		f.StringVar(&o.launcher, "launcher", launch.RuntimeBuiltin, "`launcher` that starts sandboxes: builtin, process (a plain process: no isolation, no limits) or oci:PATH (runc, crun, runsc)")
		o.contained.flags(f)
		f.BoolVar(&o.snapStart, "snapstart", false, "measure restores too: fire the storms of cold starts again at the function restored from a snapshot of its init (Python; see README)")
		f.StringVar(&o.pageCache, "page-cache", pageCacheWarm, "`state` of the kernel's page cache of the function's own files: warm, as it is left, or cold, dropped after each deployment, so that the first cold start reads from the disk (needs no root)")
		f.StringVar(&o.reportLines, "report-lines", "", reportLinesUsage)
		f.StringVar(&o.out, "out", results.Root, "`folder` in which the run's folder is made")
		f.BoolVar(&o.noProjection, "no-projection", false, "measure here alone, project and price nothing")
		return func(ctx context.Context, a *app, args []string) error {
			if err := o.contained.check(f); err != nil {
				return err
			}
			if err := noneEmpty(f, "function", "payload", "runtime", "handler", "launcher", "out"); err != nil {
				return err
			}
			if o.pageCache != pageCacheWarm && o.pageCache != pageCacheCold {
				return usageError("", "--page-cache %q: want warm or cold", o.pageCache)
			}
			sc, err := o.scenario(args)
			if err != nil {
				return err
			}
			return newRunner(a, sc, o).do(ctx)
		}
	},
}

// functionFlags declares the flags that say what is measured.
func (o *runOptions) functionFlags(f *pflag.FlagSet) {
	f.StringVar(&o.function, "function", "", "`directory` or zip with a bootstrap or a handler, or container image: measure this instead of the scenario's function")
	f.StringVar(&o.payload, "payload", "", "`file` with the event that triggers carry (with --function; default {})")
	f.StringVar(&o.runtime, "runtime", "", "`runtime` of the function as AWS names it: python3.13, nodejs22.x, provided.al2023 (with --function; default: as what is there says)")
	f.StringVar(&o.handler, "handler", "", "`handler` of the function, module.function (with --function; default: the usual one)")
	f.IntVar(&o.memory, "memory", 0, "memory of the function in `MB`, instead of the scenario's; 1769 is one vCPU")
	f.DurationVar(&o.timeout, "timeout", 0, "the function's timeout, instead of the scenario's, 1s to 900s")
}

// noneEmpty refuses flags that were given an empty text.
func noneEmpty(f *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		if fl := f.Lookup(name); fl.Changed && fl.Value.String() == "" {
			return usageError("is a variable of your shell empty?", "--%s is empty", name)
		}
	}
	return nil
}

// runOptions are the flags of run, and of sweep.
type runOptions struct {
	function, payload string
	runtime, handler  string
	memory            int
	timeout           time.Duration
	launcher, out     string
	reportLines       string
	noProjection      bool
	snapStart         bool
	pageCache         string // of the function's files; of sweep: empty, as warm
	contained         containedOptions
	curves            *curveOptions // of sweep
}

// scenario is what is to be run, by the arguments and flags.
func (o runOptions) scenario(args []string) (workloads.Scenario, error) {
	var sc workloads.Scenario
	var err error
	switch {
	case len(args) > 1:
		return sc, usageError("", "run takes one scenario, not %d", len(args))
	case o.function != "" && len(args) == 1:
		return sc, usageError("name the function in the scenario instead: function: {path: ...}", "--function and a scenario exclude each other")
	case o.payload != "" && o.function == "":
		return sc, usageError("", "--payload goes with --function")
	case (o.runtime != "" || o.handler != "") && o.function == "":
		return sc, usageError("name them in the scenario instead: function: {runtime: ..., handler: ...}", "--runtime and --handler go with --function")
	case o.function != "":
		sc, err = workloads.ForFunction(workloads.Function{Path: o.function, Runtime: o.runtime, Handler: o.handler}, o.payload)
	case len(args) == 1:
		sc, err = loadScenario(args[0])
	default:
		sc = workloads.Default()
	}
	if err != nil {
		return sc, exitError{code: exitUsage, err: err}
	}
	if o.memory != 0 {
		sc.Function.MemoryMB = o.memory
		if o.memory < workloads.MinMemoryMB || o.memory > workloads.MaxMemoryMB {
			return sc, usageError("", "--memory %d is not within %d..%d MB (AWS Lambda quotas)", o.memory, workloads.MinMemoryMB, workloads.MaxMemoryMB)
		}
	}
	if o.timeout != 0 {
		sc.Function.Timeout = o.timeout
		if o.timeout < workloads.MinTimeout || o.timeout > workloads.MaxTimeout || o.timeout%time.Second != 0 {
			return sc, usageError("", "--timeout %v is not of whole seconds within %v..%v (AWS Lambda quotas)", o.timeout, workloads.MinTimeout, workloads.MaxTimeout)
		}
	}
	return sc, nil
}

// loadScenario reads a file, or a bundled scenario by its name.
func loadScenario(arg string) (workloads.Scenario, error) {
	if _, err := os.Stat(arg); errors.Is(err, os.ErrNotExist) && !strings.ContainsAny(arg, "/.") {
		return workloads.Embedded(arg)
	}
	return workloads.Load(arg)
}

// runner does one run, from the scenario to the report.
type runner struct {
	app      *app
	scenario workloads.Scenario
	options  runOptions
	progress *progress

	book     *cost.Book
	payloads []payload

	reportLines []sim.ReportLine // of the person's own function on Lambda
	work        string           // temporary folder: gone at the end
	dir         string           // the run's folder
	lock        *os.File         // on it
	run         results.Run
	series      []measured
	swept       []*record.Recorder // a size of the sweep's bursts each

	removeWork func()
}

func newRunner(a *app, sc workloads.Scenario, o runOptions) *runner {
	return &runner{app: a, scenario: sc, options: o}
}

// do measures, projects and reports. What was measured is kept whatever
// happens after: an interruption, a failed projection, a full disk.
func (r *runner) do(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return err
	}
	defer r.removeWork()
	defer func() { r.lock.Close() }() // of the last folder that it had
	r.progress = newProgress(r.app.stderr)
	defer r.progress.Close()

	err := r.measure(ctx)
	switch {
	case ctx.Err() != nil && !r.measured():
		r.removeFolder()
		return exitError{code: exitInterrupted, err: errors.New("interrupted before anything was measured")}
	case ctx.Err() != nil:
		r.run.Status = results.StatusAborted
		err = nil
	case err != nil && !r.measured():
		r.removeFolder()
		return err
	case err != nil:
		r.run.Status = results.StatusInvalid
		r.note(results.LevelSpoil, "", "the run ended early: %v", err)
	}
	if perr := r.projectAll(ctx); perr != nil && err == nil && ctx.Err() == nil {
		r.note(results.LevelWarn, "", "nothing was projected: %v", perr)
	}
	if ctx.Err() != nil && r.run.Status == results.StatusComplete {
		r.run.Status = results.StatusAborted // while projecting
	}
	r.run.Took = time.Since(r.run.Started)
	if werr := r.write(); werr != nil {
		return werr
	}
	os.Remove(filepath.Join(r.dir, underWay))
	r.progress.Close()
	if serr := r.summary(); serr != nil {
		return serr
	}
	if ctx.Err() != nil {
		return exitError{code: exitInterrupted, err: fmt.Errorf("interrupted; what was measured is in %s", r.dir)}
	}
	return err
}

// measured reports whether there is anything to keep.
func (r *runner) measured() bool { return len(r.series) > 0 || len(r.swept) > 0 }

// prepare checks everything that can be checked before anything is started, and
// makes the folders.
func (r *runner) prepare() error {
	var err error
	if r.book, err = cost.Region(r.scenario.Project.Region); err != nil {
		return exitError{code: exitUsage, err: err}
	}
	if err := r.checkInstance(); err != nil {
		return err
	}
	if err := checkLauncher(r.options.launcher); err != nil {
		return err
	}
	if r.reportLines, err = readReportLines(r.options.reportLines); err != nil {
		return err
	}
	if r.payloads, err = loadPayloads(r.scenario); err != nil {
		return exitError{code: exitUsage, err: err}
	}
	if err := r.checkTriggers(); err != nil {
		return err
	}
	if err := checkTraces(r.scenario); err != nil {
		return err
	}
	r.run = results.Run{
		Schema: results.Schema, Status: results.StatusComplete, Started: time.Now().UTC(),
		Scenario: r.scenario.Name, Command: commandLine(), Objective: r.scenario.Project.Objective,
		PriceBook: r.book.Ref(), Host: describeHost(),
	}
	return r.folders()
}

// folders makes the run's folder and a temporary one.
func (r *runner) folders() (err error) {
	if r.dir, r.lock, err = runFolder(func() (string, error) { return results.NewDir(r.options.out, r.scenario.Name, r.run.Started) }); err != nil {
		return usageError("name a folder that you may write to with --out", "%w", err)
	}
	r.run.ID = filepath.Base(r.dir)
	if r.work, r.removeWork, err = workFolder(); err != nil {
		r.removeFolder()
		return exitError{code: exitUsage, err: fmt.Errorf("make a temporary folder: %w", err), hint: "TMPDIR names a folder that you may write to"}
	}
	return nil
}

// checkInstance refuses an instance type that can't hold the function, before
// anything is measured for it.
func (r *runner) checkInstance() error {
	name, f := r.scenario.Project.Instance, r.scenario.Function
	if name == "" {
		return nil
	}
	hint := "leave project.instance out for the smallest that fits"
	in, err := r.book.Instance(name)
	if err != nil {
		return exitError{code: exitUsage, err: fmt.Errorf("project.instance: %w", err), hint: hint}
	}
	if in.Architecture != f.Architecture {
		return usageError(hint, "project.instance: %s is %s, the function %s", name, in.Architecture, f.Architecture)
	}
	return nil
}

// checkLauncher refuses a launcher that is unknown or not there.
func checkLauncher(name string) error {
	_, err := launch.ParseRuntime(name)
	if h := (*image.Hint)(nil); errors.As(err, &h) {
		return exitError{code: exitUsage, err: h.Err, hint: h.Hint}
	}
	return err
}

// removeFolder removes the run's folder if nothing was measured into it.
func (r *runner) removeFolder() { os.RemoveAll(r.dir) }

// note adds a sentence that a reader of the figures must know.
func (r *runner) note(level results.Level, about, format string, args ...any) {
	r.run.Notes = append(r.run.Notes, results.Note{Level: level, About: about, Text: fmt.Sprintf(format, args...)})
}

// commandLine is how this run was asked for, quoted for a shell.
func commandLine() string {
	words := []string{"coldstorm"}
	for _, w := range os.Args[1:] {
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$&;|<>*?()[]{}#~`!") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

func (r *runner) projectAll(ctx context.Context) error {
	if r.options.noProjection || ctx.Err() != nil {
		return nil
	}
	if _, others := directStorms(r.scenario.Storms); len(others) > 0 && len(others) == len(r.scenario.Storms) {
		r.note(results.LevelWarn, "", "nothing was projected: %s", sourced(others, "and projections are fed by storms of requests; add one without trigger"))
		return nil
	}
	quiet := quietest(r.series)
	prof, busy, err := profile(r.scenario, r.payloads, quiet, r.run.Host, r.run.Function)
	if err != nil {
		return err
	}
	if busy > quietShare {
		r.note(results.LevelWarn, "", "projections are fed with service times from a storm during which this host's cores were %.0f %% busy: they hold some wait for a core", 100*busy)
	}
	r.progress.Say("projecting %d compute models on AWS", len(r.scenario.Models))
	if why := withheld(r.run.Host, r.scenario.Function); why != "" {
		r.note(results.LevelWarn, "", "projections are withheld: %s", why)
		for _, m := range r.scenario.Models {
			row := results.Projection{Model: string(m), Withheld: true, Reason: why}
			if offered, reason := sim.Offered(m, r.scenario.Function); !offered {
				row.Withheld, row.Reason = false, reason
			}
			r.run.Projections = append(r.run.Projections, row)
		}
		return nil
	}
	r.anchor(&prof, r.reportLines)
	r.assumptions()
	r.run.Fidelity = fidelity(r.scenario, prof, r.run.Host.Cores, r.series, aroundOf(quiet, prof, r.run.Host))
	p := projector{scenario: r.scenario, payloads: r.payloads, profile: prof, book: r.book, say: func(m string) {
		r.progress.Show(func() []string { return []string{"projecting " + m} })
	}}
	r.run.Projections, r.run.BreakEven, err = p.all(ctx)
	r.tellCopies(projected)
	r.tellSources(projected)
	r.progress.Show(nil)
	return err
}

// assumptions notes what a projection takes for granted of this run.
func (r *runner) assumptions() {
	if why := extrapolated(r.scenario.Function, r.run.Host); why != "" {
		r.note(results.LevelWarn, "", "%s", why)
	}
	if here := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]; here != r.scenario.Function.Architecture {
		r.note(results.LevelWarn, "", "the function ran here as %s and is priced as %s", here, r.scenario.Function.Architecture)
	}
	if !r.run.Host.Limits {
		r.note(results.LevelWarn, "", "environments ran unlimited, with whole cores; at %d MB that is at least one vCPU, so projections are given, for a function that does not use more than one", r.scenario.Function.MemoryMB)
	}
}
