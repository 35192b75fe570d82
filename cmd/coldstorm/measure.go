package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"coldstorm/loadgen/record"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/runtime/engine"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
	"coldstorm/workloads"
)

// measured is a storm that was fired here, with all that it gave.
type measured struct {
	results.Series
	Status   results.Status
	storm    workloads.Storm
	schedule storm.Schedule
	recorder *record.Recorder
	restored bool       // from a snapshot: no simulation learns of it
	bound    int        // environments that this host's memory allowed; 0 if that was no bound
	fleet    *liveFleet // of containers; nil: environments
}

// measure fires every storm of the scenario at the function, on this machine.
// What was measured is in r.series, whatever the error.
func (r *runner) measure(ctx context.Context) error {
	path, err := r.functionPath()
	if err != nil {
		return err
	}
	calibrate(ctx, &r.run.Host, r.note)
	opener, why, err := r.opener()
	if err != nil {
		return err
	}
	defer opener.Close()
	f := r.scenario.Function
	img, err := opener.OpenPackage(ctx, image.Package{Path: path, Runtime: f.Runtime, Handler: f.Handler})
	if err != nil {
		return badFunction(err)
	}
	r.opened(img, why)
	log, err := os.Create(filepath.Join(r.dir, logFile))
	if err != nil {
		return fmt.Errorf("make function.log: %w", err)
	}
	defer log.Close()
	r.progress.Say("starting the engine")
	eng, err := engine.Start(ctx, engine.Config{Log: log, Stderr: r.app.stderr, Pool: poolSize, Runtime: r.options.launcher})
	if err != nil {
		return fmt.Errorf("start the engine: %w", err)
	}
	defer r.closeEngine(eng)
	r.describe(eng)
	l := &liveTarget{runner: r, engine: eng, image: img, log: log.Name(), peak: map[string]int64{}}
	if err := l.check(ctx); err != nil {
		return err
	}
	defer r.tellPages(img)
	for i, st := range r.scenario.Storms {
		r.progress.Say("storm %d of %d: %s", i+1, len(r.scenario.Storms), st.Name)
		if err := l.storm(ctx, st); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if r.options.snapStart || r.scenario.Function.SnapStart {
		if err := l.restored(ctx); err != nil {
			return err
		}
	}
	if err := l.sweep(ctx); err != nil {
		return err
	}
	if err := l.curves(ctx); err != nil {
		return err
	}
	return l.contained(ctx)
}

// poolSize is the number of networks and cgroups that the launcher keeps ready:
// as many as it can refill between two starts of a storm that is no burst.
const poolSize = 16

// opener opens the function. why says what keeps layers of images from being
// kept for the next run, if anything does.
func (r *runner) opener() (o *image.Opener, why string, err error) {
	layers, why, err := layerStore(os.Getenv)
	if err != nil {
		return nil, "", err
	}
	if layers == "" {
		layers = filepath.Join(r.work, "layers")
	}
	return &image.Opener{Copies: filepath.Join(r.work, "store"), Layers: layers, Say: func(s string) { r.progress.Say("%s", s) }}, why, nil
}

// opened keeps what is to be said of the function.
func (r *runner) opened(img image.Image, why string) {
	f := &r.run.Function
	f.Digest, f.PackageBytes = strings.TrimPrefix(img.Digest, "sha256:"), img.Bytes
	if f.Source == "" {
		f.Source = string(img.Kind)
	}
	if img.Kind != image.KindContainer {
		r.scenario.Function.Runtime, f.Runtime = img.Runtime, img.Runtime
	}
	if img.HostUsr {
		r.note(results.LevelInfo, "", "the function sees this host's /usr, read-only: %s", img.Reason)
	}
	for _, n := range img.Notes {
		r.note(results.LevelInfo, "", "%s", n)
	}
	if img.Kind != image.KindContainer {
		return
	}
	r.scenario.Function.Runtime, f.Runtime = workloads.RuntimeImage, workloads.RuntimeImage
	if why != "" {
		r.note(results.LevelInfo, "", "the image's layers are unpacked for this run alone: %s", why)
	}
}

// badFunction is an error of a function that can't be deployed.
func badFunction(err error) error {
	var h *image.Hint
	if errors.As(err, &h) {
		return exitError{code: exitUsage, err: errors.New(strings.TrimSuffix(err.Error(), ": "+h.Hint)), hint: h.Hint}
	}
	return exitError{code: exitUsage, err: err}
}

// functionPath is the directory, zip or image to deploy. A bundled function's
// program is unpacked into the temporary folder.
func (r *runner) functionPath() (string, error) {
	f := r.scenario.Function
	r.run.Function = results.Function{
		Name: f.Name, Runtime: f.Runtime, Architecture: f.Architecture, MemoryMB: f.MemoryMB,
		Timeout: f.Timeout, Concurrency: f.Concurrency, KeepAlive: f.KeepAlive,
	}
	if f.Path != "" {
		path := r.scenario.Resolve(f.Path)
		if _, err := os.Stat(path); err != nil && f.Reference() {
			return f.Path, nil
		}
		return path, nil
	}
	r.run.Function.Source = "bundled"
	return unpack(f.Workload, r.work)
}

// unpack writes a bundled function into a folder of its name in dir, and returns
// that: what could be zipped and uploaded.
func unpack(workload, dir string) (string, error) {
	w, ok := workloads.Bundled(workload)
	if !ok {
		return "", usageError("", "no bundled function %q", workload)
	}
	program, err := w.Binary()
	if err != nil {
		return "", err
	}
	return writeFunction(filepath.Join(dir, workload), program)
}

// writeFunction makes the folder of a function that is one program.
func writeFunction(dir string, program []byte) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "bootstrap"), program, 0o755)
}

