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

// crun refuses hosts on which version 1 controllers have an empty version 2
// hierarchy beside them (systemd's hybrid layout). A comparison hides that
// hierarchy from all contenders, in a mount namespace of its own.

// hybridMount is where systemd's hybrid layout mounts version 2.
const hybridMount = "/sys/fs/cgroup/unified"

// hiddenHybrid tells the process started by hideHybrid that it is in there.
const hiddenHybrid = "COLDSTORM_BENCH_HYBRID_HIDDEN"

// hideHybrid runs this command again where the empty hierarchy can't be seen.
// done is false where there is none to hide, or it can't be.
func hideHybrid(a *app) (done bool, err error) {
	if os.Getenv(hiddenHybrid) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return false, fmt.Errorf("private mounts: %w", err)
		}
		if err := unix.Unmount(hybridMount, unix.MNT_DETACH); err != nil {
			return false, fmt.Errorf("hide %s: %w", hybridMount, err)
		}
		return false, nil
	}
	controllers, err := os.ReadFile(hybridMount + "/cgroup.controllers")
	if err != nil || os.Geteuid() != 0 || strings.Contains(string(controllers), "memory") {
		return false, nil
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), hiddenHybrid+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.stdin, a.stdout, a.stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return true, exitError{code: exit.ExitCode()}
	}
	return true, err
}
