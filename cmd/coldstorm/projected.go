package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"coldstorm/report/chart"
	"coldstorm/report/chart/figure"
	"coldstorm/results"
)

// projected prints what a simulation came to, and where the report is.
func (r *runner) projected() error {
	err := printProjections(r.app.stdout, r.run)
	if err == nil {
		_, err = fmt.Fprintf(r.app.stdout, "\n%s\n", filepath.Join(r.dir, "report.html"))
	}
	if errors.Is(err, syscall.EPIPE) { // who read has read enough
		return nil
	}
	return err
}

func printProjections(w io.Writer, run results.Run) error {
	fmt.Fprintf(w, "%s, simulated: every figure is projected on AWS, none was measured\n", run.Scenario)
	if run.Status == results.StatusAborted {
		fmt.Fprintln(w, "! interrupted: what was done until then")
	}
	for _, n := range run.Notes {
		fmt.Fprintln(w, "- "+strings.TrimPrefix(n.About+": "+n.Text, ": "))
	}
	for _, name := range stormNames(run.Projections) {
		fmt.Fprintf(w, "\n%s, projected on AWS\n\n", name)
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "  model\ttriggers\tserved\tcold\tp50\tp90\tp99\tpeak units\tcost")
		for _, p := range run.Projections {
			for _, s := range p.Storms {
				if s.Name == name {
					fmt.Fprintln(tw, stormLine(p.Model, s))
				}
			}
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		printStates(w, run.Projections, name)
		printWay(w, run.Projections, name)
	}
	printImages(w, run.Projections)
	for _, p := range run.Projections {
		if !p.Offered {
			fmt.Fprintf(w, "\n%s is %s\n", p.Model, absent(p))
		}
	}
	return nil
}

// printStates prints how long tasks, pods and instances were in each state, a model a line.
func printStates(w io.Writer, ps []results.Projection, storm string) {
	var lines []string
	for _, p := range ps {
		for _, s := range p.Storms {
			if said := chart.StatesSentence(s.States); s.Name == storm && said != "" {
				lines = append(lines, "  "+p.Model+": "+said)
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(w, "\nmedian time in each state, projected on AWS (stops take none unless stop_time says so)\n\n%s\n", strings.Join(lines, "\n"))
	}
}

// printImages prints where starts find the image, a state a line with the models of it.
func printImages(w io.Writer, ps []results.Projection) {
	var states []string
	models := map[string][]string{}
	for _, p := range ps {
		if p.Image == "" {
			continue
		}
		if models[p.Image] == nil {
			states = append(states, p.Image)
		}
		models[p.Image] = append(models[p.Image], p.Model)
	}
	if len(states) > 0 {
		fmt.Fprintf(w, "\nimage or package at a start, as projected\n\n")
	}
	for _, s := range states {
		fmt.Fprintf(w, "  %s: %s\n", strings.Join(models[s], ", "), s)
	}
}

// printWay prints where the time of a storm's events went, a model and kind of start a line.
func printWay(w io.Writer, ps []results.Projection, storm string) {
	var lines []string
	for _, p := range ps {
		for _, s := range p.Storms {
			if s.Name != storm {
				continue
			}
			for i, part := range s.Way {
				if i == 0 || part.Start != s.Way[i-1].Start {
					lines = append(lines, fmt.Sprintf("  %s, %s: ", p.Model, part.Start))
				} else {
					lines[len(lines)-1] += ", "
				}
				lines[len(lines)-1] += part.Part + " " + figure.Quantile(part.Time.P50, part.Time.N)
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(w, "\nmedian time of each part of an event's way, projected on AWS\n\n%s\n", strings.Join(lines, "\n"))
	}
}

func absent(p results.Projection) string {
	if p.Withheld {
		return "withheld: " + p.Reason
	}
	return "not offered: " + p.Reason
}

func stormLine(model string, s results.ProjectedStorm) string {
	cold := figure.Absent
	if s.Counts.Served > 0 {
		cold = figure.Share(float64(s.Counts.Cold+s.Latency[results.StartRestored].N) / float64(s.Counts.Served))
	}
	return fmt.Sprintf("  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", model, thousands(s.Counts.Offered), figure.Share(float64(s.Counts.Served)/float64(max(s.Counts.Offered, 1))), cold,
		figure.Quantile(s.All.P50, s.All.N), figure.Quantile(s.All.P90, s.All.N), figure.Quantile(s.All.P99, s.All.N), thousands(s.Peak), figure.USD(s.Bill.Total))
}

// stormNames are the storms that any model was simulated under, in their order.
func stormNames(ps []results.Projection) []string {
	var names []string
	seen := map[string]bool{}
	for _, p := range ps {
		for _, s := range p.Storms {
			if !seen[s.Name] {
				seen[s.Name] = true
				names = append(names, s.Name)
			}
		}
	}
	return names
}
