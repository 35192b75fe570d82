package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/loadgen/drive"
	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/live"
	"coldstorm/runtime/live/fleet"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// containedOptions are the flags of run for the models of containers, instances and Lambda
// Managed Instances.
type containedOptions struct {
	models []string // empty: as the scenario says
	speed  int
	serve  string
	delays bool
	kill   time.Duration // from a storm's start; 0: nothing is killed

	perEnvironment int // of Managed Instances, requests at once; 0: as projected
}

// liveSpeed is how much faster than the machine's the scalers' clock passes by default: a
// minute's metric in a second.
const liveSpeed = 60

func (o *containedOptions) flags(f *pflag.FlagSet) {
	f.StringSliceVar(&o.models, "live", nil, "`models` to run on this machine too, with real containers on emulated nodes: ecs-fargate, eks-fargate, ecs-ec2, eks-ec2, ec2; lambda-managed, with several requests at once in an environment; or lambda alone (default: as the scenario says)")
	f.IntVar(&o.perEnvironment, "environment-concurrency", 0, "`requests` that an environment of lambda-managed serves at once, as its runtime is told (default: as many as its vCPUs serve)")
	f.IntVar(&o.speed, "live-speed", liveSpeed, "`factor` by which the clock of their scalers and health checks is sped up; 1 is real time")
	f.StringVar(&o.serve, "serve", "", "how their containers take requests: `runtime-api` or http, on $PORT (default: the first that shows)")
	f.BoolVar(&o.delays, "live-delays", false, "sleep AWS's published time to pull an image and to boot an instance, on the sped-up clock, before a container and a node start")
	f.DurationVar(&o.kill, "kill-node", 0, "kill a node, or a container of a model without nodes, this `long` after the start of each of their storms")
}

func (o *containedOptions) check(f *pflag.FlagSet) error {
	for _, m := range o.models {
		if !slices.Contains(workloads.LiveModels, workloads.Model(m)) {
			return usageError("", "--live %s: want %s", m, strings.Join(names(workloads.LiveModels), ", "))
		}
	}
	switch {
	case o.perEnvironment < 0 || o.perEnvironment > workloads.MaxPerEnvironment:
		return perEnvironmentError(o.perEnvironment)
	case o.speed < 1 || o.speed > 3600:
		return usageError("1 is real time, 60 passes a minute in a second", "--live-speed %d is not within 1..3600", o.speed)
	case !slices.Contains([]fleet.Serve{fleet.ServeAny, fleet.ServeRuntime, fleet.ServeHTTP}, fleet.Serve(o.serve)):
		return usageError("", "--serve %q: want runtime-api or http", o.serve)
	case o.kill < 0:
		return usageError("", "--kill-node %v is before the storm", o.kill)
	}
	return nil
}

func names(models []workloads.Model) (list []string) {
	for _, m := range models {
		list = append(list, string(m))
	}
	return list
}

// liveModels are those beside Lambda's own environments that are to run here.
func (r *runner) liveModels() (list []workloads.Model) {
	list = slices.Clone(r.scenario.Live)
	if len(r.options.contained.models) > 0 {
		list = nil
		for _, m := range r.options.contained.models {
			list = append(list, workloads.Model(m))
		}
	}
	return slices.DeleteFunc(list, func(m workloads.Model) bool { return m == workloads.ModelLambda })
}

// liveFleet is what a series ran on: containers, or environments that stand.
type liveFleet struct {
	model workloads.Model
	made  engine.Containers
	age   time.Duration // when its storm began

	standing *live.Standing // in the place of made
	places   int            // in an environment of those
	timeout  time.Duration  // of the function there
}

