package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// A view looks into layers as an overlay of them would show: uppermost first.
// Of the folders that a sandbox puts above them it knows nothing.
type view []string

// maxLinks is how many links Linux follows on a way (path_resolution(7)).
const maxLinks = 40

// find follows an absolute path, with its links, to a file or folder. at is
// where that lies on the host, name what it is called inside.
func (v view) find(name string) (at, inside string, fi fs.FileInfo, err error) {
	left := split(name)
	inside = "/"
	for links := 0; ; {
		if at, fi, err = v.look(inside); err != nil || len(left) == 0 {
			return at, inside, fi, err
		}
		if !fi.IsDir() {
			return "", "", nil, &fs.PathError{Op: "find", Path: name, Err: syscall.ENOTDIR}
		}
		next := path.Join(inside, left[0])
		left = left[1:]
		at, fi, err = v.look(next)
		if err != nil || fi.Mode()&fs.ModeSymlink == 0 {
			inside = next
			continue
		}
		if links++; links > maxLinks {
			return "", "", nil, &fs.PathError{Op: "find", Path: name, Err: syscall.ELOOP}
		}
		target, err := os.Readlink(at)
		if err != nil {
			return "", "", nil, err
		}
		if path.IsAbs(target) {
			inside = "/"
		}
		left = append(split(target), left...)
	}
}

// split gives the parts of a path. ".." stays, as it means the folder above the
// one that a link before it leads to.
func split(name string) []string {
	var parts []string
	for p := range strings.SplitSeq(name, "/") {
		if p != "" && p != "." {
			parts = append(parts, p)
		}
	}
	return parts
}

// look finds what a clean absolute path names, above which there are no links.
func (v view) look(name string) (string, fs.FileInfo, error) {
	none := &fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}
	for _, layer := range v {
		at, fi, hidden, err := lookIn(layer, split(name))
		switch {
		case err == nil:
			return at, fi, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, fmt.Errorf("%s: %w", name, err)
		case hidden:
			return "", nil, none
		}
	}
	return "", nil, none
}

// lookIn looks into one layer. If there is nothing, hidden says that the layers
// below don't count.
func lookIn(layer string, parts []string) (at string, fi fs.FileInfo, hidden bool, err error) {
	at, rel := layer, ""
	if fi, err = os.Lstat(at); err != nil {
		return "", nil, false, err
	}
	for _, p := range parts {
		if !fi.IsDir() {
			return "", nil, true, fs.ErrNotExist
		}
		rel = filepath.Join(rel, p)
		at = filepath.Join(layer, rel)
		if fi, err = os.Lstat(at); err != nil {
			return "", nil, hidden, err
		}
		if isWhiteout(fi) {
			return "", nil, true, fs.ErrNotExist
		}
		hidden = hidden || fi.IsDir() && isOpaque(layer, rel)
	}
	return at, fi, hidden, nil
}
