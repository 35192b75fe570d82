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
	"time"

	"golang.org/x/sys/unix"
)

// Whether the owner of a cgroup lives is asked of a lock, not of its pid, which may
// be another program's by now or mean nothing in another pid namespace: it holds
// flock(2) on its cgroup in every tree, and the kernel lets go of that however it
// ends. It is not for the daemon to clean: in its pid namespace it sees nobody's
// processes but its own.

// cleanTime bounds how long Clean waits for the processes of a dead run to end.
const cleanTime = time.Second

// Clean removes the cgroups of launchers that were killed before they could, in
// every tree, and ends what still runs there, and what process launchers left. It
// returns what it removed.
// (Start does so too, for those that lie beside its own.)
func Clean() ([]string, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	self, err2 := os.ReadFile("/proc/self/cgroup")
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	var dead deadRuns
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
			dead.add(path)
			return filepath.SkipDir
		})
	}
	removed, err := dead.remove()
	return append(endMarked(), removed...), err
}

// cleanBeside begins to remove what dead launchers left in the cgroups that this
// process is in and in those above: one listing each, and nothing more where there is
// nothing. The channel gets one error.
func (r Runtime) cleanBeside() <-chan error {
	done := make(chan error, 1)
	go func() {
		found, err := ownCgroups()
		if err != nil {
			found = nil // Host says so
		}
		var dead deadRuns
		seen := map[string]bool{}
		for _, h := range found {
			for _, dir := range ancestors(h.dir, h.top) {
				if !seen[dir] {
					seen[dir] = true
					dead.addIn(dir)
				}
			}
		}
		_, err = dead.remove()
		if r.kind == process {
			endMarked()
		}
		done <- err
	}()
	return done
}

// deadRuns are the folders of launchers that are no more, each held locked; or (EndNamed)
// others that are to go, without a lock.
type deadRuns struct {
	dirs []string
	fds  []int
}

// addIn adds what dead launchers left in a folder.
func (r *deadRuns) addIn(dir string) {
	for _, box := range foldersIn(dir) { // none, if it is not ours to read
		if strings.HasPrefix(filepath.Base(box), cgroupPrefix) {
			r.add(box)
		}
	}
}

// add adds a folder if its owner is no more, and it is ours to remove. A leaf's owner
// may have gone before others of its run.
func (r *deadRuns) add(dir string) {
	if !locked(filepath.Base(dir)) || unix.Access(dir, unix.W_OK) != nil {
		return
	}
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) != nil || isLeaf(dir) && len(words(filepath.Join(dir, "cgroup.procs"))) > 0 {
		unix.Close(fd)
		return
	}
	r.dirs, r.fds = append(r.dirs, dir), append(r.fds, fd)
}

// remove ends what runs there, in every tree before any is removed: a process
// that one tree's freezer holds keeps all its cgroups busy.
func (r *deadRuns) remove() (removed []string, err error) {
	defer closeAll(r.fds...)
	var errs []error
	for _, dir := range r.dirs {
		for _, box := range cgroupsIn(dir) {
			killAll(box)
		}
	}
	limit := time.Now().Add(cleanTime)
	for _, dir := range r.dirs {
		var err error
		for _, box := range append(cgroupsIn(dir), dir) {
			err = errors.Join(err, rmdirUntil(unix.AT_FDCWD, box, limit))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("remove %s: %w", dir, err))
		} else {
			removed = append(removed, dir)
		}
	}
	slices.Sort(removed)
	return removed, errors.Join(errs...)
}

// foldersIn lists the folders in a folder.
func foldersIn(dir string) (list []string) {
	entries, _ := os.ReadDir(dir) // it may have gone
	for _, e := range entries {
		if e.IsDir() {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list
}

// cgroupsIn lists the cgroups of a launcher's that are in its folder, those of sandboxes on
// a node before the node's.
func cgroupsIn(dir string) (list []string) {
	for _, box := range foldersIn(dir) {
		if strings.HasPrefix(filepath.Base(box), nodePrefix) {
			list = append(list, foldersIn(box)...)
		}
		list = append(list, box)
	}
	return list
}

// lockedMark begins the last part of the name of a cgroup that is locked while its
// owner lives.
const lockedMark = "L"

// cgroupName is the name of an owner's cgroup: the pid, and the pid namespace
// in which it is one, for a person who reads it, and what makes it unique.
func cgroupName(pid int, unique string) string {
	return fmt.Sprintf("%s%d-%s-%s%s", cgroupPrefix, pid, pidNamespace(), lockedMark, unique)
}

func pidNamespace() string {
	var st unix.Stat_t
	unix.Stat("/proc/self/ns/pid", &st)
	return strconv.FormatUint(st.Ino, 36)
}

func nameParts(name string) []string {
	return strings.Split(strings.TrimPrefix(name, cgroupPrefix), "-")
}

func locked(name string) bool {
	f := nameParts(name)
	return len(f) == 3 && strings.HasPrefix(f[2], lockedMark)
}

// killAll ends what still runs in an abandoned cgroup: at once where version 2
// can (cgroup.kill, Linux 5.14), else process by process.
func killAll(dir string) {
	if write(filepath.Join(dir, "cgroup.kill"), "1") == nil {
		return
	}
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