// contained fires storms at the function in containers, instances and environments that
// stand, a model after the other. A model that can't run here is no error: the run says why, and goes on.
func (l *liveTarget) contained(ctx context.Context) error {
	models := l.liveModels()
	if len(models) == 0 {
		return nil
	}
	if _, others := directStorms(l.scenario.Storms); len(others) > 0 {
		l.note(results.LevelWarn, "", "left out on %s: %s", strings.Join(names(models), ", "), sourced(others, "and containers and environments that stand take requests alone here"))
	}
	prof, _, err := profile(l.scenario, l.payloads, quietest(l.series), l.run.Host, l.run.Function)
	if err != nil {
		l.note(results.LevelWarn, "", "containers did not run here: %v", err)
		return nil
	}
	storms := l.containedStorms(prof)
	if len(storms) == 0 {
		l.note(results.LevelWarn, "", "containers did not run here: the scenario has no storm of an open loop that this machine can serve within %v", containedWork)
		return nil
	}
	for _, m := range models {
		if err := l.containedModel(ctx, m, prof, storms); err != nil {
			return err
		}
	}
	return nil
}

// containedWork bounds a storm's work that containers are given, at all of the host's
// processors.
const containedWork = 5 * time.Second

// containedStorms are the scenario's open-loop storms of requests whose work this host can do in time.
func (l *liveTarget) containedStorms(prof sim.Profile) (list []workloads.Storm) {
	for _, st := range l.scenario.Storms {
		if !projected(st) || !st.Trigger.Direct() {
			continue
		}
		s, err := scheduleOf(l.scenario, st)
		if err != nil {
			continue
		}
		if ok, why := sim.Copied(workloads.ModelEC2, simulatedCopies(s, 1)); !ok { // as on all that stand
			l.note(results.LevelWarn, st.Name, "not fired at %s: %s", strings.Join(names(l.liveModels()), ", "), why)
			continue
		}
		work := time.Duration(s.Len()) * meanService(only(prof, st.Payloads))
		if work <= containedWork*time.Duration(l.run.Host.Cores) {
			list = append(list, st)
		}
	}
	return list
}

// meanService is the mean service time of a profile's warm invocations, by the payloads'
// weights.
func meanService(p sim.Profile) time.Duration {
	var sum, weights time.Duration
	for _, pl := range p.Payloads {
		var all time.Duration
		for _, d := range pl.Service {
			all += d
		}
		w := time.Duration(max(1, pl.Weight))
		sum += w * all / time.Duration(max(1, len(pl.Service)))
		weights += w
	}
	return sum / max(1, weights)
}

