package launch

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A sandbox can have the launcher's own program executed, as /proc/self/exe of
// the process that is about to become it, and so hold its file: in a user
// namespace as the user who owns it (CVE-2019-5736). The daemon therefore runs
// from a read-only mount of that file, which nobody can make writable again.

// timerSlack, in nanoseconds, is by how much the timers of the daemon's threads may be late
// to go off together with others. Go's monitor sleeps for 20 us at a time as soon as a
// thread returns from a wait: with the usual slack of 50 us it took a tenth of a processor
// for milliseconds after each ask, on the two that the launch needs.
const timerSlack = 5_000_000

// runReadOnly executes the program once more, as the same process, from such a
// mount. It returns nil in a process that runs from one.
func runReadOnly() error {
	var st unix.Statfs_t
	if err := unix.Statfs("/proc/self/exe", &st); err != nil {
		return fmt.Errorf("own program: %w", err)
	}
	if st.Flags&unix.ST_RDONLY != 0 {
		return nil
	}
	path, err := os.Readlink("/proc/self/exe") // the link itself leads to a mount of the client's
	if err != nil {
		return fmt.Errorf("own program: %w", err)
	}
	at, err := os.Stat(path)
	own, err2 := os.Stat("/proc/self/exe")
	if err != nil || err2 != nil || !os.SameFile(at, own) {
		return fmt.Errorf("own program: %s was replaced or removed while it runs", path)
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return fmt.Errorf("own program: mount of %s: %w", path, err)
	}
	defer unix.Close(fd)
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("own program: %s read-only: %w", path, err)
	}
	unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0) // which the new program's threads inherit
	err = syscall.Exec(fmt.Sprint("/proc/self/fd/", fd), os.Args, os.Environ())
	return fmt.Errorf("own program: execute %s: %w", path, err)
}
