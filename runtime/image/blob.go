package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// A blobs is a place that holds manifests, configurations and layers by digest:
// a layout or a registry. What it opens has yet to be verified.
type blobs interface {
	open(ctx context.Context, d v1.Descriptor) (io.ReadCloser, error)
}

// Documents are read whole, so their size is bounded; registries refuse
// manifests of more than 4 MB.
const maxDocument = 8 << 20

// readDocument reads a JSON blob into v, once it is known to be what the
// descriptor says.
func readDocument(ctx context.Context, from blobs, d v1.Descriptor, what string, v any) ([]byte, error) {
	if d.Size > maxDocument {
		return nil, fmt.Errorf("%s %v of %d bytes: %w", what, d.Digest, d.Size, ErrTooLarge)
	}
	r, err := from.open(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w", what, d.Digest, err)
	}
	defer r.Close()
	in, err := verify(ctx, r, d.Digest, d.Size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	text, err := io.ReadAll(io.LimitReader(in, maxDocument+1))
	if err := in.end(err); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if len(text) > maxDocument {
		return nil, fmt.Errorf("%s %v: %w", what, d.Digest, ErrTooLarge)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, fmt.Errorf("%s %v: %w", what, d.Digest, err)
	}
	return text, nil
}

// absent reports whether a blob is simply not there, as those of other platforms
// are not in an image that was saved for one.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
