package main

import (
	"fmt"
	"io"
	"path/filepath"

	"coldstorm/report/chart"
	"coldstorm/report/export"
	"coldstorm/report/html"
	"coldstorm/results"
)

// kept is a run as its folder keeps it: all that a report or a gate needs.
type kept struct {
	dir      string
	run      results.Run
	samples  []results.Sample
	manifest results.Manifest
}

// find reads the run that a person names. What it can't read is bad input.
func find(arg string) (kept, error) {
	return findSome(arg, func(*results.Sample) bool { return true })
}

// findSome is find, of the samples that keep says.
func findSome(arg string, keep func(*results.Sample) bool) (kept, error) {
	dir, err := results.Resolve(arg)
	if err != nil {
		return kept{}, exitError{code: exitUsage, err: err}
	}
	k, err := readSome(dir, keep)
	if err != nil {
		return kept{}, exitError{code: exitUsage, err: err}
	}
	return k, nil
}

// drawn says of a sample whether a report draws it by itself: cold starts are.
func drawn(s *results.Sample) bool { return s.Start == results.StartCold }

// readKept reads a run with all its samples.
func readKept(dir string) (kept, error) {
	return readSome(dir, func(*results.Sample) bool { return true })
}

// readSome reads a run, and those of its samples that keep says.
func readSome(dir string, keep func(*results.Sample) bool) (k kept, err error) {
	k.dir = dir
	if k.run, err = results.Read(dir); err != nil {
		return k, err
	}
	if k.samples, err = results.SelectSamples(dir, keep); err != nil {
		return k, err
	}
	k.manifest, err = results.ReadManifest(dir)
	return k, err
}

// writeReports makes the page and the pictures of a run from its folder alone.
func (k kept) writeReports() error {
	if err := results.Replace(filepath.Join(k.dir, "report.html"), func(w io.Writer) error {
		return html.Write(w, k.run, k.samples, k.manifest)
	}); err != nil {
		return fmt.Errorf("write report.html: %w", err)
	}
	if err := k.writeHgrms(); err != nil {
		return err
	}
	for _, c := range charts(k.run, k.samples) {
		if c.Empty != "" {
			continue
		}
		png, err := c.PNG()
		if err != nil {
			return err
		}
		if err := results.Replace(filepath.Join(k.dir, c.Name+".png"), func(w io.Writer) error {
			_, err := w.Write(png)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// writeHgrms writes the percentile curve of each storm and kind of start in the
// form that HdrHistogram's plotter reads.
func (k kept) writeHgrms() error {
	for _, s := range k.run.Series {
		for start, spectrum := range s.Spectra {
			file := fmt.Sprintf("%s-%s.hgrm", fileName(s.Name), start)
			if err := results.Replace(filepath.Join(k.dir, file), func(w io.Writer) error {
				return export.Hgrm(w, spectrum, s.Latency[start])
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// charts are those of the page, in its order.
func charts(run results.Run, samples []results.Sample) []chart.Chart {
	all := []chart.Chart{
		chart.ColdAgainstWarm(run), chart.ColdDots(run, samples), chart.Scaling(run.Sweep), chart.CostLatency(run), chart.BreakEven(run), chart.Fidelity(run.Fidelity),
	}
	for _, cv := range run.Curves {
		all = append(all, chart.Curve(cv))
	}
	for _, s := range run.Series {
		all = append(all, chart.Spectrum(s, run.Objective), chart.Timeline(s))
		if s.Counts.Cold > 0 {
			all = append(all, chart.Waterfall(s), chart.Breakdown(s))
		}
	}
	if len(run.Projections) > 0 {
		for _, st := range run.Projections[0].Storms {
			all = append(all, chart.ProjectedSpectrum(st.Name, run.Projections, run.Objective))
		}
	}
	return all
}
