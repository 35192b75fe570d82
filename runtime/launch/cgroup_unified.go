package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Where our folder goes in a version 2 tree.

// inherent says whether every version 2 cgroup but the root can do it, without
// a controller.
func inherent(controller string) bool { return controller == "freezer" || controller == "cpuacct" }

// openUnified makes our folder in the version 2 tree, where most of the wanted
// controllers are handed down to it, and hands them further down to sandboxes.
// It returns what it could not have; if there is no folder, that is all.
func (h *hierarchy) openUnified(name string, wanted []string) map[string]error {
	refused := map[string]error{}
	if len(wanted) == 0 {
		return nil
	}
	limits := slices.DeleteFunc(slices.Clone(wanted), inherent)
	base, errs := handedDown(bases(h.dir, h.top), limits)
	var err error
	if base != "" {
		h.dir = base
		err = h.open(name)
	} else {
		err = fmt.Errorf("make a folder in %s: %w", h.dir, writable(h.dir))
	}
	if err != nil {
		for _, c := range wanted {
			refused[c] = err
		}
		return refused
	}
	for _, c := range limits {
		err := errs[c]
		if err == nil {
			err = enable(h.dir, c)
		}
		if err != nil {
			refused[c] = err
		}
	}
	if len(refused) == len(wanted) { // nobody else will remove it
		unix.Close(h.fd)
		err := rmdir(unix.AT_FDCWD, h.dir)
		h.dir, h.fd = filepath.Dir(h.dir), -1
		for c := range refused {
			refused[c] = errors.Join(refused[c], err)
		}
	}
	return refused
}

// ancestors lists a cgroup and those above it, up to where the tree is mounted.
func ancestors(dir, top string) []string {
	list := []string{dir}
	for dir != top && len(dir) > len(top) {
		dir = filepath.Dir(dir)
		list = append(list, dir)
	}
	return list
}

// bases lists the cgroups in which our folder may go, best first: the one that we
// are in, so that limits set on coldstorm hold for what it starts, then the one
// highest up, which systemd delegates to a user as a whole, and down again.
func bases(dir, top string) []string {
	list := ancestors(dir, top)
	near := 1
	if isLeaf(dir) && len(list) > 1 {
		near = 2 // that which was given to us
	}
	slices.Reverse(list[near:])
	return list
}

// handedDown chooses the first of those that hand most of the wanted controllers
// down to folders made in them, and tells for each that it does not hand down why.
// Without one that we may make folders and move processes in, it is empty.
//
// A process may only be moved, or be born, between cgroups below one whose
// cgroup.procs we may write, which for a cgroup above our own is that one itself
// (kernel: cgroup-v2, delegation containment).
func handedDown(bases, wanted []string) (string, map[string]error) {
	type base struct {
		dir  string
		errs map[string]error
	}
	var list []base
	for _, dir := range bases {
		if writable(dir) == nil {
			list = append(list, base{dir, withheld(dir, wanted)})
		}
	}
	if len(list) == 0 {
		return "", nil
	}
	slices.SortStableFunc(list, func(a, b base) int { return len(a.errs) - len(b.errs) })
	best := -1
	for i, b := range list {
		if best >= 0 && len(list[best].errs) <= len(b.errs) {
			break // no more can come of it
		}
		for _, c := range wanted {
			if b.errs[c] != nil {
				continue
			}
			if err := enable(b.dir, c); err != nil {
				b.errs[c] = err
			}
		}
		if best < 0 || len(b.errs) < len(list[best].errs) {
			best = i
		}
	}
	return list[best].dir, list[best].errs
}

// writable says whether we may make folders in a cgroup and move processes there.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return err
	}
	return unix.Access(filepath.Join(dir, "cgroup.procs"), unix.W_OK)
}

// withheld tells which of the wanted controllers a cgroup can't hand down, before
// it is asked to. One with processes of its own hands nothing down, unless it is
// the tree's root, which alone has no cgroup.events. It must not be asked either:
// it would agree for the cpu and pids controllers, and be no place for processes
// in folders from then on (kernel: cgroup-v2, no internal process constraint and
// threads).
func withheld(dir string, wanted []string) map[string]error {
	errs := map[string]error{}
	_, root := os.Stat(filepath.Join(dir, "cgroup.events"))
	occupied := root == nil && len(words(filepath.Join(dir, "cgroup.procs"))) > 0
	if kind := strings.Join(words(filepath.Join(dir, "cgroup.type")), " "); kind != "" && kind != "domain" {
		occupied = true // by threads
	}
	offers := words(filepath.Join(dir, "cgroup.controllers"))
	for _, c := range wanted {
		switch {
		case !slices.Contains(offers, c):
			errs[c] = fmt.Errorf("%w to %s", errNotHandedDown, dir)
		case occupied:
			errs[c] = fmt.Errorf("hand %s down from %s: %w", c, dir, errOccupied)
		}
	}
	return errs
}

// words reads a file of words; none if it can't.
func words(file string) []string {
	text, _ := os.ReadFile(file)
	return strings.Fields(string(text))
}

// enable hands a controller down from a cgroup to those below it.
func enable(dir, controller string) error {
	file := filepath.Join(dir, "cgroup.subtree_control")
	if slices.Contains(words(file), controller) {
		return nil
	}
	if err := write(file, "+"+controller); err != nil {
		return fmt.Errorf("hand %s down from %s: %w", controller, dir, err)
	}
	return nil
}