// describe notes what the engine says of the host.
func (r *runner) describe(eng *engine.Engine) {
	h := eng.Host()
	r.run.Host.Cgroups = h.Cgroup
	r.run.Host.Limits = h.Limits()
	r.run.Host.Rootless = h.Rootless
	r.run.Host.Launcher, r.run.Host.LauncherVersion = h.Launcher, h.Version
	if note := launcherNote(h); note != "" {
		r.note(results.LevelWarn, "", "%s", note)
		r.progress.Say("  %s", note)
	}
	if h.Launcher == launch.RuntimeProcess {
		return // what it does without, this host may well have
	}
	r.run.Host.Missing = h.Missing()
	for _, m := range r.run.Host.Missing {
		r.note(results.LevelWarn, "", "this host lacks %s", m)
		r.progress.Say("  this host lacks %s", m)
	}
	if len(r.run.Host.Missing) > 0 {
		r.progress.Say("  'coldstorm doctor' says what to do about it")
	}
}

// launcherNote is what a reader must know of a launcher that is not coldstorm's
// own; empty for that.
func launcherNote(h launch.Host) string {
	switch h.Launcher {
	case launch.RuntimeBuiltin:
		return ""
	case launch.RuntimeProcess:
		who := "the user who ran coldstorm"
		if !h.Rootless {
			who = "root"
		}
		return "the function ran as a plain process of this host, as " + who + ": nothing was isolated or limited, and its starts are the floor under a container's"
	}
	return fmt.Sprintf("sandboxes were started by %s, not by coldstorm's own launcher: what happens inside of it can't be told, so a start up to its return is all sandbox phase",
		cmp.Or(h.Version, h.Launcher))
}

// closeEngine ends everything that was started, and says what could not be
// removed.
func (r *runner) closeEngine(eng *engine.Engine) {
	r.progress.Show(nil)
	if err := eng.Close(); err != nil {
		r.note(results.LevelWarn, "", "cleaning up: %v", err)
		r.progress.Say("cleaning up: %v", err)
	}
}
