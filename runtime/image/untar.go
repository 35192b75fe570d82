package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tally is what came out of a layer.
type tally struct {
	Bytes   int64  `json:"bytes"`             // of its files
	Entries int    `json:"entries"`           // of the tar
	Skipped int    `json:"skipped,omitempty"` // devices, pipes and sockets
	Example string `json:"example,omitempty"` // the first of those
	Opaque  bool   `json:"opaque,omitempty"`  // nothing of the layers below is to be seen
}

// An untar unpacks the tar of a layer into a folder that is empty and its own.
//
// Two locks keep it there. Each entry is made in a folder that this untar made
// itself, so it never goes through a link, and all it does goes through an
// os.Root, which follows no link out. The first alone would do.
type untar struct {
	root   *os.Root
	dirs   map[string]attributes // folders made so far, what they get at the end
	opaque map[string]bool       // folders that hide the layers below
	gone   map[string]bool       // names that hide those in the layers below
	room   tally                 // Bytes and Entries that may still come
	tally
}

// attributes are set once nothing more is written into a folder.
type attributes struct {
	mode fs.FileMode
	time time.Time
}

// untarInto unpacks r into the folder at dir.
func untarInto(dir string, r io.Reader, room tally) (tally, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return tally{}, err
	}
	defer root.Close()
	u := &untar{
		root: root, room: room, dirs: map[string]attributes{".": {mode: 0o755}},
		opaque: map[string]bool{}, gone: map[string]bool{},
	}
	if err := u.all(r); err != nil {
		return tally{}, err
	}
	return u.tally, nil
}

func (u *untar) all(r io.Reader) error {
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return fmt.Errorf("read tar: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if err := u.count(); err != nil {
			return err
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
	if err := u.hide(); err != nil {
		return err
	}
	return u.settle()
}

func (u *untar) entry(h *tar.Header, body io.Reader) error {
	name, err := layerName(h.Name)
	if err != nil {
		return err
	}
	if base := path.Base(name); strings.HasPrefix(base, whiteout) {
		return u.whiteout(path.Dir(name), base)
	}
	if name == "." && h.Typeflag != tar.TypeDir {
		return fmt.Errorf("no folder at the top: %w", ErrUnsafe)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.dir(name, h)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return u.file(name, h, body)
	case tar.TypeSymlink:
		return u.symlink(name, h.Linkname)
	case tar.TypeLink:
		return u.link(name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		if u.Skipped++; u.Skipped == 1 {
			u.Example = name
		}
		return nil
	}
	return fmt.Errorf("unknown kind of entry %q: %w", h.Typeflag, ErrUnsafe)
}

// layerName is a clean name relative to the top. A leading slash is the image's
// top, too: some builders write it.
func layerName(name string) (string, error) {
	bad := func(why string) (string, error) { return "", fmt.Errorf("%s: %w", why, ErrUnsafe) }
	if strings.ContainsRune(name, 0) || len(name) > 4096 {
		return bad("not a file name")
	}
	for part := range strings.SplitSeq(path.Dir(path.Clean("/"+name)), "/") {
		if strings.HasPrefix(part, whiteout) {
			return bad("lies below a whiteout")
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return bad("leaves the image")
		}
		if len(part) > 255 {
			return bad("name too long")
		}
	}
	return path.Clean("./" + strings.TrimLeft(name, "/")), nil
}

// parents makes the folders above a name that the tar only implies.
func (u *untar) parents(name string) error {
	dir := path.Dir(name)
	if _, ok := u.dirs[dir]; ok {
		return nil
	}
	if err := u.parents(dir); err != nil {
		return err
	}
	if err := u.root.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("lies below %s, which is not a folder: %w", dir, ErrUnsafe)
		}
		return err
	}
	u.dirs[dir] = attributes{mode: 0o755}
	return u.count()
}

// count bounds the entries, and the folders that they only imply.
func (u *untar) count() error {
	if u.Entries++; u.Entries > u.room.Entries {
		return &Hint{ErrTooLarge, fmt.Sprintf("more than %d files", MaxEntries)}
	}
	return nil
}

// clear removes what an earlier entry of the same name left: the last one counts.
func (u *untar) clear(name string) error {
	if _, ok := u.dirs[name]; ok {
		return fmt.Errorf("first a folder, then something else: %w", ErrUnsafe)
	}
	if err := u.parents(name); err != nil {
		return err
	}
	if err := u.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (u *untar) dir(name string, h *tar.Header) error {
	if _, ok := u.dirs[name]; !ok {
		if err := u.clear(name); err != nil {
			return err
		}
		if err := u.root.Mkdir(name, 0o700); err != nil {
			return err
		}
	}
	mode := fs.FileMode(h.Mode & 0o777)
	if h.Mode&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	if name != "." { // its mode is never seen
		u.dirs[name] = attributes{mode, h.ModTime}
	}
	return nil
}

// file writes a file with its mode, without setuid and setgid, and its time.
func (u *untar) file(name string, h *tar.Header, body io.Reader) error {
	if err := u.clear(name); err != nil {
		return err
	}
	w, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, &bounded{body, u.room.Bytes - u.Bytes}) // a sparse file is larger than its part of the tar
	u.Bytes += n
	return errors.Join(err, w.Chmod(fs.FileMode(h.Mode&0o777)), setTime(w, h.ModTime), w.Close())
}

// symlink makes a link that leads wherever it likes: inside, the image's top is
// the top of all there is, and here nothing follows it.
func (u *untar) symlink(name, target string) error {
	if target == "" || len(target) > 4095 || strings.ContainsRune(target, 0) {
		return fmt.Errorf("link to %q: %w", target, ErrUnsafe)
	}
	if err := u.clear(name); err != nil {
		return err
	}
	return u.root.Symlink(target, name)
}

// link gives a file of this layer another name.
func (u *untar) link(name, target string) error {
	to, err := layerName(target)
	if err != nil {
		return fmt.Errorf("hard link to %q: %w", target, err)
	}
	if _, ok := u.dirs[to]; ok {
		return fmt.Errorf("hard link to folder %q: %w", target, ErrUnsafe)
	}
	if _, ok := u.dirs[path.Dir(to)]; !ok {
		return fmt.Errorf("hard link to %q, which is not in this layer: %w", target, ErrUnsafe)
	}
	if _, err := u.root.Lstat(to); err != nil {
		return fmt.Errorf("hard link to %q, which is not in this layer: %w", target, ErrUnsafe)
	}
	if name == to {
		return nil
	}
	if err := u.clear(name); err != nil {
		return err
	}
	return u.root.Link(to, name)
}

// settle gives folders their modes and times, those that lie deepest first.
func (u *untar) settle() error {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(u.dirs))) {
		a := u.dirs[name]
		if !a.time.IsZero() {
			if err := u.root.Chtimes(name, a.time, a.time); err != nil {
				return err
			}
		}
		if err := u.root.Chmod(name, a.mode); err != nil {
			return err
		}
	}
	return nil
}
