package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The files of an OCI image layout (OCI image specification, image layout).
const (
	layoutFile = "oci-layout"
	indexFile  = "index.json"
)

// A layout is an OCI image layout, in a directory or a tar.
type layout struct{ in folder }

func (l layout) open(_ context.Context, d v1.Descriptor) (io.ReadCloser, error) {
	r, _, err := l.in.file(path.Join("blobs", d.Digest.Algorithm, d.Digest.Hex))
	return r, err
}

// root reads the index, whose digest nobody tells.
func (l layout) root() (v1.IndexManifest, error) {
	var index v1.IndexManifest
	return index, readFile(l.in, indexFile, &index)
}

// readFile reads a JSON file into v.
func readFile(in folder, name string, v any) error {
	r, size, err := in.file(name)
	if err != nil {
		return err
	}
	defer r.Close()
	if size > maxDocument {
		return fmt.Errorf("%s: %w", name, ErrTooLarge)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxDocument))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
