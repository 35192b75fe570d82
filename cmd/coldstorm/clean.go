package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"coldstorm/results"
	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
)

var cleanCommand = command{
	name: "clean", short: "remove what a killed run left behind, and layers of images",
	long: `
Clean removes what runs that were killed (SIGKILL, power) could not remove
themselves: cgroups with the processes still in them, processes of the process
launcher, temporary folders, half-written files below results/runs, and run folders
in which nothing was measured. It touches nothing of a run that is alive, which it
knows by a lock that the kernel lets go of as a process ends, and prints what it
removed. The next run does the same for temporary folders and for cgroups beside
its own.

Sandboxes and mounts need no cleaning: the kernel ends them with the launcher's
process. One that a version 1 freezer holds ends when clean, or the next run, thaws
it. What stays: controllers that were handed down in a version 2 cgroup; of the
process launcher, what left its session and emptied its environment.

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
	halves, err2 := removeHalves(append(named(root, ""), named(os.TempDir(), sparePrefix)...))
	halves = append(halves, removeLinks(root)...)
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

// removeLinks removes, below root, what links to the newest run were to be renamed from
// when their run was killed.
func removeLinks(root string) (removed []string) {
	for _, link := range results.UnfinishedLinks(root) {
		if os.Remove(link) == nil {
			removed = append(removed, link)
		}
	}
	return removed
}
