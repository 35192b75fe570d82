package launch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Clean removes the cgroups of launchers that were killed before they could, in
// every tree, and ends what still runs there. It returns what it removed.
func Clean() ([]string, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	self, err2 := os.ReadFile("/proc/self/cgroup")
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	var removed []string
	var errs []error
	seen := map[string]bool{}
	for _, h := range findCgroups(string(mountinfo), string(self)) {
		if seen[h.top] {
			continue
		}
		seen[h.top] = true
		filepath.WalkDir(h.top, func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return nil // it went, or is not ours to read
			}
			if !d.IsDir() || !strings.HasPrefix(d.Name(), cgroupPrefix) {
				return nil
			}
			if abandoned(d.Name()) {
				if err := removeTree(path); err != nil {
					errs = append(errs, err)
				} else {
					removed = append(removed, path)
				}
			}
			return filepath.SkipDir
		})
	}
	slices.Sort(removed)
	return removed, errors.Join(errs...)
}

// cgroupName is the name of a launcher's cgroup. The pid means nothing in
// another pid namespace, so that is in it too.
func cgroupName(pid int, unique string) string {
	return fmt.Sprintf("%s%d-%s-%s", cgroupPrefix, pid, pidNamespace(), unique)
}

func pidNamespace() string {
	var st unix.Stat_t
	unix.Stat("/proc/self/ns/pid", &st)
	return strconv.FormatUint(st.Ino, 36)
}

// abandoned says whether a cgroup's launcher, of this pid namespace, is no
// more. A pid that was given to another program only delays the cleaning.
func abandoned(name string) bool {
	f := strings.Split(strings.TrimPrefix(name, cgroupPrefix), "-")
	if len(f) != 3 || f[1] != pidNamespace() {
		return false
	}
	n, err := strconv.Atoi(f[0])
	return err == nil && n > 1 && errors.Is(unix.Kill(n, 0), unix.ESRCH)
}

func removeTree(top string) error {
	entries, err := os.ReadDir(top)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := filepath.Join(top, e.Name())
		killAll(dir)
		if err := rmdir(unix.AT_FDCWD, dir); err != nil {
			return fmt.Errorf("remove %s: %w", dir, err)
		}
	}
	return rmdir(unix.AT_FDCWD, top)
}

// killAll ends what still runs in an abandoned cgroup.
func killAll(dir string) {
	list, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return
	}
	for _, pid := range bytes.Fields(list) {
		if n, err := strconv.Atoi(string(pid)); err == nil && n > 1 {
			unix.Kill(n, unix.SIGKILL)
		}
	}
	os.WriteFile(filepath.Join(dir, "freezer.state"), []byte("THAWED"), 0)
}
