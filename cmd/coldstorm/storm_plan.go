package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/workloads"
)

// plannedStorm is a storm to be fired at the endpoint.
type plannedStorm struct {
	name     string
	schedule storm.Schedule
	payloads []string // of the scenario; all of them if empty
}

// plan makes the storms that the flags ask for.
func (o *stormOptions) plan(sc workloads.Scenario) ([]plannedStorm, error) {
	switch {
	case o.trace != "":
		sc.Storms = []workloads.Storm{{Name: o.name, Shape: workloads.ShapeTrace, File: o.trace, Time: o.time, Load: o.load}}
	case o.scenario == "" && o.storm == "":
		st, err := o.shaped()
		if err != nil {
			return nil, err
		}
		sc.Storms = []workloads.Storm{st}
	}
	var all []plannedStorm
	for _, st := range sc.Storms {
		sc.Seed = o.seed
		s, err := scheduleOf(sc, st)
		if err != nil {
			return nil, exitError{code: exitUsage, err: err}
		}
		if !st.Trigger.Direct() {
			return nil, usageError("leave trigger out and publish at a source of the endpoint: URL/coldstorm/publish/NAME --completions; 'coldstorm run' makes the source itself", "storm %s: a URL takes requests, and its trigger is %s", st.Name, st.Trigger.Kind)
		}
		if storm.Functions(s) > 1 || storm.Chilling(s) {
			return nil, usageError("a URL is one function, and can't be asked for a cold start", "storm %s: its shape spreads over functions, or asks for cold starts", st.Name)
		}
		all = append(all, plannedStorm{st.Name, s, st.Payloads})
	}
	if len(all) == 0 {
		return nil, usageError("", "scenario %s has no storms, but a sweep", sc.Name)
	}
	if len(all) == 1 && (o.scenario == "" || o.given("name")) {
		all[0].name = o.name
	}
	return all, nil
}

// scenarioOf is what --scenario or --storm hold. Without either it is empty but
// for name and seed.
func (o *stormOptions) scenarioOf() (sc workloads.Scenario, err error) {
	switch given := o.several("scenario", "storm", "trace"); {
	case given != "":
		return sc, usageError("each names the storms to be fired", "%s exclude each other", given)
	case o.trace == "" && o.anyGiven("trace-time", "trace-load") != "":
		return sc, usageError("--trace names its file", "--%s is of a trace, and there is none", o.anyGiven("trace-time", "trace-load"))
	case o.trace != "" && !(o.time > 0 && o.load > 0):
		return sc, usageError("1 leaves a trace as it is", "--trace-time %v and --trace-load %v: want factors above 0", o.time, o.load)
	case o.trace != "":
		sc = workloads.Scenario{Name: "storm", Seed: o.seed}
	case o.scenario != "":
		sc, err = loadScenario(o.scenario)
	case o.storm != "":
		sc, err = workloads.Parse("--storm", []byte("name: storm\nfunction: {workload: hello}\nstorms:\n  - "+o.storm+"\n"))
	default:
		return workloads.Scenario{Name: "storm", Seed: o.seed}, nil
	}
	if err != nil {
		return sc, exitError{code: exitUsage, err: err}
	}
	if flag := o.anyGiven("shape", "rate", "duration", "n", "gap", "ramp", "poisson"); flag != "" {
		return sc, usageError("the storm's shape is in there", "--%s goes with none of --scenario, --storm and --trace", flag)
	}
	if o.given("seed") || o.storm != "" {
		sc.Seed = o.seed
	}
	o.seed = sc.Seed
	return sc, nil
}

// several names those of some flags that were given, if there are two or more.
func (o *stormOptions) several(flags ...string) string {
	var list []string
	for _, name := range flags {
		if o.given(name) {
			list = append(list, "--"+name)
		}
	}
	if len(list) < 2 {
		return ""
	}
	return strings.Join(list, " and ")
}

// anyGiven names the first of some flags that was given.
func (o *stormOptions) anyGiven(flags ...string) string {
	for _, name := range flags {
		if o.given(name) {
			return name
		}
	}
	return ""
}

// shapes are those of --shape, with the flags that each takes.
var shapes = map[workloads.Shape][]string{
	workloads.ShapeConstant: {"rate", "duration", "n", "poisson"},
	workloads.ShapeRamp:     {"ramp", "duration", "poisson"},
	workloads.ShapeBurst:    {"n"},
	workloads.ShapeGap:      {"n", "gap"},
	workloads.ShapeSequence: {"n"},
}

// shaped is the storm that the flags of shapes ask for.
func (o *stormOptions) shaped() (workloads.Storm, error) {
	st := workloads.Storm{Name: o.name, Shape: workloads.Shape(o.shape), N: o.n, Gap: o.gap, Poisson: o.poisson}
	if st.Shape == "" {
		st.Shape = workloads.ShapeConstant
		if o.ramp != "" {
			st.Shape = workloads.ShapeRamp
		}
	}
	takes, ok := shapes[st.Shape]
	if !ok {
		return st, usageError("constant, burst, ramp, gap or sequence; any other by --storm '{shape: ...}'", "--shape %s is none that flags describe", st.Shape)
	}
	if extra := o.beside(takes); extra != "" {
		return st, usageError(fmt.Sprintf("it takes --%s", strings.Join(takes, ", --")), "--%s doesn't go with shape %s", extra, st.Shape)
	}
	if o.duration <= 0 {
		return st, usageError("a storm has an end; 24h is a long one", "--duration %v", o.duration)
	}
	switch st.Shape {
	case workloads.ShapeConstant:
		return o.constant(st)
	case workloads.ShapeRamp:
		var err error
		if st.From, st.To, err = ramped(o.ramp); err != nil {
			return st, usageError("", "--ramp: %w", err)
		}
		st.For = o.duration
		return st, nil
	}
	if o.n < 1 {
		return st, usageError("such as --n 100", "shape %s wants --n, the number of triggers", st.Shape)
	}
	if st.Shape == workloads.ShapeGap && o.gap <= 0 {
		return st, usageError("such as --gap 30s", "shape gap wants --gap, the time between triggers")
	}
	return st, nil
}

// beside names a flag of shapes that was given and isn't among those taken.
func (o *stormOptions) beside(taken []string) string {
	for _, name := range []string{"rate", "duration", "n", "gap", "ramp", "poisson"} {
		if !slices.Contains(taken, name) && o.given(name) {
			return name
		}
	}
	return ""
}

// constant is a rate for a time, or for a number of triggers.
func (o *stormOptions) constant(st workloads.Storm) (workloads.Storm, error) {
	st.Rate, st.For, st.N = o.rate.perSecond(), o.duration, 0
	if o.n == 0 && !o.given("n") {
		return st, nil
	}
	if o.given("duration") || o.n < 1 {
		return st, usageError("", "--n %d: a rate is held for a --duration or for --n triggers, at least one", o.n)
	}
	// Half an interval less: the last trigger is in, and none after it.
	st.For = time.Duration((float64(o.n) - 0.5) / st.Rate * 1e9)
	return st, nil
}
