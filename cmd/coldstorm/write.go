package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/term"

	"coldstorm/loadgen/record"
	"coldstorm/report/export"
	"coldstorm/results"
)

// write puts the run into its folder: figures and samples first, then what is
// made of them. Where the folder has no room, the whole goes to a temporary
// folder instead, so that nothing measured is lost.
func (r *runner) write() error {
	for _, m := range r.series {
		r.run.Series = append(r.run.Series, m.Series)
	}
	err := r.writeTo(r.dir)
	if err == nil {
		if err := results.Latest(r.options.out, r.dir); err != nil {
			fmt.Fprintf(r.app.stderr, "coldstorm: %v\n", err)
		}
		return nil
	}
	spare, lock, terr := runFolder(func() (string, error) { return os.MkdirTemp("", sparePrefix) })
	if terr != nil {
		return errors.Join(err, terr)
	}
	defer lock.Close()
	copyLog(spare, r.dir)
	if terr := r.writeTo(spare); terr != nil {
		os.RemoveAll(spare)
		return errors.Join(fmt.Errorf("write the results: %w", err), terr)
	}
	os.Remove(filepath.Join(spare, underWay))
	hint := "move it where there is room, and rebuild the report with 'coldstorm report'"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free some space; " + hint
	}
	return exitError{code: exitInvalid, err: fmt.Errorf("write the results: %w; all that was measured is in %s", err, spare), hint: hint}
}

// copyLog brings along what there is of function.log; a log that is cut short
// by a full disk is no reason to lose the figures.
func copyLog(to, from string) {
	text, err := os.ReadFile(filepath.Join(from, logFile))
	if err == nil {
		err = os.WriteFile(filepath.Join(to, logFile), text, 0o666)
	}
	if err != nil {
		os.Remove(filepath.Join(to, logFile))
	}
}

func (r *runner) writeTo(dir string) error {
	if err := results.Write(dir, r.run, r.manifest()); err != nil {
		return err
	}
	if err := results.SaveSamples(dir, r.samples()); err != nil {
		return err
	}
	if err := r.unread(); err != nil {
		return err
	}
	for _, m := range r.series {
		if err := results.Replace(filepath.Join(dir, fileName(m.Name)+".hlog"), m.recorder.WriteHlog); err != nil {
			return err
		}
	}
	k, err := readSome(dir, drawn) // from the folder alone, as 'coldstorm report' does
	if err != nil {
		return err
	}
	return k.writeReports()
}

// recorders are those of every storm and of the sweeps.
func (r *runner) recorders() (all []*record.Recorder) {
	for _, m := range r.series {
		all = append(all, m.recorder)
	}
	return append(all, r.swept...)
}

// samples are all that was measured, one at a time.
func (r *runner) samples() iter.Seq[results.Sample] {
	return func(yield func(results.Sample) bool) {
		for _, rec := range r.recorders() {
			for s := range rec.Samples() {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// unread is the error of samples that a disk did not give back.
func (r *runner) unread() error {
	for _, rec := range r.recorders() {
		if err := rec.Err(); err != nil {
			return fmt.Errorf("samples of %s: %w", rec.Name, err)
		}
	}
	return nil
}

// fileName is a series' name as a file's.
func fileName(series string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune("/\\ :*?\"<>|", c) || c < ' ' {
			return '-'
		}
		return c
	}, series)
}

// manifest says how the run was obtained.
func (r *runner) manifest() results.Manifest {
	m := results.Manifest{
		Schema: results.Schema, Version: version, Seed: r.scenario.Seed,
		ScenarioYAML: string(r.scenario.Source), ScenarioHash: r.scenario.Hash(),
		Arrivals: map[string]string{}, Payloads: map[string]string{}, Modules: map[string]string{},
		Function: r.run.Function, Host: r.run.Host, PriceBook: r.run.PriceBook,
	}
	for _, s := range r.series {
		m.Arrivals[s.Name] = s.Arrivals
	}
	for _, p := range r.payloads {
		m.Payloads[p.Name] = p.hash()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		m.Go = info.GoVersion
		for _, d := range info.Deps {
			m.Modules[d.Path] = d.Version
		}
		if i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.revision" }); i >= 0 {
			m.Commit = info.Settings[i].Value
		}
	}
	return m
}

// summary prints the result, and where the report is.
func (r *runner) summary() error {
	err := export.Text(r.app.stdout, r.run, terminal(r.app.stdout))
	if err == nil {
		_, err = fmt.Fprintf(r.app.stdout, "\n%s\n", filepath.Join(r.dir, "report.html"))
	}
	switch {
	case errors.Is(err, syscall.EPIPE): // who read has read enough
		return nil
	case err != nil:
		return fmt.Errorf("print the summary: %w; the report is %s", err, filepath.Join(r.dir, "report.html"))
	}
	return nil
}

// terminal is what w can show: colour on a terminal alone, and not with
// NO_COLOR or TERM=dumb.
func terminal(w io.Writer) export.Terminal {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return export.Terminal{Width: 100}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0 // the default
	}
	return export.Terminal{Width: width, Colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}
