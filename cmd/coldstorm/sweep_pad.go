package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"coldstorm/runtime/image"
)

// padding names what a sweep adds to a package, and to an event.
const padding = "coldstorm_padding"

// pack measures the function with v bytes added to its package.
func (c *curveTarget) pack(v float64) error {
	was := c.image
	defer func() { c.image = was }()
	dir, err := os.MkdirTemp(c.work, "padded")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := c.functionPath()
	if err != nil {
		return err
	}
	padded, err := pad(path, dir, int64(v), c.scenario.Seed)
	if err != nil {
		return err
	}
	opener, _, err := c.opener()
	if err != nil {
		return err
	}
	defer opener.Close()
	f, began := c.scenario.Function, time.Now()
	if c.image, err = opener.OpenPackage(c.ctx, image.Package{Path: padded, Runtime: f.Runtime, Handler: f.Handler}); err != nil {
		return badFunction(err)
	}
	c.point.Deploy = time.Since(began)
	return c.singles()
}

// pad copies the package at path, a directory or a zip, into dir, with a file of n
// bytes that don't compress, and returns the copy.
func pad(path, dir string, n, seed int64) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", usageError("name a directory or a zip with --function", "--over package: %w", err)
	case info.IsDir():
		to := filepath.Join(dir, "package")
		if err := os.CopyFS(to, os.DirFS(path)); err != nil {
			return "", fmt.Errorf("copy the package: %w", err)
		}
		return to, writeNoise(filepath.Join(to, padding), n, seed)
	}
	to := filepath.Join(dir, "package.zip")
	if err := padZip(path, to, n, seed); err != nil {
		return "", usageError("it takes a directory or a zip; an image has no package that could be padded", "--over package: %s: %w", path, err)
	}
	return to, nil
}

func padZip(from, to string, n, seed int64) error {
	in, err := zip.OpenReader(from)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	out := zip.NewWriter(f)
	for _, e := range in.File {
		if err := out.Copy(e); err != nil {
			return err
		}
	}
	w, err := out.CreateHeader(&zip.FileHeader{Name: padding, Method: zip.Store})
	if err != nil {
		return err
	}
	if _, err := io.CopyN(w, noise(seed), n); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return f.Close()
}

func writeNoise(path string, n, seed int64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(0o644))
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(f, noise(seed), n); err != nil {
		return err
	}
	return f.Close()
}

// noise is bytes that don't compress, of a seed.
func noise(seed int64) io.Reader {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(key)
}

// payload measures the function with its first event padded to v bytes.
func (c *curveTarget) payload(v float64) error {
	was := c.payloads
	defer func() { c.payloads = was }()
	p := was[0]
	body, err := padEvent(p.Body, int(v))
	if err != nil {
		return err
	}
	p.Body = body
	c.payloads = []payload{p}
	return c.singles()
}

// padEvent gives an event that is a JSON object another key, so that it has n bytes.
// An event that has more already is refused.
func padEvent(event []byte, n int) ([]byte, error) {
	var object map[string]json.RawMessage
	if json.Unmarshal(event, &object) != nil || object == nil {
		return nil, usageError("give an event that is an object with --payload", "--over payload: the event is no JSON object, so no key can be added to it")
	}
	if len(event) == n {
		return event, nil
	}
	object[padding] = json.RawMessage(`""`)
	bare, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	if n < len(bare) {
		return nil, usageError(fmt.Sprintf("begin with %d bytes or more, or give a smaller event with --payload", len(bare)),
			"--over payload: %d bytes: the event has %d before any padding", n, len(event))
	}
	filler := make([]byte, 0, n-len(bare)+2)
	filler = append(filler, '"')
	for range n - len(bare) {
		filler = append(filler, 'x')
	}
	object[padding] = append(filler, '"')
	return json.Marshal(object)
}
