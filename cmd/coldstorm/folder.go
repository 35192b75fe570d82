package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

// workPrefix begins the name of a command's temporary folder, before its process id.
const workPrefix = "coldstorm-work-"

// workFolder makes a command's temporary folder, after it has removed those of commands
// that were killed. remove removes it; clean or the next command does, if this one is
// killed before.
func workFolder() (dir string, remove func(), err error) {
	removeDead(os.TempDir())
	dir, lock, err := image.Own(func() (string, error) { return os.MkdirTemp("", workPrefix+strconv.Itoa(os.Getpid())+"-") })
	if err != nil {
		return "", nil, err
	}
	return dir, func() {
		image.RemoveTree(dir)
		lock.Close()
	}, nil
}

// removeDead removes the temporary folders of commands that were killed, and
// returns which.
func removeDead(tmp string) (removed []string) {
	for _, dir := range named(tmp, workPrefix) {
		if lock := image.Abandoned(dir); lock != nil {
			var err error
			if private(lock) {
				err = endContainers(dir)
			}
			if err == nil && image.RemoveTree(dir) == nil {
				removed = append(removed, dir)
			}
			lock.Close()
		}
	}
	return removed
}

// private says whether nobody but this user could have put anything into a folder.
func private(dir *os.File) bool {
	info, err := dir.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o022 == 0
}

// named lists what has a name that begins so in a folder.
func named(dir, prefix string) []string {
	list, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return nil // a folder that is no pattern: then there is nothing to match
	}
	return list
}

// underWay is the file in the folder of a run that is not at its end: it holds
// the run's process id, for a person.
const underWay = ".pid"

// runFolder makes and locks a folder for what a run measures.
func runFolder(make func() (string, error)) (dir string, lock *os.File, err error) {
	if dir, lock, err = image.Own(make); err != nil {
		return "", nil, err
	}
	if err = os.WriteFile(filepath.Join(dir, underWay), []byte(strconv.Itoa(os.Getpid())), 0o666); err != nil {
		os.RemoveAll(dir)
		lock.Close()
		return "", nil, err
	}
	return dir, lock, nil
}

// sparePrefix begins the name of a run's folder where there was no room for another.
const sparePrefix = "coldstorm-run-"

// runNamed says whether a folder is called what a run calls its own.
func runNamed(dir string) bool {
	name := filepath.Base(dir)
	return results.IsRunName(name) || strings.HasPrefix(name, sparePrefix)
}

// hasResult says whether a folder holds what a run measured, whatever it is called by now.
func hasResult(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, results.ResultFile))
	return !errors.Is(err, fs.ErrNotExist)
}

// removeHalves removes, of folders in which runs were made, those whose run was killed
// before it had written what it measured, and of others what a killed command has left
// half written. What was never a run's is left alone, whatever is in it.
func removeHalves(dirs []string) (removed []string, err error) {
	var errs []error
	remove := func(path string) {
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, err)
			return
		}
		removed = append(removed, path)
	}
	for _, dir := range dirs {
		if !runNamed(dir) && !hasResult(dir) {
			continue // somebody's
		}
		lock := image.Abandoned(dir)
		if lock == nil {
			continue // its run is under way, or it is none
		}
		if half(dir) {
			remove(dir)
		} else {
			files, err := results.RemoveUnfinished(dir)
			removed, errs = append(removed, files...), append(errs, err)
			if runNamed(dir) {
				os.Remove(filepath.Join(dir, underWay)) // of one killed when all was written
			}
		}
		lock.Close()
	}
	return removed, errors.Join(errs...)
}

// half reports whether the folder is of a run that was killed before it had
// written anything: it says so, or there is nothing in it at all.
func half(dir string) bool {
	if !runNamed(dir) || hasResult(dir) {
		return false
	}
	if _, err := os.Lstat(filepath.Join(dir, underWay)); err == nil {
		return true
	}
	list, err := os.ReadDir(dir)
	return err == nil && len(list) == 0
}
