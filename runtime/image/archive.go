package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// A folder is where the files of a saved image are found by name: a directory,
// or a tar that stands for one.
type folder interface {
	// file opens a file. Errors: fs.ErrNotExist.
	file(name string) (io.ReadCloser, int64, error)
	close() error
}

// A directory is a folder of the host. Links in it are followed, as tools that
// share blobs make them; whatever they lead to is verified by its digest.
type directory string

func (d directory) file(name string) (io.ReadCloser, int64, error) {
	f, err := os.OpenFile(path.Join(string(d), name), os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would keep us waiting
	if err != nil {
		return nil, 0, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, fi.Size(), nil
}

func (d directory) close() error { return nil }

// An archive is a tar with an index of where its files begin.
type archive struct {
	tar   *os.File
	files map[string]span
	links map[string]string
}

type span struct{ at, size int64 }

// maxArchived bounds the files of a tar: an image of 127 layers has less than a
// thousand.
const maxArchived = 100_000

// openArchive reads through a tar and keeps where its files are.
func openArchive(name string) (*archive, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	a := &archive{tar: f, files: map[string]span{}, links: map[string]string{}}
	if err := a.index(); err != nil {
		f.Close()
		return nil, fmt.Errorf("read tar: %w", err)
	}
	return a, nil
}

func (a *archive) index() error {
	for t := tar.NewReader(a.tar); len(a.files)+len(a.links) < maxArchived; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		name := path.Clean("/" + h.Name)
		switch h.Typeflag {
		case tar.TypeReg:
			at, err := a.tar.Seek(0, io.SeekCurrent) // the reader has read no further than the header
			if err != nil {
				return err
			}
			a.files[name] = span{at, h.Size}
		case tar.TypeSymlink: // old versions of docker save give equal layers so
			a.links[name] = path.Join(path.Dir(name), h.Linkname)
		case tar.TypeLink:
			a.links[name] = path.Clean("/" + h.Linkname)
		}
	}
	return fmt.Errorf("more than %d files: %w", maxArchived, ErrTooLarge)
}

func (a *archive) file(name string) (io.ReadCloser, int64, error) {
	name = path.Clean("/" + name)
	for range 8 {
		to, linked := a.links[name]
		if !linked {
			break
		}
		name = to
	}
	s, ok := a.files[name]
	if !ok {
		return nil, 0, &fs.PathError{Op: "open", Path: name[1:], Err: fs.ErrNotExist}
	}
	return io.NopCloser(io.NewSectionReader(a.tar, s.at, s.size)), s.size, nil
}

func (a *archive) close() error { return a.tar.Close() }
