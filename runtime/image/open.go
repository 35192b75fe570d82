package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// An Opener opens functions. What it returned may be mounted until Close.
type Opener struct {
	Copies string       // folder for copies of directories and zips; made if need be
	Layers string       // store of the layers of container images, shared by all runs; empty: in Copies
	Say    func(string) // told what takes a while; nil: nobody
	store  *store
}

// Open opens a directory, a zip or a saved image with one folder for copies and
// layers. Nothing keeps Prune from removing them.
func Open(path, dir string) (Image, error) {
	o := Opener{Copies: dir}
	img, err := o.Open(context.Background(), path)
	return img, errors.Join(err, o.Close())
}

// Open opens a function by the path of a directory, a zip, an OCI image layout
// (a directory or a tar) or a tar of docker save, or, where there is nothing of
// that name, by a reference to an image in a registry. What a file is is told by
// its contents, not by its name. Errors that a person can mend are of type *Hint.
func (o *Opener) Open(ctx context.Context, name string) (Image, error) {
	return o.OpenPackage(ctx, Package{Path: name})
}

// OpenPackage is Open for a function of which a runtime or a handler is known.
// Directories and zips with a handler and without a bootstrap get coldstorm's own
// runtime of their language and this host's interpreter, as do, with the image's
// interpreter, images for which Runtime is given.
func (o *Opener) OpenPackage(ctx context.Context, p Package) (Image, error) {
	img, err := o.open(ctx, p)
	if err != nil {
		return Image{}, fmt.Errorf("function %s: %w", p.Path, err)
	}
	return img, nil
}

// Close lets go of the layers, which Prune may remove then.
func (o *Opener) Close() error {
	if o.store == nil {
		return nil
	}
	return o.store.close()
}

func (o *Opener) open(ctx context.Context, p Package) (Image, error) {
	name := p.Path
	fi, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.pull(ctx, p, err)
	}
	if err != nil {
		return Image{}, err
	}
	if !fi.IsDir() && !fi.Mode().IsRegular() {
		return Image{}, &Hint{fmt.Errorf("%v: %w", fi.Mode().Type(), ErrKind), bootstrapHint}
	}
	if fi.IsDir() {
		if _, err := os.Stat(filepath.Join(name, layoutFile)); err == nil {
			return o.saved(ctx, p, directory(name))
		}
	} else if tarred(name) {
		a, err := openArchive(name)
		if err != nil {
			return Image{}, err
		}
		defer a.close()
		return o.saved(ctx, p, a)
	}
	return copied(p, fi, o.Copies)
}

// copied opens a directory or zip.
func copied(p Package, fi fs.FileInfo, to string) (Image, error) {
	src, err := source(p.Path, fi)
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
	l, handler, err := p.managed(src, list)
	if err != nil {
		return Image{}, err
	}
	img := Image{Kind: KindDirectory, Dir: "/var/task"}
	if src.zip != nil {
		img.Kind = KindZip
	}
	var i interpreter
	if l != nil {
		i, err = l.onHost(p.Runtime)
	} else {
		err = img.own(p, src, list)
	}
	if err != nil {
		return Image{}, err
	}
	root, digest, size, err := keep(src, list, to)
	if err != nil {
		return Image{}, err
	}
	img.Layers, img.Digest, img.Bytes = []string{root}, "sha256:"+digest, size
	if l == nil {
		return img, nil
	}
	img.HostUsr, img.Reason = true, "handler "+handler+" runs in "+i.path+" ("+i.runtime+")"
	return img, img.manage(l, i, handler, to, true)
}

// own makes img execute the bootstrap of its package.
func (img *Image) own(p Package, src *src, list []entry) error {
	kind, err := checkBootstrap(src, list)
	if err != nil {
		return err
	}
	img.Argv, img.Handler = []string{"/var/task/bootstrap"}, p.Handler
	img.Runtime = cmp.Or(p.Runtime, "provided.al2023")
	img.Static, img.HostUsr = kind.needs == "", kind.needs != ""
	if img.HostUsr {
		img.Reason = "bootstrap " + kind.reason()
	}
	return nil
}

// tarred tells a tar by the magic of its first header, which every tar since
// 1988 has.
func tarred(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var magic [5]byte
	_, err = f.ReadAt(magic[:], 257)
	return err == nil && string(magic[:]) == "ustar"
}

