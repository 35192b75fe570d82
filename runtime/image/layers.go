package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The store of layers:
//
//	STORE/sha256-<DiffID>/fs          the layer, as overlay takes it
//	STORE/sha256-<DiffID>/layer.json  its tally
//	STORE/unpack-<anything>           one that is being unpacked, or was when a run was killed
//
// A folder with a digest for a name is whole, as it got its name last. Whoever
// uses a folder, or unpacks into it, holds a shared lock on it, which ends with
// the process; Prune removes those on which it gets an exclusive one.
const (
	layerFS   = "fs"
	layerJSON = "layer.json"
	keptName  = "sha256-"
	halfName  = "unpack-"
)

// store is the folder of layers as one Opener sees it.
type store struct {
	dir   string
	locks []*os.File
}

// use locks a layer that is there. Errors: fs.ErrNotExist.
func (s *store) use(name string) (string, tally, error) {
	dir := filepath.Join(s.dir, name)
	for {
		lock, err := lockFolder(dir, unix.LOCK_SH)
		if err != nil {
			return "", tally{}, err
		}
		if !stands(lock, dir) { // it was pruned while we waited
			lock.Close()
			continue
		}
		var t tally
		text, err := os.ReadFile(filepath.Join(dir, layerJSON))
		if err == nil {
			err = json.Unmarshal(text, &t)
		}
		if err != nil {
			lock.Close()
			// Not %w of err: a missing layer.json is no missing layer.
			return "", tally{}, &Hint{fmt.Errorf("layer %s: %v: %w", dir, err, ErrStore), "coldstorm clean removes what is broken; it is fetched again then"}
		}
		s.locks = append(s.locks, lock)
		return filepath.Join(dir, layerFS), t, nil
	}
}

// unpacked returns the folder of a layer, which is unpacked unless it is there;
// then begins is called. room is what the layers below have left of an image's
// bounds.
func (s *store) unpacked(ctx context.Context, l layer, room tally, begins func()) (string, tally, error) {
	name := keptName + l.diff.Hex
	path, t, err := s.use(name)
	if errors.Is(err, fs.ErrNotExist) {
		begins()
	}
	for errors.Is(err, fs.ErrNotExist) { // again where somebody was faster, and that was pruned since
		lock, failed := s.unpack(ctx, l, name, room)
		if failed != nil {
			return "", tally{}, failed
		}
		path, t, err = s.use(name) // takes a lock of its own
		lock.Close()
	}
	return path, t, err
}

// unpack unpacks a layer into the store, under its name, unless somebody else has. Until the
// lock is closed nobody prunes what it has unpacked.
func (s *store) unpack(ctx context.Context, l layer, name string, room tally) (*os.File, error) {
	tmp, lock, err := s.begin()
	if err != nil {
		return nil, err
	}
	if err = s.fill(ctx, l, tmp, room); err == nil {
		err = os.Rename(tmp, filepath.Join(s.dir, name))
	}
	if err != nil {
		RemoveTree(tmp)
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, unix.ENOTEMPTY) {
			lock.Close()
			return nil, err
		}
	}
	return lock, nil
}

// begin makes a folder to unpack into, and locks it.
func (s *store) begin() (string, *os.File, error) {
	for {
		tmp, err := os.MkdirTemp(s.dir, halfName)
		if err != nil {
			return "", nil, fmt.Errorf("%w: %w", ErrStore, err)
		}
		lock, err := lockFolder(tmp, unix.LOCK_SH)
		if err == nil && stands(lock, tmp) {
			return tmp, lock, nil
		}
		if err == nil {
			lock.Close() // it was pruned before it was locked
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			os.Remove(tmp)
			return "", nil, err
		}
	}
}

// fill unpacks and verifies a layer, and has it written to the disk.
func (s *store) fill(ctx context.Context, l layer, tmp string, room tally) error {
	root := filepath.Join(tmp, layerFS)
	if err := os.Mkdir(root, 0o700); err != nil {
		return err
	}
	r, err := l.open(ctx)
	if err != nil {
		return err
	}
	var t tally
	err = r.through(room.Bytes, func(plain io.Reader) error {
		t, err = untarInto(root, plain, room)
		return err
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(t)
	if err == nil {
		err = os.WriteFile(filepath.Join(tmp, layerJSON), text, 0o644)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(tmp)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Syncfs(int(dir.Fd())) // a name with a digest outlives a power cut, and so must what it promises
}

func (s *store) close() error {
	var errs []error
	for _, l := range s.locks {
		errs = append(errs, l.Close())
	}
	s.locks = nil
	return errors.Join(errs...)
}

// lockFolder opens and locks a folder.
func lockFolder(dir string, how int) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w: %w", dir, ErrStore, err)
	}
	return f, nil
}

// stands says whether a folder that is open still has its name.
func stands(f *os.File, dir string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(dir)
	return err == nil && os.SameFile(open, named)
}

// RemoveTree removes a folder, also one with folders that its owner may not
// write to.
func RemoveTree(dir string) error {
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			os.Chmod(p, 0o700) // before it is read: WalkDir calls for a folder first
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// Pruned is a folder that Prune removed.
type Pruned struct {
	Path  string
	Bytes int64 // on the disk
}

// Prune removes, from a store of layers, what was being unpacked when somebody
// was killed, and, unless they are to be kept, the layers that nobody uses. A
// store that isn't there is empty.
func Prune(dir string, keep bool) ([]Pruned, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []Pruned
	errs := []error{err}
	for _, e := range entries {
		half, whole := strings.HasPrefix(e.Name(), halfName), strings.HasPrefix(e.Name(), keptName)
		if !e.IsDir() || !half && (keep || !whole) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		n, err := pruneOne(path)
		switch {
		case err == nil:
			all = append(all, Pruned{path, n})
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, err)
		}
	}
	return all, errors.Join(errs...)
}

func pruneOne(path string) (int64, error) {
	lock, err := lockFolder(path, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	if !stands(lock, path) {
		return 0, fs.ErrNotExist
	}
	n := onDisk(path)
	half, err := os.MkdirTemp(filepath.Dir(path), halfName)
	if err != nil {
		return 0, err
	}
	if err := unix.Rename(path, half); err != nil { // over the empty folder, which os.Rename refuses: from now on nobody finds it
		return 0, fmt.Errorf("rename %s: %w", path, err)
	}
	return n, RemoveTree(half)
}

// onDisk is what removing a tree gives back.
func onDisk(dir string) int64 {
	var n int64
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		var st unix.Stat_t
		if err != nil || unix.Lstat(p, &st) != nil {
			return nil
		}
		if links := int64(st.Nlink); !d.IsDir() && links > 1 {
			st.Blocks /= links // a name takes its share
		}
		n += st.Blocks * 512
		return nil
	})
	return n
}
