package image

import (
	"errors"
	"fmt"
	"os"
)

// MaxBytes bounds the unpacked contents: Lambda's limit for a function with its
// layers (250 MB; AWS Lambda quotas).
const MaxBytes = 250 << 20

// MaxFiles bounds how many files and folders there may be, which AWS doesn't say.
const MaxFiles = 100_000

// An Image is a function ready to be mounted: what launch needs, and what a
// report says of it.
type Image struct {
	Layers  []string // folders of root filesystems, uppermost first, readable by any user
	Argv    []string // program to start, as seen inside
	Dir     string   // working directory, as seen inside
	Digest  string   // "sha256:" and the hash of names, modes and contents
	Bytes   int64    // size of the unpacked contents
	Static  bool     // the program needs no library
	HostUsr bool     // it needs the host's /usr, /lib and the like, mounted read-only
	Reason  string   // why HostUsr; empty if not
}

// Hint is an error that a person can do something about.
type Hint struct {
	Err  error
	Hint string // what to do, as a sentence without a full stop
}

func (h *Hint) Error() string { return h.Err.Error() + ": " + h.Hint }
func (h *Hint) Unwrap() error { return h.Err }

// The errors that Open can be asked about with errors.Is.
var (
	ErrNoBootstrap   = errors.New("no file named bootstrap at the top")
	ErrNotExecutable = errors.New("bootstrap is not executable")
	ErrFormat        = errors.New("bootstrap is neither an ELF program nor a script")
	ErrArchitecture  = errors.New("bootstrap is built for another processor")
	ErrUnsafe        = errors.New("unsafe entry")
	ErrTooLarge      = errors.New("too large")
	ErrKind          = errors.New("neither a directory nor a zip")
)

const bootstrapHint = "want a directory or zip with an executable file named bootstrap at its top; a Go function: GOOS=linux CGO_ENABLED=0 go build -o bootstrap ."

// Open copies the function at path into the folder store, which it makes if
// need be, unless its contents are there already. The zip is told by its first
// bytes, not by its name. Errors that a person can mend are of type *Hint.
func Open(path, store string) (Image, error) {
	img, err := open(path, store)
	if err != nil {
		return Image{}, fmt.Errorf("function %s: %w", path, err)
	}
	return img, nil
}

func open(path, store string) (Image, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return Image{}, err
	}
	src, err := source(path, fi)
	if err != nil {
		return Image{}, err
	}
	defer src.close()
	list, err := src.list()
	if err != nil {
		return Image{}, err
	}
	if err := check(list); err != nil {
		return Image{}, err
	}
	kind, err := checkBootstrap(src, list)
	if err != nil {
		return Image{}, err
	}
	root, digest, size, err := keep(src, list, store)
	if err != nil {
		return Image{}, err
	}
	return Image{
		Layers: []string{root}, Argv: []string{"/var/task/bootstrap"}, Dir: "/var/task",
		Digest: "sha256:" + digest, Bytes: size,
		Static: kind.static, HostUsr: !kind.static, Reason: kind.reason,
	}, nil
}