// containedModel deploys the function under a model's rules and fires the storms at it.
func (l *liveTarget) containedModel(ctx context.Context, m workloads.Model, prof sim.Profile, storms []workloads.Storm) error {
	if ok, why := sim.Offered(m, l.scenario.Function); !ok {
		l.note(results.LevelWarn, string(m), "%s did not run here: not offered: %s", m, why)
		return nil
	}
	deployed, on, words, err := l.fleetOf(m, prof)
	if err != nil {
		l.note(results.LevelWarn, string(m), "%s did not run here: %v", m, err)
		return nil
	}
	for _, st := range storms {
		l.progress.Say("storm %s on %s, live", st.Name, m)
		err := l.engine.Deploy(deployed)
		if errors.Is(err, engine.ErrClosed) {
			return err
		}
		if err != nil {
			l.note(results.LevelWarn, string(m), "%s did not run here: %v", m, err)
			return nil
		}
		fresh := *on
		if err := l.containedStorm(ctx, st, &fresh, words); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// fleetOf is a model's deployment, and what it is in words.
func (l *liveTarget) fleetOf(m workloads.Model, prof sim.Profile) (engine.Function, *liveFleet, string, error) {
	if m == workloads.ModelLambdaManaged {
		return l.standing(prof)
	}
	made, words, err := l.scaled(m, prof)
	f := l.scenario.Function
	return engine.Function{Image: l.image, Name: f.Name, MemoryMB: f.MemoryMB, Timeout: f.Timeout, Env: f.Env, Containers: &made}, &liveFleet{model: m, made: made}, words, err
}

// containedStorm fires one storm and keeps what came of it.
func (l *liveTarget) containedStorm(ctx context.Context, st workloads.Storm, on *liveFleet, words string) error {
	st.Name += " on " + string(on.model)
	killed := make(chan error, 1)
	if after := l.options.contained.kill; after > 0 {
		defer time.AfterFunc(after, func() { killed <- l.kill(on) }).Stop()
	}
	l.bound = 0
	m, err := l.fire(ctx, st, func(a *drive.Attack) {
		if on.standing == nil {
			a.URL = l.engine.BalancerURL(l.scenario.Function.Name)
		}
	})
	if err != nil {
		return err
	}
	select {
	case err := <-killed:
		if err != nil {
			l.note(results.LevelWarn, st.Name, "%v", err)
		}
	default:
	}
	m.Model, m.Config, m.fleet = string(on.model), words, on
	if on.standing == nil {
		if m.States, err = l.engine.States(); err != nil {
			return err
		}
	}
	if first := l.view.first.Load(); first != nil {
		x := firstOf(m.recorder.Samples())
		at, _ := m.schedule.At(int(x.Seq))
		on.age = first.Age + x.Intended.Add(-at).Sub(first.At)
	}
	l.series = append(l.series, m)
	l.judge(m)
	l.judgeFleet(m)
	return nil
}

// kill ends a node, or a container where there are none.
func (l *liveTarget) kill(on *liveFleet) error {
	c := on.made
	if on.standing != nil {
		return errors.New("nothing was killed: environments that stand have no nodes here")
	}
	if c.UnitNode || c.Rules.Place != fleet.PlaceNone {
		return l.engine.KillNode(0)
	}
	return l.engine.KillUnit(0)
}

// judgeFleet notes what a reader must know of a storm on containers.
func (l *liveTarget) judgeFleet(m measured) {
	l.note(results.LevelInfo, m.Name, "%s", m.Config)
	last := l.view.last.Load()
	if last == nil {
		return
	}
	if last.Unlimited {
		l.note(results.LevelWarn, m.Name, "nodes are unlimited: this host gives no rights to cgroups; 'coldstorm doctor' says what to do")
	}
	for _, x := range last.Losses {
		what := fmt.Sprintf("a node with %d units was killed", x.Units)
		if x.Node == 0 {
			what = "a unit was killed"
		}
		back := "as many were not ready again before the storm's end"
		if x.Back > 0 {
			back = "as many as before were ready again after " + span(x.Back.Sub(x.Killed))
		}
		seen := "it was not noticed before the storm's end"
		if x.Noticed > 0 {
			seen = "noticed after " + span(x.Noticed.Sub(x.Killed))
		}
		l.note(results.LevelInfo, m.Name, "%s: %s, %s; until then %d requests were lost (502) and %d served", what, seen, back, x.Lost, x.Served)
	}
	if n := last.Crashed - killedUnits(last.Losses); n > 0 {
		l.note(results.LevelWarn, m.Name, "%d units ended by themselves and were replaced", n)
	}
}

func killedUnits(list []fleet.Loss) (n int) {
	for _, x := range list {
		if x.Noticed > 0 {
			n += x.Units
		}
	}
	return n
}

// containedFidelity holds the simulation of the same storm, rules and host against a
// series of containers.
func (m measured) containedFidelity(prof sim.Profile, cores int, around around, seed int64) []results.Fidelity {
	of := sim.HostConfig{Profile: prof, Arrivals: arrivals(m.schedule), Cores: float64(cores), Overhead: around.overhead, Beside: around.beside, Seed: seed}
	if m.fleet.standing != nil {
		of.Fleet = m.fleet.standingFleet()
	} else if of.Fleet = m.fleet.hostFleet(cores); of.Fleet == nil {
		return nil
	}
	o, err := sim.Host(of)
	if err != nil {
		return nil
	}
	return sim.Fidelity(m.Name, m.Series, o)
}

// hostFleet is what the simulation of this host is told of a series of containers.
func (f *liveFleet) hostFleet(cores int) *sim.HostFleet {
	c := f.made
	p, err := c.Rules.Plane(c.Speed)
	if err != nil {
		return nil
	}
	cpus := c.Unit.CPUs
	if c.UnitNode {
		cpus = c.Node.CPUs
	}
	if cpus >= float64(cores) {
		cpus = 0
	}
	return &sim.HostFleet{Model: f.model, Plane: p, Slots: c.Rules.Slots, VCPU: cpus, Age: max(0, f.age), Gateway: balancerTime}
}
