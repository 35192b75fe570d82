package image

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Whose a folder is, is asked of a lock: a run holds flock(2) on each folder that it
// would remove, and the kernel lets go of that however the run ends. A pid in its name
// is for a person: it may be another program's by now, or of another pid namespace.

// Own makes a folder and locks it. The lock ends when the file is closed, which is nil
// on a filesystem without locks: nobody will take such a folder for abandoned.
func Own(make func() (string, error)) (dir string, lock *os.File, err error) {
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

// Abandoned locks a folder whose run is no more. It returns nil of any other.
func Abandoned(dir string) *os.File {
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
