package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

// Whose a folder is, is asked of a lock: a run holds flock(2) on each folder that it
// would remove, and the kernel lets go of that however the run ends. A pid in its name
// is for a person: it may be another program's by now, or of another pid namespace.

// own makes a folder and locks it. The lock ends when the file is closed, which is nil
// on a filesystem without locks: nobody will take such a folder for abandoned.
func own(make func() (string, error)) (dir string, lock *os.File, err error) {
	for {
		if dir, err = make(); err != nil {
			return "", nil, err
		}
		lock, err = lockFolder(dir, unix.LOCK_EX)
		if err == nil && stands(lock, dir) {
			return dir, lock, nil
		}
		if err == nil {
			lock.Close()
		} else if !errors.Is(err, fs.ErrNotExist) {
			return dir, nil, nil
		}
		// Another's clean took it for abandoned before it was locked: again.
	}
}

// abandoned locks a folder whose run is no more. It returns nil of any other.
func abandoned(dir string) *os.File {
	lock, err := lockFolder(dir, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil
	}
	if !stands(lock, dir) {
		lock.Close()
		return nil
	}
	return lock
}

func lockFolder(dir string, how int) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(int(f.Fd()), how)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// stands says whether a folder that is open still has its name.
func stands(f *os.File, dir string) bool {
	open, err := f.Stat()
	named, err2 := os.Lstat(dir)
	return err == nil && err2 == nil && os.SameFile(open, named)
}

// workPrefix begins the name of a command's temporary folder, before its process id.
const workPrefix = "coldstorm-work-"

// workFolder makes a command's temporary folder, after it has removed those of commands
// that were killed. remove removes it; clean or the next command does, if this one is
// killed before.
func workFolder() (dir string, remove func(), err error) {
	removeDead(os.TempDir())
	dir, lock, err := own(func() (string, error) { return os.MkdirTemp("", workPrefix+strconv.Itoa(os.Getpid())+"-") })
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
		if lock := abandoned(dir); lock != nil {
			if image.RemoveTree(dir) == nil {
				removed = append(removed, dir)
			}
			lock.Close()
		}
	}
	return removed
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
	if dir, lock, err = own(make); err != nil {
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

// removeHalves removes, of folders in which runs were made, those whose run was killed
// before it had written what it measured, and of others what a killed command has left
// half written.
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
		lock := abandoned(dir)
		if lock == nil {
			continue // its run is under way, or it is none
		}
		if half(dir) {
			remove(dir)
		} else {
			files, err := results.RemoveUnfinished(dir)
			removed, errs = append(removed, files...), append(errs, err)
			os.Remove(filepath.Join(dir, underWay)) // of one killed when all was written
		}
		lock.Close()
	}
	return removed, errors.Join(errs...)
}

// half reports whether the folder is of a run that was killed before it had
// written anything: it says so, or there is nothing in it at all.
func half(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, results.ResultFile)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if _, err := os.Lstat(filepath.Join(dir, underWay)); err == nil {
		return true
	}
	list, err := os.ReadDir(dir)
	return err == nil && len(list) == 0 && results.IsRunName(filepath.Base(dir))
}