// saved opens an image in files.
func (o *Opener) saved(ctx context.Context, p Package, in folder) (Image, error) {
	var c contents
	r, _, err := in.file(layoutFile)
	switch {
	case err == nil:
		r.Close()
		l := layout{in}
		var index v1.IndexManifest
		if index, err = l.root(); err != nil {
			return Image{}, err
		}
		var d v1.Descriptor
		if d, err = choose(index); err == nil {
			c, err = read(ctx, l, d)
		}
	case absent(err):
		if c, err = readSaved(ctx, in); absent(err) {
			return Image{}, &Hint{ErrKind, "a tar is what docker save writes, or an OCI layout; " + bootstrapHint}
		}
	}
	if err != nil {
		return Image{}, err
	}
	return o.container(ctx, p, c)
}

// pull opens an image in a registry. missing is why there is no such path.
func (o *Opener) pull(ctx context.Context, p Package, missing error) (Image, error) {
	s := p.Path
	ref, ok := parseReference(s)
	if !ok {
		return Image{}, &Hint{missing, "give a directory, a zip, an OCI layout or a tar of docker save; an image in a registry is named like registry.example/team/fn:tag"}
	}
	o.say("there is no file %s; asking %s for %s", s, ref.Context().RegistryStr(), ref)
	r := newRegistry(ref)
	d, err := r.find(ctx)
	if err != nil {
		return Image{}, fmt.Errorf("no such path here, and %w", err)
	}
	if d.MediaType == types.DockerManifestSchema1 || d.MediaType == types.DockerManifestSchema1Signed {
		return Image{}, &Hint{fmt.Errorf("%s has schema 1: %w", ref, ErrManifest), "push it again with a Docker of this decade"}
	}
	c, err := read(ctx, r, d)
	if err != nil {
		return Image{}, err
	}
	return o.container(ctx, p, c)
}

// container unpacks the layers that are not in the store yet.
func (o *Opener) container(ctx context.Context, p Package, c contents) (Image, error) {
	if err := c.check(); err != nil {
		return Image{}, err
	}
	if err := o.openStore(); err != nil {
		return Image{}, err
	}
	img := Image{Kind: KindContainer, Digest: c.digest.String()}
	var skipped tally
	room := tally{Bytes: MaxImageBytes, Entries: MaxEntries}
	for i, l := range c.layers {
		path, t, err := o.store.unpacked(ctx, l, room, func() {
			o.say("unpacking layer %d of %d%s", i+1, len(c.layers), l.size())
		})
		if err == nil {
			err = mountable(path)
		}
		if err != nil {
			return Image{}, fmt.Errorf("layer %d of %d: %w", i+1, len(c.layers), err)
		}
		if room.Bytes, room.Entries = room.Bytes-t.Bytes, room.Entries-t.Entries; room.Bytes < 0 || room.Entries < 0 {
			return Image{}, imageTooLarge()
		}
		if t.Opaque {
			img.Layers = nil
		}
		// An overlay takes no folder twice. Of a layer that comes twice the upper
		// one is enough: it puts and hides all that the lower one does.
		img.Layers = slices.DeleteFunc(img.Layers, func(l string) bool { return l == path })
		img.Layers = slices.Insert(img.Layers, 0, path)
		img.Bytes += t.Bytes
		if skipped.Skipped += t.Skipped; skipped.Example == "" {
			skipped.Example = t.Example
		}
	}
	if skipped.Skipped > 0 {
		img.Notes = append(img.Notes, fmt.Sprintf("%d devices and pipes of the image were left out, such as /%s: the sandbox has a /dev of its own", skipped.Skipped, skipped.Example))
	}
	if l := languageOf(p.Runtime); l != nil {
		return img, img.interpreted(p, l, c.config.Config, o.Copies)
	}
	if err := img.command(c.config.Config, view(img.Layers)); err != nil || p.Handler == "" {
		return img, err
	}
	img.Handler = p.Handler
	return img, nil
}

func (o *Opener) openStore() error {
	if o.store != nil {
		return nil
	}
	dir := o.Layers
	if dir == "" {
		dir = o.Copies
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	o.store = &store{dir: dir}
	return nil
}

func (o *Opener) say(format string, args ...any) {
	if o.Say != nil {
		o.Say(fmt.Sprintf(format, args...))
	}
}
