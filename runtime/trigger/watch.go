package trigger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// watch tells of files in a folder that are complete, by inotify: written and
// closed, or moved there.
type watch struct {
	folder  string
	file    *os.File         // of inotify
	fd      int              // the same
	folders map[int32]string // by watch, as paths below folder
	told    map[string]mark  // files that were found in a new folder, and whose closing may be told too
}

// mark is a file's contents, as far as it can be seen from outside.
type mark struct {
	inode uint64
	size  int64
	mtime unix.Timespec
}

// What begins with a dot is neither told of nor looked into.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

const watched = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_CREATE | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

func newWatch(folder string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	w := &watch{folder: folder, fd: fd, file: os.NewFile(uintptr(fd), "inotify"), folders: map[int32]string{}, told: map[string]mark{}}
	err = w.add(".", nil)
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends run.
func (w *watch) Close() error { return w.file.Close() }

// add watches a folder and those in it. What is found there is told: nil leaves
// it alone.
func (w *watch) add(dir string, tell func(key string)) error {
	path := filepath.Join(w.folder, dir)
	wd, err := unix.InotifyAddWatch(w.fd, path, watched)
	if err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	w.folders[int32(wd)] = dir
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		key := filepath.Join(dir, e.Name())
		switch {
		case hidden(e.Name()):
		case e.IsDir():
			if err := w.add(key, tell); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		case tell != nil && e.Type().IsRegular():
			if m, ok := w.complete(key); ok {
				w.told[key] = m
				tell(key)
			}
		}
	}
	return nil
}

// complete reports whether nobody has a file open for writing: a lease for
// reading is refused then, and closing it will be told.
func (w *watch) complete(key string) (m mark, ok bool) {
	f, err := openIn(w.folder, key)
	if err != nil {
		return m, false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return w.mark(key), !errors.Is(err, unix.EAGAIN)
}

func (w *watch) mark(key string) (m mark) {
	var st unix.Stat_t
	if unix.Lstat(filepath.Join(w.folder, key), &st) == nil {
		m = mark{st.Ino, st.Size, st.Mtim}
	}
	return m
}

// run tells of each file that is complete, until the watch is closed or the
// folder is gone, which its error says.
func (w *watch) run(tell func(key string)) error {
	b := make([]byte, 64<<10)
	for {
		n, err := w.file.Read(b)
		if err != nil {
			return err
		}
		for rest := b[:n]; len(rest) >= unix.SizeofInotifyEvent; {
			wd := int32(binary.NativeEndian.Uint32(rest))
			mask := binary.NativeEndian.Uint32(rest[4:])
			length := int(binary.NativeEndian.Uint32(rest[12:]))
			name := string(bytes.TrimRight(rest[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+length], "\x00"))
			rest = rest[unix.SizeofInotifyEvent+length:]
			if err := w.event(wd, mask, name, tell); err != nil {
				return err
			}
		}
	}
}

var (
	errFolderGone = errors.New("the folder is gone")
	errOverflow   = errors.New("files were created faster than they could be taken in")
)

func (w *watch) event(wd int32, mask uint32, name string, tell func(key string)) error {
	dir, known := w.folders[wd]
	key := filepath.Join(dir, name)
	switch {
	case mask&unix.IN_Q_OVERFLOW != 0:
		return errOverflow
	case !known:
	case mask&unix.IN_IGNORED != 0:
		delete(w.folders, wd)
		if dir == "." {
			return errFolderGone
		}
	case hidden(name):
	case mask&unix.IN_ISDIR != 0:
		if err := w.add(key, tell); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR) {
			return err
		}
	case mask&(unix.IN_CLOSE_WRITE|unix.IN_MOVED_TO) != 0:
		m, before := w.told[key]
		delete(w.told, key)
		if before && m == w.mark(key) {
			return nil
		}
		tell(key)
	}
	return nil
}
