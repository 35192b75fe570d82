package image

import (
	"context"
	"fmt"
	"io"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// contents is a container image that has been found and not yet been unpacked.
type contents struct {
	digest v1.Hash // of the manifest, or of the configuration where there is none
	config v1.ConfigFile
	layers []layer // lowest first
}

// A layer is a compressed tar and the digest of what it unpacks to.
type layer struct {
	blob v1.Descriptor // the zero Digest, and Size -1: not known
	diff v1.Hash
	from blobs
}

// MaxLayers bounds the layers of an image. Docker makes at most 127.
const MaxLayers = 127

// read follows a descriptor through indexes to the image for this host.
func read(ctx context.Context, from blobs, d v1.Descriptor) (contents, error) {
	for range 4 { // an index in a layout's index, and some more
		var both struct {
			v1.Manifest
			Manifests []v1.Descriptor `json:"manifests"`
		}
		if _, err := readDocument(ctx, from, d, "manifest", &both); err != nil {
			if absent(err) {
				return contents{}, &Hint{err, "the image was saved without this host's platform: docker save --platform linux/" + runtime.GOARCH}
			}
			return contents{}, err
		}
		if both.Manifests == nil {
			return readManifest(ctx, from, d, both.Manifest)
		}
		var err error
		if d, err = choose(v1.IndexManifest{Manifests: both.Manifests}); err != nil {
			return contents{}, err
		}
	}
	return contents{}, fmt.Errorf("indexes in indexes: %w", ErrManifest)
}

func readManifest(ctx context.Context, from blobs, d v1.Descriptor, m v1.Manifest) (contents, error) {
	if !m.Config.MediaType.IsConfig() {
		return contents{}, fmt.Errorf("%v holds %q, which is no container image: %w", d.Digest, m.Config.MediaType, ErrManifest)
	}
	c := contents{digest: d.Digest}
	if _, err := readDocument(ctx, from, m.Config, "configuration", &c.config); err != nil {
		return contents{}, err
	}
	for _, l := range m.Layers {
		if l.Size < 0 {
			return contents{}, fmt.Errorf("layer %v of %d bytes: %w", l.Digest, l.Size, ErrManifest)
		}
		c.layers = append(c.layers, layer{blob: l, from: from})
	}
	return c, nil
}

// check holds the configuration against the layers and this host, and gives
// each layer the digest of its contents.
func (c *contents) check() error {
	if os, arch := c.config.OS, c.config.Architecture; os != "" && os != "linux" || arch != "" && arch != runtime.GOARCH {
		return wrongPlatform(c.config.Platform().String())
	}
	diffs := c.config.RootFS.DiffIDs
	switch {
	case len(diffs) != len(c.layers):
		return fmt.Errorf("%d layers, of which the configuration knows %d: %w", len(c.layers), len(diffs), ErrManifest)
	case len(diffs) == 0:
		return fmt.Errorf("no layers: %w", ErrManifest)
	case len(diffs) > MaxLayers:
		return fmt.Errorf("%d layers: %w", len(diffs), ErrTooLarge)
	}
	for i := range c.layers {
		if diffs[i].Algorithm != "sha256" {
			return fmt.Errorf("layer %v: the digest is no sha256: %w", diffs[i], ErrManifest)
		}
		c.layers[i].diff = diffs[i]
	}
	return nil
}

// open opens the layer's tar, which is verified while it is read: call end.
func (l layer) open(ctx context.Context) (*layerReader, error) {
	raw, err := l.from.open(ctx, l.blob)
	if err != nil {
		return nil, err
	}
	in, err := verify(ctx, raw, l.blob.Digest, l.blob.Size)
	if err != nil {
		raw.Close()
		return nil, err
	}
	return &layerReader{ctx: ctx, layer: l, raw: raw, in: in}, nil
}

// size says how much is to be fetched, if that is known.
func (l layer) size() string {
	if l.blob.Size < 0 {
		return ""
	}
	return fmt.Sprintf(", %.1f MB", float64(l.blob.Size)/1e6)
}

// A layerReader is the contents of a layer, both digests of which are computed
// on the way.
type layerReader struct {
	ctx   context.Context
	layer layer
	raw   io.Closer
	in    *verified
}

// through gives the tar, of at most room bytes, to f, and says whether all that
// was read is what the image announces.
func (r *layerReader) through(room int64, f func(io.Reader) error) error {
	defer r.raw.Close()
	plain, err := decompress(r.in)
	if err != nil {
		return r.in.end(err)
	}
	defer plain.Close()
	out, err := verify(r.ctx, &bounded{plain, room}, r.layer.diff, -1)
	if err != nil {
		return err
	}
	err = f(out)
	if err == nil {
		_, err = io.Copy(io.Discard, out) // what tar pads the end with
	}
	if bad := r.in.end(err); bad != nil {
		return bad
	}
	return out.end(nil)
}
