package workloads

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"

	"coldstorm/workloads/thumbnail/photo"
)

// Workload is a bundled function.
type Workload struct {
	Name  string
	Doc   string   // what it does, in a sentence
	Sizes []string // classes of its payloads, the smallest first

	payload func(size string, seed int64) ([]byte, error)
	expect  func(size string, seed int64) (func(response []byte) error, error)
}

// bundled is the catalogue. A workload is added here, as a folder with its
// program, and as a line of the Makefile that builds it.
var bundled = []Workload{{
	Name:    "thumbnail",
	Doc:     "scales a JPEG photograph down to fit 200 x 200 pixels",
	Sizes:   photo.Sizes(),
	payload: photo.Event,
	expect:  photo.Expect,
}, {
	Name:    "hello",
	Doc:     "greets who the event names: everything that it takes is not the function's",
	Sizes:   []string{"small"},
	payload: helloEvent,
	expect:  helloExpect,
}}

// Catalogue lists the bundled workloads.
func Catalogue() []Workload { return slices.Clone(bundled) }

// Bundled finds a workload by its name.
func Bundled(name string) (Workload, bool) {
	for _, w := range bundled {
		if w.Name == name {
			return w, true
		}
	}
	return Workload{}, false
}

func bundledNames() []string {
	var all []string
	for _, w := range bundled {
		all = append(all, w.Name)
	}
	return all
}

// Payload makes an event of a size class, the same on every machine for the
// same seed.
func (w Workload) Payload(size string, seed int64) ([]byte, error) {
	body, err := w.payload(size, seed)
	if err != nil {
		return nil, fmt.Errorf("workload %s: %w", w.Name, err)
	}
	return body, nil
}

// Expect works out what the function has to answer to Payload(size, seed), and
// returns the check of a response. The check may be called from many
// goroutines; it takes about a millisecond, so it belongs after a storm or
// before it, not between its sends.
func (w Workload) Expect(size string, seed int64) (check func(response []byte) error, err error) {
	check, err = w.expect(size, seed)
	if err != nil {
		return nil, fmt.Errorf("workload %s: %w", w.Name, err)
	}
	return check, nil
}

// Check holds one response to Payload(size, seed) against what is expected.
func (w Workload) Check(size string, seed int64, response []byte) error {
	check, err := w.Expect(size, seed)
	if err != nil {
		return err
	}
	return check(response)
}

// ErrNotBuilt is the error of Binary when coldstorm was built without its
// workloads.
var ErrNotBuilt = errors.New("the bundled workloads are not in this binary")

// Binary is the function's program, for Linux on the processor that coldstorm
// was built for: what a zip of it holds as bootstrap.
func (w Workload) Binary() ([]byte, error) { return w.binary(bin) }

func (w Workload) binary(from fs.FS) ([]byte, error) {
	b, err := fs.ReadFile(from, "bin/"+runtime.GOARCH+"/"+w.Name)
	if err != nil {
		return nil, fmt.Errorf("workload %s: %w; build coldstorm with: make build", w.Name, ErrNotBuilt)
	}
	return b, nil
}
