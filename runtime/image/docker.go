package image

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// savedFile lists the images in what docker save wrote.
const savedFile = "manifest.json"

// saved is an image in that list. Names are those of files in the tar.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string // lowest first
}

// readSaved reads the form of docker save that is no OCI layout. Its layers have
// no digest but the one of what is in them, which the configuration holds; the
// configuration's own is its file's name.
func readSaved(ctx context.Context, in folder) (contents, error) {
	var list []saved
	if err := readFile(in, savedFile, &list); err != nil {
		return contents{}, err
	}
	if len(list) != 1 {
		var names []string
		for _, s := range list {
			names = append(names, strings.Join(s.RepoTags, " "))
		}
		return contents{}, severalImages(names)
	}
	s := list[0]
	name := strings.TrimPrefix(strings.TrimSuffix(path.Base(s.Config), ".json"), "sha256:")
	digest, err := v1.NewHash("sha256:" + name)
	if err != nil {
		return contents{}, fmt.Errorf("%s: configuration %q is not named by its digest: %w", savedFile, s.Config, ErrDigest)
	}
	c := contents{digest: digest}
	d := v1.Descriptor{Digest: digest, Size: -1}
	if _, err := readDocument(ctx, named{in, s.Config}, d, "configuration", &c.config); err != nil {
		return contents{}, err
	}
	for _, l := range s.Layers {
		c.layers = append(c.layers, layer{blob: v1.Descriptor{Size: -1}, from: named{in, l}})
	}
	return c, nil
}

// named is one file of a folder, whatever digest is asked for.
type named struct {
	in   folder
	name string
}

var _ blobs = named{}

func (n named) open(context.Context, v1.Descriptor) (io.ReadCloser, error) {
	r, _, err := n.in.file(n.name)
	return r, err
}
