package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// The simulation is held against storms that it was not calibrated on: their shapes, rates
// and seed are drawn afresh in each run.
const (
	fidelityStorms = 3
	fidelityColds  = 200 // cold starts that the storms are to have at least, on Lambda
)

// fidelityLimits are how far the simulation may be off live, by metric. Where live is
// further than half of it from itself on the same storm, twice that is.
var fidelityLimits = map[string]float64{
	"cold_starts": 0.05, "environments": 0.10,
	"cold_p50": 0.10, "warm_p50": 0.10, "cold_p90": 0.20, "warm_p90": 0.20, "cold_p99": 0.20, "warm_p99": 0.20,
}

// fidelityCalibration tells what the function takes on a quiet host: starts one at a time,
// warm invocations, and both in environments that don't live long. It is fired before each
// drawn storm and after the last, since a host's speed drifts.
const fidelityCalibration = `
  - {name: cold-%[1]d, shape: sequence, n: 20, keep_alive: 0}
  - {name: warm-%[1]d, shape: constant, rate: 15/s, for: 5s, warm: 6}
  - {name: young-%[1]d, shape: poisson, rate: 8/s, for: 6s, keep_alive: 100ms}
`

// drawnStorm is a line of a scenario: a storm that has cold and warm starts, at rates
// that two cores can carry.
func drawnStorm(r *rand.Rand, name string) string {
	rate := 14 + 10*r.Float64()
	keep := 30 + r.IntN(90)
	shape := []string{
		fmt.Sprintf("shape: poisson, rate: %.1f/s, for: 12s", rate),
		fmt.Sprintf("shape: ramp, from: 1/s, to: %.1f/s, for: 12s, arrivals: poisson", 2*rate),
		fmt.Sprintf("shape: step, from: 2/s, to: %.1f/s, steps: %d, for: 12s, arrivals: poisson", 1.5*rate, 2+r.IntN(4)),
		fmt.Sprintf("shape: on-off, high: %.1f/s, low: 1/s, high_for: 800ms, low_for: 800ms, for: 12s", 1.5*rate),
		fmt.Sprintf("shape: wave, rate: %.1f/s, swing: %.1f/s, period: %ds, for: 12s, arrivals: poisson", rate, rate*0.8, 3+r.IntN(4)),
	}[r.IntN(5)]
	return fmt.Sprintf("  - {name: %s, %s, keep_alive: %dms}\n", name, shape, keep)
}

// fidelityScenario draws a scenario.
func fidelityScenario(seed uint64) (workloads.Scenario, error) {
	r := rand.New(rand.NewPCG(seed, 0))
	var b strings.Builder
	fmt.Fprintf(&b, "function: {workload: thumbnail, memory: 1769MB, timeout: 120s}\npayloads: [{name: small, size: small}]\nstorms:")
	for i := range fidelityStorms {
		fmt.Fprintf(&b, fidelityCalibration, i)
		b.WriteString(drawnStorm(r, fmt.Sprint("drawn-", i+1)))
	}
	fmt.Fprintf(&b, fidelityCalibration, fidelityStorms)
	fmt.Fprintf(&b, "live: [ecs-fargate, ec2]\nmodels: [lambda, ecs-fargate, ec2]\nseed: %d\n", seed)
	return workloads.Parse("fidelity", []byte(b.String()))
}

