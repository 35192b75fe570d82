package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A comparison has a mount namespace of its own: the peers' overlays are mounted there,
// and end with it. crun refuses hosts on which version 1 controllers have an empty
// version 2 hierarchy beside them (systemd's hybrid layout): there, that is hidden from
// all contenders.

// hybridMount is where systemd's hybrid layout mounts version 2.
const hybridMount = "/sys/fs/cgroup/unified"

// ownMounts tells the process started by withOwnMounts that it has them.
const ownMounts = "COLDSTORM_BENCH_OWN_MOUNTS"

// withOwnMounts runs this command again in a mount namespace of its own. done is false in
// there, and for an ordinary user, who has none.
func withOwnMounts(a *app) (done bool, err error) {
	if os.Getenv(ownMounts) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return false, fmt.Errorf("private mounts: %w", err)
		}
		controllers, err := os.ReadFile(hybridMount + "/cgroup.controllers")
		if err != nil || strings.Contains(string(controllers), "memory") {
			return false, nil
		}
		if err := unix.Unmount(hybridMount, unix.MNT_DETACH); err != nil {
			return false, fmt.Errorf("hide %s: %w", hybridMount, err)
		}
		return false, nil
	}
	if os.Geteuid() != 0 {
		return false, nil
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), ownMounts+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return true, exitError{code: exit.ExitCode()}
	}
	return true, err
}
