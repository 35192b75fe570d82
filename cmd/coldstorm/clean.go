package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

var cleanCommand = command{
	name: "clean", short: "remove what a killed run left behind, and layers of images",
	long: `
Clean removes what runs that were killed (SIGKILL, power) could not remove
themselves: processes still in their cgroups, the cgroups, temporary folders,
half-written files below results/runs, and run folders in which nothing was
measured. It touches nothing of a run that is alive, and prints what it removed.
The next run does the same for cgroups and temporary folders.

It also removes the layers of container images that runs keep for the next one,
but for those that a run is using. --keep-images leaves them, all but what was
half unpacked.

Examples:

    coldstorm clean
    coldstorm clean --keep-images`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		root := f.String("out", results.Root, "`folder` in which runs are made")
		keep := f.Bool("keep-images", false, "keep the layers of container images")
		return func(_ context.Context, a *app, args []string) error {
			if len(args) > 0 {
				return usageError("", "clean takes no arguments")
			}
			return clean(a, *root, *keep)
		}
	},
}

func clean(a *app, root string, keepImages bool) error {
	removed, err := launch.Clean()
	removed = append(removed, removeDead(os.TempDir())...)
	halves, err2 := removeHalves(root)
	for _, path := range append(removed, halves...) {
		if _, err := fmt.Fprintln(a.stdout, "removed", path); err != nil {
			return err
		}
	}
	return errors.Join(err, err2, cleanLayers(a.stdout, keepImages))
}

// cleanLayers removes the layers of images that no run uses.
func cleanLayers(w io.Writer, keep bool) error {
	dir, _, err := layerStore(os.Getenv)
	if err != nil || dir == "" {
		return err
	}
	gone, err := image.Prune(dir, keep)
	var freed int64
	for _, g := range gone {
		freed += g.Bytes
		if _, err := fmt.Fprintf(w, "removed %s, %s\n", g.Path, size(g.Bytes)); err != nil {
			return err
		}
	}
	if len(gone) > 1 {
		_, werr := fmt.Fprintf(w, "layers of images took %s\n", size(freed))
		err = errors.Join(err, werr)
	}
	return err
}

// workPrefix begins the name of a run's temporary folder, before the process id.
const workPrefix = "coldstorm-work-"

// removeDead removes the temporary folders of runs that were killed, and
// returns which.
func removeDead(tmp string) []string {
	folders, err := filepath.Glob(filepath.Join(tmp, workPrefix+"*"))
	if err != nil {
		return nil // a TMPDIR that is no pattern: then there is nothing to match
	}
	var removed []string
	for _, dir := range folders {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), workPrefix), "-")
		if pid != "" && gone(pid) && os.RemoveAll(dir) == nil {
			removed = append(removed, dir)
		}
	}
	return removed
}

// gone reports whether no process has the id.
func gone(pid string) bool {
	_, err := os.Stat(filepath.Join("/proc", pid))
	return errors.Is(err, fs.ErrNotExist)
}

// removeHalves removes, below root, run folders that hold function.log alone
// and whose run is not under way, and temporary files of results.Replace.
func removeHalves(root string) ([]string, error) {
	var removed []string
	var errs []error
	remove := func(path string) {
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, err)
			return
		}
		removed = append(removed, path)
	}
	entries, err := os.ReadDir(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if !e.IsDir() {
			continue
		}
		if half(dir) {
			remove(dir)
			continue
		}
		temps, _ := filepath.Glob(filepath.Join(dir, ".*.tmp"))
		for _, t := range temps {
			if _, err := os.Stat(filepath.Join(dir, underWay)); err != nil {
				remove(t)
			}
		}
	}
	return removed, errors.Join(append(errs, err)...)
}

// underWay is the file in the folder of a run that is not at its end: it holds
// the run's process id.
const underWay = ".pid"

// half reports whether the folder is of a run that was killed before it had
// written anything.
func half(dir string) bool {
	pid, err := os.ReadFile(filepath.Join(dir, underWay))
	if err != nil || !gone(strings.TrimSpace(string(pid))) {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, results.ResultFile))
	return errors.Is(err, fs.ErrNotExist)
}
