package image

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// choose picks the manifest for this host from an index.
func choose(index v1.IndexManifest) (v1.Descriptor, error) {
	var fit []v1.Descriptor
	var has []string
	for _, d := range index.Manifests {
		p := d.Platform
		switch {
		case attestation(d), slices.ContainsFunc(fit, func(f v1.Descriptor) bool { return f.Digest == d.Digest }):
			continue // signed statements about another manifest; one image under two names
		case p == nil || p.OS == "" && p.Architecture == "": // the configuration says
			fit, has = append(fit, d), append(has, imageName(d))
			continue
		}
		has = append(has, p.String())
		if p.OS == "linux" && p.Architecture == runtime.GOARCH {
			fit = append(fit, d)
		}
	}
	switch len(fit) {
	case 0:
		return v1.Descriptor{}, wrongPlatform(strings.Join(has, ", "))
	case 1:
		return fit[0], nil
	}
	if plain := slices.IndexFunc(fit, func(d v1.Descriptor) bool { return d.Platform != nil && basic(d.Platform.Variant) }); plain >= 0 && sameName(fit) {
		return fit[plain], nil // the others are for newer processors
	}
	return v1.Descriptor{}, severalImages(has)
}

// basic says whether every processor of an architecture has this variant.
func basic(variant string) bool { return variant == "" || variant == "v1" || variant == "v8" }

// sameName says whether no two of the descriptors name different images.
func sameName(list []v1.Descriptor) bool {
	return !slices.ContainsFunc(list, func(d v1.Descriptor) bool { return imageName(d) != imageName(list[0]) })
}

// attestation tells the manifests with which BuildKit describes another one.
func attestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" ||
		d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown"
}

// imageName is what a layout calls an image.
func imageName(d v1.Descriptor) string {
	for _, key := range []string{"io.containerd.image.name", "org.opencontainers.image.ref.name"} {
		if n := d.Annotations[key]; n != "" {
			return n
		}
	}
	return d.Digest.String()
}

func wrongPlatform(has string) error {
	if has == "" {
		has = "nothing"
	}
	return &Hint{
		fmt.Errorf("%w linux/%s: the image has %s", ErrPlatform, runtime.GOARCH, has),
		"build it for this host: docker build --platform linux/" + runtime.GOARCH,
	}
}

func severalImages(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("no image in it: %w", ErrManifest)
	}
	return &Hint{fmt.Errorf("%d images (%s): %w", len(names), strings.Join(names, ", "), ErrManifest), "save the one that is meant into a file of its own"}
}
