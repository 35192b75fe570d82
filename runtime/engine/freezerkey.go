package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// holdFreezer keeps one empty cgroup frozen for as long as the engine runs, and
// returns what removes it.
//
// The version 1 freezer guards its checks with a jump label that is on while any
// cgroup is frozen (kernel/cgroup/legacy_freezer.c, freezer_active): the first
// freeze and the last thaw patch the kernel's code on every processor, 0.4 to
// 0.7 ms each. With a single environment that would be every freeze and every
// thaw; with the label held on they cost 2.5 us.
//
// Where there is no such freezer, or none to write to, it does nothing.
func holdFreezer() (release func() error) {
	nothing := func() error { return nil }
	dir, err := findHierarchy("freezer").folder("self")
	if err != nil {
		return nothing
	}
	var ns unix.Stat_t
	unix.Stat("/proc/self/ns/pid", &ns)
	// Named as launch.Clean expects it, should the engine be killed.
	dir = filepath.Join(dir, fmt.Sprintf("coldstorm-%d-%s-freezer", os.Getpid(), strconv.FormatUint(ns.Ino, 36)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nothing
	}
	release = func() error { return removeFolder(dir) }
	if err := os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("FROZEN"), 0); err != nil {
		release()
		return nothing
	}
	return release
}

// removeFolder removes an empty cgroup, which the kernel may still hold for a
// moment.
func removeFolder(dir string) (err error) {
	for wait := time.Millisecond; wait < time.Second; wait *= 2 {
		if err = os.Remove(dir); err == nil || os.IsNotExist(err) {
			return nil
		}
		time.Sleep(wait)
	}
	return err
}
