package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/results"
	"coldstorm/runtime/launch"
)

var sweepCommand = command{
	name: "sweep", args: "[SCENARIO] --over AXIS[=V1,V2,...] [flags]", short: "scaling curves: what a function does as one thing grows",
	long: `
Sweep varies one thing, measures the function at each value, on this machine, and
writes a run folder whose report draws the curves: latency, cold and warm apart, over
the value, and the throughput with its knee. With several --over it draws a curve for
each, one after another, all else as the scenario has it.

` + axesHelp() + `
Values are numbers, from the smallest on; sizes may be written 100KB or 10MB. A value
is measured --repeats times, and every repeat's throughput is in result.json. Sizes
begin with the lightest load, so a knee is where the curve of this function on this
machine bends; a report says where the machine, not the function, was the bottleneck.

SCENARIO, --function, --payload, --runtime, --handler, --memory, --timeout and
--launcher are those of run.

Examples:

    coldstorm sweep --over burst
    coldstorm sweep --over memory=128,512,1769 --function fn.zip --payload event.json
    coldstorm sweep --over rate=10,100,1000 --for 10s --function ./fn
    coldstorm sweep --over package=0,50MB,200MB --over payload=1KB,100KB,5MB --n 10`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o runOptions
		var c curveOptions
		f.StringArrayVar(&c.over, "over", nil, "what to vary: `AXIS` or AXIS=V1,V2,...; may be given several times")
		f.IntVar(&c.repeats, "repeats", 3, "times that each value of burst, rate and concurrency is measured")
		f.IntVar(&c.n, "n", 20, "cold and warm starts at each value of memory, package and payload; answers that each client waits for, of concurrency")
		f.DurationVar(&c.hold, "for", 5*time.Second, "how long each rate is held")
		o.functionFlags(f)
		f.StringVar(&o.launcher, "launcher", launch.RuntimeBuiltin, "`launcher` that starts sandboxes: builtin, process or oci:PATH")
		f.StringVar(&o.out, "out", results.Root, "`folder` in which the run's folder is made")
		return func(ctx context.Context, a *app, args []string) error {
			if err := noneEmpty(f, "function", "payload", "runtime", "handler", "launcher", "out"); err != nil {
				return err
			}
			if err := c.parse(); err != nil {
				return err
			}
			sc, err := o.scenario(args)
			if err != nil {
				return err
			}
			sc.Storms, sc.Sweep.Burst, o.noProjection, o.curves = nil, nil, true, &c
			return newRunner(a, sc, o).do(ctx)
		}
	},
}

// curveOptions say which curves to measure, and how.
type curveOptions struct {
	over       []string
	axes       []axis // of over
	repeats, n int
	hold       time.Duration
}

func (c *curveOptions) parse() error {
	if len(c.over) == 0 {
		return usageError("for example --over burst, --over memory=128,512,1769", "sweep needs --over: what to vary")
	}
	for _, text := range c.over {
		a, err := parseAxis(text)
		if err != nil {
			return err
		}
		for _, b := range c.axes {
			if a.name == b.name {
				return usageError("give all its values in one", "--over %s is given twice", a.name)
			}
		}
		c.axes = append(c.axes, a)
	}
	switch {
	case c.repeats < 1 || c.repeats > 100:
		return usageError("", "--repeats %d is not within 1..100", c.repeats)
	case c.n < 1 || c.n > 10_000:
		return usageError("", "--n %d is not within 1..10000", c.n)
	case c.hold < 100*time.Millisecond || c.hold > time.Hour:
		return usageError("", "--for %v is not within 100ms..1h", c.hold)
	}
	return nil
}

// axesHelp lists the axes with the values that they have by themselves.
func axesHelp() string {
	var b strings.Builder
	for _, a := range axes() {
		fmt.Fprintf(&b, "    %-11s %s\n                (%s)\n", a.name, a.about, a.example())
	}
	return b.String()
}
