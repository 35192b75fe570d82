package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
)

// The files of a run's folder that this package reads and writes. The report
// packages add theirs.
const (
	ResultFile   = "result.json"
	ManifestFile = "manifest.json"
	SamplesFile  = "samples.csv"
)

// ErrNotARun is the error of reading a folder that holds no run.
var ErrNotARun = errors.New("not a run's folder")

// Write puts a run and its manifest into the folder, which is made if it isn't
// there. An empty Schema becomes this package's, an empty ID the folder's name.
// Each file is replaced as a whole; result.json comes last, so that a folder
// with one is complete.
func Write(dir string, run Run, manifest Manifest) error {
	if run.Schema == "" {
		run.Schema = Schema
	}
	if manifest.Schema == "" {
		manifest.Schema = Schema
	}
	if run.Schema != Schema || manifest.Schema != Schema {
		return fmt.Errorf("write run %s: schema %q, manifest's %q; this version writes %q", dir, run.Schema, manifest.Schema, Schema)
	}
	if run.ID == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("write run %s: %w", dir, err)
		}
		run.ID = filepath.Base(abs)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write run: %w", err)
	}
	if err := writeJSON(filepath.Join(dir, ManifestFile), manifest); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, ResultFile), run)
}

// Read reads the run in a folder. The schema has to be this package's, and a
// key that it doesn't know is refused. A folder without a result.json is
// ErrNotARun.
func Read(dir string) (Run, error) {
	var run Run
	err := readJSON(dir, ResultFile, &run)
	return run, err
}

// ReadManifest reads the manifest in a run's folder, as strictly as Read.
func ReadManifest(dir string) (Manifest, error) {
	var m Manifest
	err := readJSON(dir, ManifestFile, &m)
	return m, err
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil { // a float that is not a number, which JSON can't hold
		return fmt.Errorf("write %s: %w", path, err)
	}
	b = append(b, '\n')
	return Replace(path, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

func readJSON(dir, name string, into any) error {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: it has no %s", dir, ErrNotARun, name)
	}
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	if err := decode(b, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// decode reads one JSON object of this package's schema into a struct.
func decode(b []byte, into any) error {
	var head struct {
		Schema *string `json:"schema"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return place(b, err)
	}
	if head.Schema == nil {
		return errors.New("it names no schema")
	}
	if *head.Schema != Schema {
		return fmt.Errorf("schema %q is not the one that this version reads, %q; use the version of coldstorm that wrote it", *head.Schema, Schema)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return place(b, err)
	}
	if key := unknownKey(tree, reflect.TypeOf(into).Elem(), ""); key != "" {
		return fmt.Errorf("unknown key %s", key)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return place(b, err)
	}
	return nil
}

// place adds the line to an error of package json.
func place(b []byte, err error) error {
	offset := int64(-1)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
		offset = kind.Offset
	}
	if offset < 0 || offset > int64(len(b)) {
		return err
	}
	return fmt.Errorf("line %d: %w", bytes.Count(b[:offset], []byte("\n"))+1, err)
}
