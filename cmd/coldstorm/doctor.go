package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"coldstorm/runtime/launch"
)

var doctorCommand = command{
	name: "doctor", args: "[--json]", short: "what this host offers, and what to do about what is missing",
	long: `
Doctor tries each thing that sandboxes are made of, as the user who calls it, and
says what a missing one means for the figures and what to do about it. It tells
how noisy the host is just now, and which OCI runtimes it found. Nothing that it
makes outlives it, but controllers that it handed down in a version 2 cgroup.

The exit code is 0 if coldstorm can run here at all, with or without limits, and
4 if not.

Examples:

    coldstorm doctor
    systemd-run --user --scope -p Delegate=yes coldstorm doctor
    coldstorm doctor --json`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		asJSON := f.Bool("json", false, "print JSON instead of a table")
		return func(ctx context.Context, a *app, args []string) error {
			if len(args) > 0 {
				return usageError("", "doctor takes no arguments")
			}
			d := examine(ctx)
			print := d.print
			if *asJSON {
				print = d.printJSON
			}
			if err := print(a.stdout); err != nil {
				return err
			}
			if !d.Runs {
				return errors.New("nothing can be launched on this host")
			}
			return nil
		}
	},
}

// States of a finding.
const (
	stateYes  = "yes"  // is there
	stateNo   = "NO"   // is missing
	stateWarn = "warn" // is there, and figures suffer from it
	stateInfo = "info" // neither good nor bad
)

// A finding is one thing about the host.
type finding struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Value string `json:"value,omitempty"`
	Means string `json:"means,omitempty"` // for the figures; empty with yes and info
	Do    string `json:"do,omitempty"`    // about it; likewise
}

// A diagnosis is all that doctor says.
type diagnosis struct {
	Runs     bool      `json:"runs"`     // anything can be launched
	Limits   bool      `json:"limits"`   // sandboxes are held to memory, CPU and processes
	Rootless bool      `json:"rootless"` // in a user namespace
	Cgroups  string    `json:"cgroups"`  // versions of those used, or "none"
	Findings []finding `json:"findings"`
}

// examine finds all out. ctx bounds how long other programs are waited for.
func examine(ctx context.Context) diagnosis {
	h := launch.Probe()
	d := diagnosis{Rootless: h.Rootless, Cgroups: h.Cgroup}
	launcher := tryLauncher(h)
	d.Runs = launcher.State == stateYes
	d.Limits = d.Runs && h.Limits()
	d.Findings = append(hostFindings(), launcher)
	h.Parts(func(name, means string, p launch.Part) {
		f := finding{Name: name, State: stateYes, Value: p.Reason}
		if !p.OK {
			f.State, f.Means, f.Do = stateNo, means, p.Hint
		}
		if !p.OK && name == launch.PartUserNS && !h.Rootless {
			f.State, f.Means, f.Do = stateInfo, "", "" // root needs none
		}
		d.Findings = append(d.Findings, f)
	})
	d.Findings = append(d.Findings, noiseFindings()...)
	d.Findings = append(d.Findings, ociFindings(ctx)...)
	return d
}

// tryLauncher starts a launcher, which is what a run begins with.
func tryLauncher(h launch.Host) finding {
	f := finding{Name: "launcher", State: stateYes, Value: "starts, as root"}
	if h.Rootless {
		f.Value = "starts, in a user namespace"
	}
	if !h.Runs() {
		f.State, f.Value, f.Means, f.Do = stateNo, "not tried", "nothing can be launched", "see to the parts that are missing"
		return f
	}
	l, err := launch.Start(launch.Config{Stderr: io.Discard})
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		f.State, f.Value, f.Means, f.Do = stateNo, err.Error(), "nothing can be launched", "Linux 5.12 or later, and allow what the error names"
	}
	return f
}

// print prints a table, then what to do about what is missing, each thing once.
func (d diagnosis) print(w io.Writer) error {
	var b strings.Builder
	for _, f := range d.Findings {
		fmt.Fprintf(&b, "%-19s %-5s%s\n", f.Name, f.State, f.Value)
	}
	var order []string
	means := map[string][]string{}
	for _, f := range d.Findings {
		if f.Means == "" {
			continue
		}
		if means[f.Do] == nil {
			order = append(order, f.Do)
		}
		means[f.Do] = append(means[f.Do], f.Name+": "+f.Means)
	}
	for _, do := range order {
		b.WriteString("\n" + strings.Join(means[do], "\n") + "\n")
		if do != "" {
			b.WriteString("    " + do + "\n")
		}
	}
	b.WriteString("\n" + d.verdict() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (d diagnosis) verdict() string {
	switch {
	case !d.Runs:
		return "coldstorm can't run here."
	case !d.Limits:
		return "coldstorm runs here without limits: figures say so, and projections that need limits are withheld."
	}
	return "coldstorm runs here, with limits."
}

func (d diagnosis) printJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(d)
}
