package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"coldstorm/runtime/launch"
)

var doctorCommand = command{
	name: "doctor", short: "what this host offers, and what to do about what is missing",
	long: `
Doctor tries each kernel feature that sandboxes are made of, and says what a
missing one means for the figures and what to do about it. Nothing that it makes
outlives it.

Example:

    coldstorm doctor`,
	setup: func(*pflag.FlagSet) func(context.Context, *app, []string) error {
		return func(_ context.Context, a *app, args []string) error {
			if len(args) > 0 {
				return usageError("", "doctor takes no arguments")
			}
			d, h := describeHost(), launch.Probe()
			fmt.Fprintf(a.stdout, "host       %s, %d cores, %d MB, Linux %s\n", d.CPU, d.Cores, d.MemoryBytes>>20, d.Kernel)
			fmt.Fprintf(a.stdout, "clock      %s\ncgroups    %s\n", d.ClockSource, h.Cgroup)
			for _, p := range []struct {
				name string
				part launch.Part
			}{
				{"overlay", h.Overlay},
				{"seccomp", h.Seccomp},
				{"memory", h.Memory},
				{"cpu", h.CPU},
				{"pids", h.Pids},
				{"freezer", h.Freezer},
				{"user ns", h.UserNS},
			} {
				mark := "yes"
				if !p.part.OK {
					mark = "NO"
				}
				fmt.Fprintf(a.stdout, "%-10s %-4s%s\n", p.name, mark, p.part.Reason)
			}
			for _, m := range h.Missing() {
				fmt.Fprintf(a.stdout, "\nmissing    %s\n", m)
			}
			return nil
		}
	},
}
