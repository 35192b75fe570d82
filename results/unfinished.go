package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// What a process that was killed has left of files that are written as a whole or not
// at all. It is known from what another is about to write by a lock (flock(2)) on the
// file, which the kernel lets go of however a process ends.

// runName is what NewDir makes.
var runName = regexp.MustCompile(`^\d{8}T\d{6}Z-[A-Za-z0-9._-]+$`)

// IsRunName says whether a folder is called what NewDir calls one.
func IsRunName(name string) bool { return runName.MatchString(name) }

// RemoveUnfinished removes the temporary files of Replace in a folder that nobody is
// writing, and returns which.
func RemoveUnfinished(dir string) (removed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("remove what is unfinished: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if n := e.Name(); !e.Type().IsRegular() || !strings.HasPrefix(n, ".") || !strings.HasSuffix(n, ".tmp") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := os.Open(path)
		if err != nil {
			continue // it has its name, or is not ours to read
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			if err := os.Remove(path); err == nil {
				removed = append(removed, path)
			} else if !errors.Is(err, fs.ErrNotExist) { // it got its name meanwhile
				errs = append(errs, err)
			}
		}
		f.Close()
	}
	return removed, errors.Join(errs...)
}

// UnfinishedLinks lists the temporary links of Latest below root whose process is no
// more. (A link can't be locked. It stands for microseconds.)
func UnfinishedLinks(root string) (paths []string) {
	links, _ := filepath.Glob(filepath.Join(root, "."+latest+".*.tmp")) // none, if root is no pattern
	for _, link := range links {
		pid, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(link), "."+latest+"."), ".tmp"))
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			if fi, err := os.Lstat(link); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
				paths = append(paths, link)
			}
		}
	}
	return paths
}
