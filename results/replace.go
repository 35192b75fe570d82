package results

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Replace writes a file as a whole or not at all: into a temporary file beside
// it, which is synced to the disk and renamed over it. When write, or the disk,
// returns an error, nothing of the new content is left, what was there before
// is, and the error says so. The writer is buffered.
func Replace(path string, write func(io.Writer) error) error {
	temp, err := createTemp(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	defer temp.Close()
	err = fill(temp, write)
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return abandon(path, temp, err)
	}
	return syncFolder(filepath.Dir(path))
}

// createTemp makes the temporary file, locked (see RemoveUnfinished).
func createTemp(path string) (*os.File, error) {
	for {
		f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
		if err != nil {
			return nil, err
		}
		for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
			err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX) // where there are no locks, nothing is taken for unfinished
		}
		if _, err := os.Lstat(f.Name()); err == nil {
			return f, nil
		}
		f.Close() // somebody took it for unfinished before it was locked
	}
}

// fill writes and syncs the file.
func fill(f *os.File, write func(io.Writer) error) (err error) {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return f.Sync()
}

// abandon removes the temporary file and words the error.
func abandon(path string, temp *os.File, err error) error {
	os.Remove(temp.Name())
	kept := "nothing of it is left"
	if _, statErr := os.Lstat(path); statErr == nil {
		kept = "the file that was there is kept"
	}
	return fmt.Errorf("write %s: %w; %s", path, cause(err), kept)
}

// cause is an error without the name of the temporary file, which tells a
// person nothing.
func cause(err error) error {
	if at := (*os.PathError)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}

// syncFolder makes a rename last. A file system that can't sync folders, which
// says EINVAL, keeps them some other way.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
