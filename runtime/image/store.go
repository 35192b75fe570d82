package image

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// keep copies the entries into the store and returns the layer, its digest and
// its size. It unpacks into a new folder first and gives that its name at the
// end, so that a folder with a digest for a name is always whole.
func keep(s *src, list []entry, store string) (root, digest string, size int64, err error) {
	if err := os.MkdirAll(store, 0o755); err != nil {
		return "", "", 0, err
	}
	if store, err = filepath.Abs(store); err != nil {
		return "", "", 0, err
	}
	tmp, err := os.MkdirTemp(store, "unpack-")
	if err != nil {
		return "", "", 0, err
	}
	defer os.RemoveAll(tmp) // nothing, once it has its name
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	h := sha256.New()
	if size, err = unpack(s, list, tmp, h); err != nil {
		return "", "", 0, err
	}
	digest = hex.EncodeToString(h.Sum(nil))
	root = filepath.Join(store, "sha256-"+digest)
	if err := os.Rename(tmp, root); err != nil {
		if fi, err2 := os.Stat(root); err2 != nil || !fi.IsDir() { // else it was there already
			return "", "", 0, err
		}
	}
	return root, digest, size, nil
}

// unpack writes the entries below root/var/task. All writing goes through an
// os.Root, which follows no link out of it; links are made last.
func unpack(s *src, list []entry, root string, h io.Writer) (int64, error) {
	task := filepath.Join(root, "var", "task")
	if err := os.MkdirAll(task, 0o755); err != nil {
		return 0, err
	}
	for _, dir := range []string{root, filepath.Dir(task), task} {
		if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask
			return 0, err
		}
	}
	top, err := os.OpenRoot(task)
	if err != nil {
		return 0, err
	}
	defer top.Close()
	var total int64
	for _, e := range list { // sorted, so folders come before what they hold
		switch e.mode.Type() {
		case fs.ModeDir:
			fmt.Fprintf(h, "d %q\n", e.name)
			if err := top.MkdirAll(e.name, 0o755); err != nil {
				return 0, err
			}
			err = top.Chmod(e.name, 0o755)
		case 0:
			var n int64
			n, err = copyFile(s, e, top, h, MaxBytes-total)
			total += n
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", e.name, err)
		}
	}
	for _, e := range list {
		if e.mode.Type() == fs.ModeSymlink {
			fmt.Fprintf(h, "l %q %q\n", e.name, e.target)
			if err := top.Symlink(e.target, e.name); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func copyFile(s *src, e entry, top *os.Root, h io.Writer, room int64) (int64, error) {
	mode := fs.FileMode(0o444)
	if e.mode&0o111 != 0 {
		mode = 0o555
	}
	r, err := s.open(e)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	w, err := top.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	body := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, body), io.LimitReader(r, room+1))
	err = errors.Join(err, w.Chmod(mode), setTime(w, e.time), w.Close())
	if err == nil && n > room {
		err = tooLarge()
	}
	fmt.Fprintf(h, "f %q %o %d %x\n", e.name, mode, n, body.Sum(nil))
	return n, err
}

// setTime gives a file the time of what it is a copy of: interpreters hold what
// they compiled against it, and compile at every start if it is another.
func setTime(f *os.File, t time.Time) error {
	if t.IsZero() {
		return nil
	}
	tv := unix.NsecToTimeval(t.UnixNano())
	return unix.Futimes(int(f.Fd()), []unix.Timeval{tv, tv})
}
