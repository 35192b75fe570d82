package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// A layer hides what lies below it with files of these names (OCI image
// specification, layer, whiteouts). An overlay hides with a character device
// 0/0, which anybody may make, and with an extended attribute; that of a user
// works in a user namespace and outside alike, with the option userxattr (Linux
// documentation, overlayfs).
const (
	whiteout       = ".wh."
	whiteoutOpaque = ".wh..wh..opq"
	whiteoutMeta   = ".wh..wh." // of aufs: nothing to us
	opaqueAttr     = "user.overlay.opaque"
)

// covered are folders in every sandbox, made by the launcher, which takes no
// layer in which they are something else.
var covered = []string{"dev", "etc", "proc", "sys", "tmp", "var", "var/task"}

// mountable refuses a layer that has something else in the place of one.
func mountable(layer string) error {
	for _, name := range covered {
		if fi, err := os.Lstat(filepath.Join(layer, name)); err == nil && !fi.IsDir() {
			return &Hint{fmt.Errorf("/%s is no folder: %w", name, ErrUnsafe), "every sandbox has a folder of its own there: leave it a folder in the image, too"}
		}
	}
	return nil
}

// whiteout notes what is to be hidden. It is carried out at the end, as it hides
// nothing of its own layer, wherever in the tar it stands.
func (u *untar) whiteout(dir, base string) error {
	name := path.Join(dir, base)
	switch {
	case base == whiteoutOpaque:
		u.opaque[dir] = true
	case len(base) >= len(whiteoutMeta) && base[:len(whiteoutMeta)] == whiteoutMeta:
		return nil
	case base == whiteout, base == whiteout+".", base == whiteout+"..":
		return fmt.Errorf("whiteout of nothing: %w", ErrUnsafe)
	default:
		u.gone[path.Join(dir, base[len(whiteout):])] = true
	}
	return u.parents(name)
}

// hide carries the whiteouts out.
func (u *untar) hide() error {
	for name := range u.gone {
		_, isDir := u.dirs[name]
		if !isDir && slices.Contains(covered, name) {
			if err := u.root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			isDir = true
		}
		if isDir {
			u.opaque[name] = true
		} else if _, err := u.root.Lstat(name); err == nil || u.opaque[path.Dir(name)] {
			continue // hidden already
		} else if err := u.mknod(name); err != nil {
			return fmt.Errorf("whiteout %s: %w", name, storeCannot(err))
		}
	}
	for dir := range u.opaque {
		if dir == "." { // an overlay merges the tops of all its layers
			u.Opaque = true
			continue
		}
		if err := u.setOpaque(dir); err != nil {
			return fmt.Errorf("opaque %s: %w", dir, storeCannot(err))
		}
	}
	return nil
}

func (u *untar) mknod(name string) error {
	dir, err := u.root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Mknodat(int(dir.Fd()), path.Base(name), unix.S_IFCHR, 0)
}

func (u *untar) setOpaque(name string) error {
	dir, err := u.root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Fsetxattr(int(dir.Fd()), opaqueAttr, []byte("y"), 0)
}

// storeCannot says what to do about a file system without what overlays need.
func storeCannot(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOTSUP) {
		return &Hint{fmt.Errorf("%w: %w", ErrStore, err), "keep layers on ext4, xfs, btrfs or a tmpfs"}
	}
	return err
}

// isWhiteout tells a name that hides from one that shows: no other device is
// ever unpacked.
func isWhiteout(fi fs.FileInfo) bool { return fi.Mode()&fs.ModeCharDevice != 0 }

// isOpaque says whether a folder of a layer hides those below it.
func isOpaque(layer, name string) bool {
	var v [1]byte
	n, err := unix.Lgetxattr(filepath.Join(layer, name), opaqueAttr, v[:])
	return err == nil && n == 1 && v[0] == 'y'
}
