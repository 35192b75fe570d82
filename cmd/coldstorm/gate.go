package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"

	"coldstorm/report/gate"
)

var gateCommand = command{
	name: "gate", args: "--base RUN --head RUN [flags]", short: "compare two runs: pass, regression or inconclusive",
	long: `
Gate compares the figures of two run folders, metric by metric, each with its
effect, a 95 % interval, the limit and a verdict. Two runs made one after the
other on a noisy machine don't compare well, so the outcome is advisory: exit
code 1 only with --enforce. What the data can't say is inconclusive, never pass.

Examples:

    coldstorm gate --base results/baseline/main --head latest
    coldstorm gate --base A --head B --enforce --json`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		base := f.String("base", "", "the `run` to compare with")
		head := f.String("head", "", "the `run` to judge")
		enforce := f.Bool("enforce", false, "exit with 1 on a regression")
		asJSON := f.Bool("json", false, "print JSON instead of a table")
		return func(_ context.Context, a *app, args []string) error {
			if *base == "" || *head == "" || len(args) > 0 {
				return usageError("coldstorm gate --base RUN --head RUN", "gate: two runs are needed, by --base and --head")
			}
			b, err := arm(*base)
			if err != nil {
				return err
			}
			h, err := arm(*head)
			if err != nil {
				return err
			}
			return judge(a, gate.Compare(b, h, gate.Limits{}), *enforce, *asJSON)
		}
	},
}

// arm reads one side of a comparison.
func arm(arg string) (gate.Arm, error) {
	k, err := find(arg)
	return gate.Arm{Run: k.run, Samples: k.samples, Manifest: k.manifest}, err
}

func judge(a *app, r gate.Report, enforce, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(r); err != nil {
			return err
		}
	} else if err := r.Text(a.stdout); err != nil {
		return err
	}
	if code := r.ExitCode(enforce); code != exitPass {
		return exitError{code: code}
	}
	if r.ExitCode(true) == exitRegression {
		fmt.Fprintln(a.stderr, "coldstorm: a regression, advisory: --enforce makes it exit code 1")
	}
	return nil
}
