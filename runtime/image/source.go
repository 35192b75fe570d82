package image

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// An entry is a file, folder or symbolic link of a function, with a clean
// slash-separated name relative to the top.
type entry struct {
	name   string
	mode   fs.FileMode
	size   int64 // as declared; reading enforces it
	time   time.Time
	target string // of a symbolic link
	zip    *zip.File
}

// A src is an opened directory or zip.
type src struct {
	dir     string // of a directory
	zip     *zip.ReadCloser
	windows bool // the zip's entries carry no Unix modes
}

func (s *src) close() {
	if s.zip != nil {
		s.zip.Close()
	}
}

// source opens a directory or a zip.
func source(path string, fi fs.FileInfo) (*src, error) {
	if fi.IsDir() {
		return &src{dir: path}, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var magic [4]byte
	io.ReadFull(f, magic[:])
	switch {
	case bytes.Equal(magic[:], []byte("PK\x03\x04")), bytes.Equal(magic[:], []byte("PK\x05\x06")):
		z, err := zip.OpenReader(path)
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			return nil, fmt.Errorf("read zip: %w", err)
		}
		return &src{zip: z}, nil
	case bytes.HasPrefix(magic[:], []byte("\x1f\x8b")):
		return nil, &Hint{ErrKind, "a tar of an image is taken as docker save writes it: gunzip it first"}
	case bytes.Equal(magic[:], []byte("\x7fELF")):
		return nil, &Hint{ErrKind, "this is a program; put it, named bootstrap, into a directory of its own and give that"}
	}
	return nil, &Hint{ErrKind, bootstrapHint}
}

// list returns every entry, folders before what they hold.
func (s *src) list() ([]entry, error) {
	if s.zip != nil {
		return s.listZip()
	}
	var list []entry
	err := filepath.WalkDir(s.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.dir, p)
		if err != nil || rel == "." {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		e := entry{name: filepath.ToSlash(rel), mode: fi.Mode(), size: fi.Size(), time: fi.ModTime()}
		if e.mode&fs.ModeSymlink != 0 {
			if e.target, err = os.Readlink(p); err != nil {
				return err
			}
		}
		if len(list) == MaxFiles {
			return &Hint{ErrTooLarge, fmt.Sprintf("more than %d files", MaxFiles)}
		}
		list = append(list, e)
		return nil
	})
	return list, err
}

func (s *src) listZip() ([]entry, error) {
	var list []entry
	seen := map[string]int{}
	s.windows = true
	if len(s.zip.File) > MaxFiles {
		return nil, &Hint{ErrTooLarge, fmt.Sprintf("more than %d files", MaxFiles)}
	}
	for _, f := range s.zip.File {
		name, err := cleanName(f.Name)
		if err != nil {
			return nil, err
		}
		if f.CreatorVersion>>8 == 3 || f.CreatorVersion>>8 == 19 { // Unix, macOS
			s.windows = false
		}
		if name == "." {
			continue
		}
		e := entry{name: name, mode: f.Mode(), size: int64(f.UncompressedSize64), time: f.Modified, zip: f}
		if strings.HasSuffix(f.Name, "/") {
			e.mode |= fs.ModeDir
		}
		if f.UncompressedSize64 > MaxBytes {
			return nil, tooLarge()
		}
		if e.mode&fs.ModeSymlink != 0 {
			target, err := readSome(f, 4096)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			e.target = string(target)
		}
		if at, twice := seen[name]; twice {
			if e.mode.IsDir() && list[at].mode.IsDir() {
				continue
			}
			return nil, fmt.Errorf("%s stands in the zip twice: %w", name, ErrUnsafe)
		}
		seen[name] = len(list)
		list = append(list, e)
	}
	return addParents(list, seen)
}

// addParents adds the folders that a zip only implies.
func addParents(list []entry, seen map[string]int) ([]entry, error) {
	for i := range list {
		for p := path.Dir(list[i].name); p != "."; p = path.Dir(p) {
			if at, ok := seen[p]; ok {
				if !list[at].mode.IsDir() {
					return nil, fmt.Errorf("%s lies below %s, which is not a folder: %w", list[i].name, p, ErrUnsafe)
				}
				break
			}
			if len(list) >= MaxFiles {
				return nil, &Hint{ErrTooLarge, fmt.Sprintf("more than %d files", MaxFiles)}
			}
			seen[p] = len(list)
			list = append(list, entry{name: p, mode: fs.ModeDir | 0o755})
		}
	}
	return list, nil
}

func tooLarge() error {
	return &Hint{ErrTooLarge, fmt.Sprintf("Lambda takes at most %d MB unpacked", MaxBytes>>20)}
}

// cleanName refuses names that leave the folder that they are unpacked into.
func cleanName(name string) (string, error) {
	bad := func(why string) (string, error) { return "", fmt.Errorf("%q %s: %w", name, why, ErrUnsafe) }
	slashed := strings.ReplaceAll(name, `\`, "/") // as some tools on Windows write it
	switch {
	case strings.HasPrefix(slashed, "/"), len(slashed) > 1 && slashed[1] == ':':
		return bad("is an absolute name")
	case strings.ContainsRune(name, 0), len(name) > 4096:
		return bad("is not a file name")
	}
	for part := range strings.SplitSeq(slashed, "/") {
		if part == ".." {
			return bad("leaves the folder")
		}
		if len(part) > 255 {
			return bad("is too long")
		}
	}
	return path.Clean("./" + slashed), nil
}

// check refuses what is neither file, folder nor harmless link, and too much of it.
func check(list []entry) error {
	var total int64
	for _, e := range list {
		switch t := e.mode.Type(); {
		case t == 0:
			if total += e.size; total > MaxBytes || e.size < 0 {
				return tooLarge()
			}
		case t == fs.ModeDir:
		case t == fs.ModeSymlink:
			if !inside(e.name, e.target) {
				return &Hint{fmt.Errorf("%s is a link to %q, outside the function: %w", e.name, e.target, ErrUnsafe), "copy the file in instead"}
			}
		default:
			return fmt.Errorf("%s is a %v, not a file: %w", e.name, t, ErrUnsafe)
		}
	}
	return nil
}

// inside says whether a link stays in the function. A target may climb only at
// its beginning, from the link's own folder, which is a real one: further on a
// part may be a link itself, and ".." behind it leads elsewhere than it reads.
func inside(name, target string) bool {
	if target == "" || path.IsAbs(target) || strings.ContainsRune(target, 0) {
		return false
	}
	down := false
	for part := range strings.SplitSeq(target, "/") {
		switch part {
		case "..":
			if down {
				return false
			}
		case "", ".":
		default:
			down = true
		}
	}
	return filepath.IsLocal(path.Join(path.Dir(name), target))
}

// open opens a file's contents.
func (s *src) open(e entry) (io.ReadCloser, error) {
	if e.zip != nil {
		return e.zip.Open()
	}
	return os.Open(filepath.Join(s.dir, filepath.FromSlash(e.name)))
}

func readSome(f *zip.File, n int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, n))
}
