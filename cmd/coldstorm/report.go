package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"coldstorm/report/export"
)

var reportCommand = command{
	name: "report", args: "RUN...", short: "rebuild the reports of run folders from the folders alone",
	long: `
Report rebuilds report.html and the PNG charts of each run folder from
result.json, samples.csv and manifest.json in it, and prints the summary.
RUN is a folder, or latest for the newest below results/runs.

Examples:

    coldstorm report latest
    coldstorm report results/runs/20261123T090000Z-thumbnail`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		return func(ctx context.Context, a *app, args []string) error {
			if len(args) == 0 {
				return usageError("name a run's folder, or latest", "report: no run")
			}
			for _, arg := range args {
				if err := rebuild(a, arg); err != nil {
					return err
				}
			}
			return nil
		}
	},
}

func rebuild(a *app, arg string) error {
	k, err := findSome(arg, drawn)
	if err != nil {
		return err
	}
	if err := k.writeReports(); err != nil {
		return err
	}
	if err := export.Text(a.stdout, k.run, terminal(a.stdout)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "\n%s\n", filepath.Join(k.dir, "report.html"))
	return err
}
