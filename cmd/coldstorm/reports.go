package main

import (
	"fmt"
	"io"
	"path/filepath"

	"coldstorm/report/chart"
	"coldstorm/report/html"
	"coldstorm/results"
)

// writeReports makes the page and the pictures of a run from its folder alone.
func writeReports(dir string) error {
	run, err := results.Read(dir)
	if err != nil {
		return err
	}
	samples, err := results.LoadSamples(dir)
	if err != nil {
		return err
	}
	manifest, err := results.ReadManifest(dir)
	if err != nil {
		return err
	}
	if err := results.Replace(filepath.Join(dir, "report.html"), func(w io.Writer) error {
		return html.Write(w, run, samples, manifest)
	}); err != nil {
		return fmt.Errorf("write report.html: %w", err)
	}
	for _, c := range charts(run, samples) {
		if c.Empty != "" {
			continue
		}
		png, err := c.PNG()
		if err != nil {
			return err
		}
		if err := results.Replace(filepath.Join(dir, c.Name+".png"), func(w io.Writer) error {
			_, err := w.Write(png)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// charts are those of the page, in its order.
func charts(run results.Run, samples []results.Sample) []chart.Chart {
	all := []chart.Chart{
		chart.ColdAgainstWarm(run), chart.ColdDots(run, samples), chart.Scaling(run.Sweep), chart.CostLatency(run), chart.BreakEven(run), chart.Fidelity(run.Fidelity),
	}
	for _, s := range run.Series {
		all = append(all, chart.Spectrum(s, run.Objective), chart.Timeline(s))
		if s.Counts.Cold > 0 {
			all = append(all, chart.Waterfall(s))
		}
	}
	if len(run.Projections) > 0 {
		for _, st := range run.Projections[0].Storms {
			all = append(all, chart.ProjectedSpectrum(st.Name, run.Projections, run.Objective))
		}
	}
	return all
}