// benchFidelity fires drawn storms at real environments, containers and instances, twice
// each, and prints how far the simulation of the first is off, beside how far the second is.
func benchFidelity(ctx context.Context, o benchOptions) (benchTable, error) {
	var t benchTable
	seed := uint64(time.Now().UnixNano()) & math.MaxInt32
	sc, err := fidelityScenario(seed)
	if err != nil {
		return t, err
	}
	dir, remove, err := workFolder()
	if err != nil {
		return t, err
	}
	defer remove()
	var runs [2]*runner
	for i := range runs {
		if runs[i], err = fidelityRun(ctx, sc, filepath.Join(dir, fmt.Sprint(i))); err != nil {
			return t, err
		}
	}
	first, again := runs[0], runs[1]
	rows, err := first.held()
	if err != nil {
		return t, err
	}
	apart := map[string]float64{}
	for i, m := range first.series[:min(len(first.series), len(again.series))] {
		for _, f := range m.apart(again.series[i]) {
			apart[f.Series+"\x00"+f.Model+"\x00"+f.Metric] = math.Abs(f.Error)
		}
	}
	colds := 0.0
	for _, f := range rows {
		limit, judged := fidelityLimits[f.Metric]
		if !judged || !strings.HasPrefix(f.Series, "drawn-") {
			continue
		}
		if f.Metric == "cold_starts" && f.Model == string(workloads.ModelLambda) {
			colds += f.Live
		}
		spread, ok := apart[f.Series+"\x00"+f.Model+"\x00"+f.Metric]
		if ok {
			limit = max(limit, math.Round(200*spread)/100)
		} else {
			spread = -1
		}
		t.Rows = append(t.Rows, fidelityRow(f, spread))
		t.Goals = append(t.Goals, atMost(fmt.Sprintf("error of %s, %s", strings.ReplaceAll(f.Metric, "_", " "), fidelityOn(f)), limit, math.Abs(f.Error)))
	}
	t.Goals = append(t.Goals, atLeast("cold starts of the drawn storms on Lambda", fidelityColds, colds))
	t.Notes = append(t.Notes,
		fmt.Sprintf("seed %d; the profile is of storms of their own, none of which is a row: before each drawn storm and after the last 20 starts one at a time, 75 warm invocations and 48 triggers of environments that live for 100 ms", seed),
		"live again: how far the same storm's figure is off when it is fired once more at new environments; a goal is the larger of its own limit and twice that",
	)
	for _, st := range sc.Storms {
		if strings.HasPrefix(st.Name, "drawn-") {
			t.Notes = append(t.Notes, fmt.Sprintf("%s: %s, keep-alive %v", st.Name, st.Shape, *st.KeepAlive))
		}
	}
	return t, nil
}

// apart holds what the same storm measured another time against the first, as a
// simulation of it would be.
func (m measured) apart(again measured) []results.Fidelity {
	model := workloads.ModelLambda
	if m.fleet != nil {
		model = m.fleet.model
	}
	return sim.Fidelity(m.Name, m.Series, sim.Outcome{
		Model: model, Counts: again.Counts, Latency: again.Latency, Timeline: again.Timeline,
	})
}

// fidelityOn says which storm was fired at which model.
func fidelityOn(f results.Fidelity) string {
	storm, _, _ := strings.Cut(f.Series, " on ")
	return storm + " on " + f.Model
}

func fidelityRow(f results.Fidelity, spread float64) benchRow {
	figures := func(v float64) benchFigure { return benchFigure{Value: v} }
	switch {
	case f.Metric == "environments":
		figures = func(v float64) benchFigure { return benchFigure{Unit: unitRatio, Value: v} }
	case strings.Contains(f.Metric, "_p"):
		figures = func(v float64) benchFigure { return duration("", time.Duration(v)) }
	}
	named := func(name string, v float64) benchFigure {
		x := figures(v)
		x.Name = name
		return x
	}
	return benchRow{
		Contender: fmt.Sprintf("%s: %s", fidelityOn(f), strings.ReplaceAll(f.Metric, "_", " ")),
		Figures: []benchFigure{
			named("live", f.Live), named("simulated", f.Sim),
			{Name: "error", Unit: unitSigned, Value: 100 * f.Error},
			{Name: "live again", Unit: unitPercent, Value: 100 * max(spread, 0), None: spread < 0},
		},
	}
}

// fidelityRun measures a scenario, and reports nothing.
func fidelityRun(ctx context.Context, sc workloads.Scenario, out string) (*runner, error) {
	r := newRunner(&app{stdout: io.Discard, stderr: io.Discard}, sc, runOptions{out: out, launcher: "builtin"})
	if err := r.prepare(); err != nil {
		return nil, err
	}
	defer r.removeWork()
	defer func() { r.lock.Close() }()
	r.progress = newProgress(io.Discard)
	defer r.progress.Close()
	return r, r.measure(ctx)
}

// held holds the simulation, fed by the calibration's storms, against all.
func (r *runner) held() ([]results.Fidelity, error) {
	calibration := slices.DeleteFunc(slices.Clone(r.series), func(m measured) bool { return strings.HasPrefix(m.Name, "drawn-") || m.fleet != nil })
	quiet := quietest(calibration)
	prof, _, err := profile(r.scenario, r.payloads, quiet, r.run.Host, r.run.Function)
	if err != nil {
		return nil, err
	}
	rows := fidelity(r.scenario, prof, r.run.Host.Cores, r.series, aroundOf(quiet, prof, r.run.Host))
	slices.SortStableFunc(rows, func(a, b results.Fidelity) int { return cmp.Compare(a.Series, b.Series) })
	return rows, nil
}
