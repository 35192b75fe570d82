package image

import (
	"errors"
)

// MaxBytes bounds the unpacked contents: Lambda's limit for a function with its
// layers (250 MB; AWS Lambda quotas).
const MaxBytes = 250 << 20

// MaxFiles bounds how many files and folders there may be, which AWS doesn't say.
const MaxFiles = 100_000

// Bounds of a container image.
const (
	MaxImageBytes = 10 << 30 // unpacked, with all layers (AWS Lambda quotas)
	MaxEntries    = 1_000_000
)

// Kind is what a function came as.
type Kind string

const (
	KindDirectory Kind = "directory"
	KindZip       Kind = "zip"
	KindContainer Kind = "image" // a container image, from wherever
)

// An Image is a function ready to be mounted: what launch needs, and what a
// report says of it.
type Image struct {
	Kind    Kind
	Layers  []string // folders of root filesystems, uppermost first, readable by any user
	Argv    []string // program to start, as seen inside
	Dir     string   // working directory, as seen inside
	Env     []string // NAME=value, of a container image or a managed runtime; the function's own count for more
	Handler string   // _HANDLER: a container image's CMD, or what is called in a managed runtime; empty: not known
	Runtime string   // as AWS names it; empty: a container image's own
	Managed bool     // Handler is run by coldstorm's runtime of its language, below /var/runtime
	Digest  string   // "sha256:" and the hash of names, modes and contents; of a container image, of its manifest, or else of its configuration
	Bytes   int64    // size of the unpacked contents
	Static  bool     // the program needs no library
	HostUsr bool     // it needs the host's /usr, /lib and the like, mounted read-only
	Reason  string   // why HostUsr; empty if not
	Notes   []string // sentences that a reader of the figures must know
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
	ErrNotExecutable = errors.New("not executable")
	ErrFormat        = errors.New("neither an ELF program nor a script")
	ErrArchitecture  = errors.New("built for another processor")
	ErrUnsafe        = errors.New("unsafe entry")
	ErrTooLarge      = errors.New("too large")
	ErrKind          = errors.New("neither a directory, a zip nor a container image")

	ErrManifest  = errors.New("not one container image")
	ErrPlatform  = errors.New("not for")
	ErrDigest    = errors.New("contents don't match the digest")
	ErrNoProgram = errors.New("no program to start")
	ErrRegistry  = errors.New("no image from the registry")
	ErrStore     = errors.New("the store of layers can't be used")
)

const bootstrapHint = "want a directory or zip with an executable file named bootstrap at its top (a Go function: GOOS=linux CGO_ENABLED=0 go build -o bootstrap .), or with a handler in Python or Node.js"
