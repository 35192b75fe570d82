package engine

import (
	"os"
	"path/filepath"

	"coldstorm/runtime/launch"
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
	dir, release, err = launch.OwnCgroup(dir, "freezer")
	if err != nil {
		return nothing
	}
	if err := os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("FROZEN"), 0); err != nil {
		release()
		return nothing
	}
	return release
}
