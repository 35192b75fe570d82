package launch

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// OwnCgroup makes a cgroup in the folder dir of a tree, for purposes of the caller's
// own, which its name tells a person. release removes it once it is empty; Clean does
// if the caller is killed before.
func OwnCgroup(dir, purpose string) (path string, release func() error, err error) {
	path = filepath.Join(dir, cgroupName(os.Getpid(), purpose))
	fd, err := makeLocked(path)
	if err != nil {
		return "", nil, err
	}
	return path, func() error {
		return errors.Join(rmdir(unix.AT_FDCWD, path), unix.Close(fd))
	}, nil
}
