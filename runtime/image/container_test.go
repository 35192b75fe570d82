package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ocilayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// must gives what a constructor of test data made.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// gzipped, zstded and plain are a layer in each of its forms.
func gzipped(items ...item) v1.Layer {
	return must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layerTar(items...))), nil }))
}

func zstded(items ...item) v1.Layer {
	return must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layerTar(items...))), nil },
		tarball.WithCompression(compression.ZStd), tarball.WithMediaType(types.OCILayerZStd)))
}

func plain(items ...item) v1.Layer {
	return static.NewLayer(layerTar(items...), types.OCIUncompressedLayer)
}

// boot is an entrypoint that this host can run.
func boot(name string) item { return with(reg(name, string(elfFile(here(), false))), 0o755) }

// imageOf is an image for a platform.
func imageOf(arch string, c v1.Config, layers ...v1.Layer) v1.Image {
	base := must(mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch, Config: c}))
	img := must(mutate.AppendLayers(base, layers...))
	return mutate.ConfigMediaType(mutate.MediaType(img, types.OCIManifestSchema1), types.OCIConfigJSON)
}

// three is an image with a layer of each form, of which the second hides a file
// of the first, and the third all of a folder.
func three() v1.Image {
	return imageOf(runtime.GOARCH, v1.Config{
		Entrypoint: []string{"/bootstrap"}, Cmd: []string{"app.handler"}, Env: []string{"A=1", "PATH=/bin"}, WorkingDir: "/app",
	},
		gzipped(boot("bootstrap"), dir("app/"), reg("app/old", "old"), reg("app/kept", "kept"), dir("lib/"), reg("lib/a", "a")),
		zstded(gone("app/old"), reg("app/new", "new")),
		plain(dir("lib/"), opaque("lib"), reg("lib/b", "b")))
}

// layoutOf writes an index as an OCI layout.
func layoutOf(t testing.TB, index v1.ImageIndex) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	must(ocilayout.Write(dir, index))
	return dir
}

func indexOf(images ...v1.Image) v1.ImageIndex {
	index := v1.ImageIndex(empty.Index)
	for _, img := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img})
	}
	return index
}

// tarUp writes a folder as a tar, as docker save does.
func tarUp(t testing.TB, dir string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image.tar")
	f := must(os.Create(name))
	defer f.Close()
	w := tar.NewWriter(f)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// docker writes an image as docker save did before it wrote layouts.
func docker(t testing.TB, img v1.Image) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(file, must(name.NewTag("team/fn:1")), img); err != nil {
		t.Fatal(err)
	}
	return file
}

// serve serves a registry, with an image or an index in it, or nothing.
func serve(t testing.TB, push any) string {
	t.Helper()
	s := httptest.NewServer(ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(s.Close)
	name, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/team/fn:1")
	switch push := push.(type) {
	case v1.Image:
		err = remote.Write(name, push)
	case v1.ImageIndex:
		err = remote.WriteIndex(name, push)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name.String()
}

// TestContainerForms says that an image is the same in whatever form it comes,
// and that its layers are unpacked once.
func TestContainerForms(t *testing.T) {
	layers := filepath.Join(t.TempDir(), "layers")
	dir := layoutOf(t, indexOf(three()))
	both := layoutOf(t, indexOf(three()))
	os.WriteFile(filepath.Join(both, savedFile), []byte(`[{"Config":"x","Layers":[]}]`), 0o644)
	digest := must(three().Digest()).String()
	ref := serve(t, three())
	var first Image
	for _, c := range []struct{ form, name, digest string }{
		{"a layout", dir, digest},
		{"a layout in a tar", tarUp(t, dir), digest},
		{"docker save, before it wrote layouts", docker(t, three()), must(three().ConfigName()).String()},
		{"docker save, since it does", tarUp(t, both), digest},
		{"a registry", ref, digest},
		{"a registry, by digest", strings.TrimSuffix(ref, ":1") + "@" + digest, digest},
	} {
		unpacked := 0
		o := Opener{Layers: layers, Say: func(s string) {
			if strings.HasPrefix(s, "unpacking") {
				unpacked++
			}
		}}
		img, err := o.Open(t.Context(), c.name)
		if err != nil {
			t.Errorf("%s: %v", c.form, err)
			continue
		}
		if img.Digest != c.digest {
			t.Errorf("%s: %s, want %s", c.form, img.Digest, c.digest)
		}
		if first.Layers == nil {
			first = img
		}
		if want := map[bool]int{true: 3}[c.form == "a layout"]; unpacked != want {
			t.Errorf("%s: %d layers unpacked, want %d", c.form, unpacked, want)
		}
		if !slices.Equal(img.Layers, first.Layers) || img.Bytes != first.Bytes {
			t.Errorf("%s: %+v", c.form, img)
		}
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
	var got []string
	for _, l := range first.Layers {
		got = append(got, strings.Join(tree(t, l), " "))
	}
	want := []string{"lib/! lib/b=b", "app/ app/new=new app/old!"}
	if !slices.Equal(got[:2], want) {
		t.Errorf("%q", got)
	}
	if first.Kind != KindContainer || !slices.Equal(first.Argv, []string{"/bootstrap", "app.handler"}) || first.Dir != "/app" ||
		first.Handler != "app.handler" || !slices.Equal(first.Env, []string{"A=1", "PATH=/bin"}) || !first.Static || first.HostUsr || len(first.Notes) > 0 {
		t.Errorf("%+v", first)
	}
}

// TestView says what a program finds in the layers of three.
func TestView(t *testing.T) {
	img, err := Open(layoutOf(t, indexOf(three())), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	up := filepath.Join(t.TempDir(), "up")
	os.Mkdir(up, 0o755)
	for from, to := range map[string]string{"abs": "/app/kept", "rel": "app/kept", "way": "/app", "round": "/round", "far": "../../../app/kept", "through": "way/../bootstrap"} {
		os.Symlink(to, filepath.Join(up, from))
	}
	v := view(append([]string{up}, img.Layers...))
	for name, want := range map[string]bool{
		"/bootstrap": true, "/app/kept": true, "/app/new": true, "/app/old": false, "/lib/a": false, "/lib/b": true, "/": true, "/app/kept/x": false,
		"/abs": true, "/rel": true, "/way/new": true, "/way/old": false, "/far": true, "/through": true, "/round": false, "/round/x": false, "/nothing": false,
	} {
		if at, _, _, err := v.find(name); (err == nil) != want {
			t.Errorf("%s: %s, %v", name, at, err)
		}
	}
}

// TestPlatforms says which image of an index is this host's.
func TestPlatforms(t *testing.T) {
	elsewhere := "arm64"
	if runtime.GOARCH == elsewhere {
		elsewhere = "amd64"
	}
	of := func(arch string) v1.Image {
		return imageOf(arch, v1.Config{Entrypoint: []string{"/bootstrap"}}, gzipped(boot("bootstrap"), reg("arch", arch)))
	}
	add := func(img mutate.Appendable, p v1.Platform, annotations map[string]string) mutate.IndexAddendum {
		return mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &p, Annotations: annotations}}
	}
	linux := func(arch string) v1.Platform { return v1.Platform{OS: "linux", Architecture: arch} }
	note := add(must(random.Image(10, 1)), v1.Platform{OS: "unknown", Architecture: "unknown"}, map[string]string{"vnd.docker.reference.type": "attestation-manifest"})
	index := func(adds ...mutate.IndexAddendum) v1.ImageIndex { return mutate.AppendManifests(empty.Index, adds...) }
	other := of(elsewhere)
	mine := of(runtime.GOARCH)
	both := index(add(other, linux(elsewhere), nil), add(mine, linux(runtime.GOARCH), nil), note)
	for _, c := range []struct {
		rule  string
		index v1.ImageIndex
		err   error
		says  string
	}{
		{"of two", both, nil, ""},
		{"of two in an index of a layout", mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: both}), nil, ""},
		{"the same under two names", index(add(mine, linux(runtime.GOARCH), map[string]string{"org.opencontainers.image.ref.name": "a"}), add(mine, linux(runtime.GOARCH), map[string]string{"org.opencontainers.image.ref.name": "b"})), nil, ""},
		{"none", index(add(other, linux(elsewhere), nil), add(of("s390x"), linux("s390x"), nil), note), ErrPlatform, "linux/" + elsewhere + ", linux/s390x"},
		{"one that says so only in its configuration", indexOf(other), ErrPlatform, "linux/" + elsewhere},
		{"none for Linux", index(add(mine, v1.Platform{OS: "windows", Architecture: runtime.GOARCH}, nil)), ErrPlatform, "windows/"},
		{"two images", indexOf(mine, of(elsewhere)), ErrManifest, "save the one"},
		{"an empty index", empty.Index, ErrPlatform, "the image has nothing"},
	} {
		for form, name := range map[string]string{"layout": layoutOf(t, c.index), "registry": serve(t, c.index)} {
			img, err := Open(name, t.TempDir())
			if !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s, %s: %v", c.rule, form, err)
			}
			if err != nil {
				hinted(t, c.rule, err)
				continue
			}
			if _, _, _, err := view(img.Layers).find("/arch"); err != nil {
				t.Errorf("%s, %s: %v", c.rule, form, err)
			}
		}
	}
}

// TestCorrupt says that nothing is kept of an image in which a byte is wrong.
func TestCorrupt(t *testing.T) {
	img := three()
	for what, digest := range map[string]v1.Hash{
		"manifest": must(img.Digest()), "configuration": must(img.ConfigName()),
		"first layer": must(must(img.Layers())[0].Digest()), "second layer": must(must(img.Layers())[1].Digest()), "third layer": must(must(img.Layers())[2].Digest()),
	} {
		for how, change := range map[string]func([]byte) []byte{
			"a byte":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			"the end":  func(b []byte) []byte { return b[:len(b)-1] },
			"all":      func(b []byte) []byte { return nil },
			"one more": func(b []byte) []byte { return append(b, 0) },
		} {
			dir := layoutOf(t, indexOf(img))
			blob := filepath.Join(dir, "blobs", "sha256", digest.Hex)
			if err := os.WriteFile(blob, change(must(os.ReadFile(blob))), 0o644); err != nil {
				t.Fatal(err)
			}
			store := t.TempDir()
			_, err := Open(dir, store)
			if how == "one more" { // is never read
				if err != nil {
					t.Errorf("%s, %s: %v", what, how, err)
				}
				continue
			}
			if !errors.Is(err, ErrDigest) {
				t.Errorf("%s, %s: %v", what, how, err)
			}
			left := must(filepath.Glob(filepath.Join(store, "*")))
			for _, l := range left {
				if strings.Contains(what, "layer") && !strings.HasPrefix(filepath.Base(l), halfName) && !strings.Contains(l, digest.Hex) {
					continue // a layer below, which is right
				}
				t.Errorf("%s, %s: left in the store: %v", what, how, l)
			}
		}
	}
}

// TestWrongDiffID says that a layer is held against what the configuration says
// of its contents, too, and that a registry is not believed either.
func TestWrongDiffID(t *testing.T) {
	img := three()
	c := must(img.ConfigFile()).DeepCopy()
	c.RootFS.DiffIDs[0] = must(v1.NewHash("sha256:" + strings.Repeat("0", 64)))
	wrong := must(mutate.ConfigFile(img, c))
	for form, name := range map[string]string{"layout": layoutOf(t, indexOf(wrong)), "docker save": docker(t, wrong)} {
		store := t.TempDir()
		if _, err := Open(name, store); !errors.Is(err, ErrDigest) {
			t.Errorf("%s: %v", form, err)
		}
		if left := must(os.ReadDir(store)); len(left) > 0 {
			t.Errorf("%s: left in the store: %v", form, left)
		}
	}
	c.RootFS.DiffIDs = c.RootFS.DiffIDs[:2]
	if _, err := Open(layoutOf(t, indexOf(must(mutate.ConfigFile(img, c)))), t.TempDir()); !errors.Is(err, ErrManifest) {
		t.Errorf("a layer that the configuration doesn't know: %v", err)
	}
}

// TestLyingRegistry says that a registry's blobs are verified.
func TestLyingRegistry(t *testing.T) {
	real := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	digest := must(must(three().Layers())[0].Digest()).String()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, digest) {
			real.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		real.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		body[len(body)/2] ^= 1
		w.Write(body)
	}))
	defer s.Close()
	ref := strings.TrimPrefix(s.URL, "http://") + "/fn:1"
	if err := remote.Write(must(name.ParseReference(ref)), three()); err != nil {
		t.Fatal(err)
	}
	store := t.TempDir()
	if _, err := Open(ref, store); !errors.Is(err, ErrDigest) {
		t.Errorf("%v", err)
	}
	if left := must(os.ReadDir(store)); len(left) > 0 {
		t.Errorf("left in the store: %v", left)
	}
}

// TestRegistryRefusals says what a person is told where there is no image.
func TestRegistryRefusals(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer locked.Close()
	for _, c := range []struct{ rule, name, says string }{
		{"no such image", serve(t, nil), "docker save"},
		{"no access", strings.TrimPrefix(locked.URL, "http://") + "/fn:1", "docker login"},
		{"nobody there", strings.TrimPrefix(closed.URL, "http://") + "/fn:1", "can't be reached"},
	} {
		_, err := Open(c.name, t.TempDir())
		if !errors.Is(err, ErrRegistry) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.rule, err)
		}
		hinted(t, c.rule, err)
	}
}

// TestStalledRegistry says that a registry that stops in the middle of a layer
// is not waited for.
func TestStalledRegistry(t *testing.T) {
	real, over := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))), make(chan struct{})
	digest := must(must(three().Layers())[0].Digest()).String()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, digest) {
			w.Header().Set("Content-Length", "1000000")
			w.Write([]byte("\x1f\x8b"))
			http.NewResponseController(w).Flush()
			<-over
			return
		}
		real.ServeHTTP(w, r)
	}))
	defer s.Close()
	defer close(over)
	ref := must(name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/fn:1"))
	if err := remote.Write(ref, three()); err != nil {
		t.Fatal(err)
	}
	reg := newRegistry(ref)
	reg.stall = 1
	r, err := reg.open(t.Context(), must(three().Manifest()).Layers[0])
	if err == nil {
		_, err = io.ReadAll(r)
		r.Close()
	}
	if !errors.Is(err, ErrRegistry) || !strings.Contains(err.Error(), "sent nothing") {
		t.Errorf("%v", err)
	}
}

// TestReferences tells a reference from a path.
func TestReferences(t *testing.T) {
	for s, want := range map[string]bool{
		"registry.example/team/fn:tag": true, "registry.example/fn": true, "localhost:5000/fn": true, "localhost/fn": true, "fn:latest": true, "team/fn:1": true,
		"fn@sha256:" + strings.Repeat("a", 64): true,
		"fn":                                   false, "fn.zip": false, "build/fn": false, "./fn:1": false, "/fn:1": false, "../fn:1": false, "Fn:1": false, "": false, "fn:": false,
	} {
		if _, got := parseReference(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// TestCommand says what becomes of ENTRYPOINT, CMD and WORKDIR.
func TestCommand(t *testing.T) {
	base := []item{
		boot("bin/app"), boot("app/boot"), with(reg("script", "#!/bin/app -x\n"), 0o755), with(reg("lost", "#!/bin/none\n"), 0o755),
		with(reg("dynamic", string(elfFile(here(), true))), 0o755), with(reg("foreign", string(elfFile(other(), false))), 0o755),
		with(dir("root/"), 0o700), boot("root/app"), reg("closed", string(elfFile(here(), false))), with(boot("owner"), 0o700), sym("link", "/bin/app"), with(reg("text", "echo"), 0o755), dir("bin/folder/"),
	}
	for _, c := range []struct {
		rule   string
		config v1.Config
		argv   string
		err    error
		says   string
	}{
		{"an entrypoint", v1.Config{Entrypoint: []string{"/bin/app", "a"}, Cmd: []string{"b"}}, "/bin/app a b", nil, ""},
		{"a command alone", v1.Config{Cmd: []string{"/bin/app", "b"}}, "/bin/app b", nil, ""},
		{"one that is looked for", v1.Config{Entrypoint: []string{"app"}}, "/bin/app", nil, ""},
		{"where PATH says", v1.Config{Entrypoint: []string{"boot"}, Env: []string{"PATH=/none:/app"}}, "/app/boot", nil, ""},
		{"and nowhere else", v1.Config{Entrypoint: []string{"app"}, Env: []string{"PATH=/none"}}, "", ErrNoProgram, "not in the image"},
		{"one beside the working directory", v1.Config{Entrypoint: []string{"./boot"}, WorkingDir: "/app"}, "/app/boot", nil, ""},
		{"a link", v1.Config{Entrypoint: []string{"/link"}}, "/link", nil, ""},
		{"a script", v1.Config{Entrypoint: []string{"/script"}}, "/script", nil, ""},
		{"a script without its interpreter", v1.Config{Entrypoint: []string{"/lost"}}, "", ErrNoProgram, "/bin/none"},
		{"a program without its linker", v1.Config{Entrypoint: []string{"/dynamic"}}, "", ErrNoProgram, "/lib64/ld.so"},
		{"another processor's", v1.Config{Entrypoint: []string{"/foreign"}}, "", ErrArchitecture, "--platform"},
		{"text", v1.Config{Entrypoint: []string{"/text"}}, "", ErrFormat, "#!"},
		{"one that isn't executable", v1.Config{Entrypoint: []string{"/closed"}}, "", ErrNotExecutable, "0644"},
		{"one that only its owner may execute", v1.Config{Entrypoint: []string{"/owner"}}, "", ErrNotExecutable, "0700"},
		{"one in a folder of root's", v1.Config{Entrypoint: []string{"/root/app"}}, "", ErrNotExecutable, "/root has mode 0700"},
		{"a folder", v1.Config{Entrypoint: []string{"/bin/folder"}}, "", ErrNoProgram, "not in the image"},
		{"a line for a shell", v1.Config{Entrypoint: []string{"app a b"}}, "", ErrNoProgram, "shell"},
		{"nothing", v1.Config{}, "", ErrNoProgram, "ENTRYPOINT"},
		{"a working directory that is not there", v1.Config{Entrypoint: []string{"/bin/app"}, WorkingDir: "/none"}, "", ErrNoProgram, "mkdir -p /none"},
		{"one that every sandbox has", v1.Config{Entrypoint: []string{"/bin/app"}, WorkingDir: "/var/task"}, "/bin/app", nil, ""},
	} {
		img, err := Open(layoutOf(t, indexOf(imageOf(runtime.GOARCH, c.config, gzipped(base...)))), t.TempDir())
		if !errors.Is(err, c.err) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.rule, err)
		}
		if got := strings.Join(img.Argv, " "); got != c.argv {
			t.Errorf("%s: %q, want %q", c.rule, got, c.argv)
		}
		if err != nil {
			hinted(t, c.rule, err)
		}
	}
}

// TestStacks says how layers are laid on each other where an overlay alone would
// get it wrong.
func TestStacks(t *testing.T) {
	low, mid := gzipped(boot("b"), reg("low", "x")), gzipped(gone("low"), reg("mid", "x"))
	top := gzipped(reg(".wh..wh..opq", ""), boot("b"), special(tar.TypeChar, "dev/null"))
	config := v1.Config{Entrypoint: []string{"/b"}}
	img, err := Open(layoutOf(t, indexOf(imageOf(runtime.GOARCH, config, low, mid, low))), t.TempDir())
	if err != nil || len(img.Layers) != 2 {
		t.Fatalf("%+v, %v", img, err)
	}
	if _, _, _, err := view(img.Layers).find("/low"); err != nil {
		t.Errorf("a layer that comes twice: %v", err)
	}
	if _, err := Open(layoutOf(t, indexOf(imageOf(runtime.GOARCH, config, low, gzipped(sym("tmp", "var/tmp"))))), t.TempDir()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a mount point that is a link: %v", err)
	}
	img, err = Open(layoutOf(t, indexOf(imageOf(runtime.GOARCH, config, low, mid, top))), t.TempDir())
	if err != nil || len(img.Layers) != 1 {
		t.Errorf("a layer that hides all below it: %+v, %v", img, err)
	}
	if len(img.Notes) != 1 || !strings.Contains(img.Notes[0], "1 devices and pipes") || !strings.Contains(img.Notes[0], "/dev/null") {
		t.Errorf("%q", img.Notes)
	}
}

// TestPrune says that layers go once nobody uses them, and what was half done.
func TestPrune(t *testing.T) {
	layers := filepath.Join(t.TempDir(), "layers")
	o := Opener{Layers: layers}
	img, err := o.Open(t.Context(), layoutOf(t, indexOf(three())))
	if err != nil {
		t.Fatal(err)
	}
	os.MkdirAll(filepath.Join(layers, "unpack-1", "fs", "closed"), 0o755)
	os.Chmod(filepath.Join(layers, "unpack-1", "fs", "closed"), 0)
	os.Mkdir(filepath.Join(layers, "mine"), 0o755)
	if gone := must(Prune(layers, true)); len(gone) != 1 || filepath.Base(gone[0].Path) != "unpack-1" {
		t.Errorf("removed %v", gone)
	}
	if gone := must(Prune(layers, false)); len(gone) > 0 {
		t.Errorf("removed %v, which is in use", gone)
	}
	if _, err := os.Stat(img.Layers[0]); err != nil {
		t.Error(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if gone := must(Prune(layers, true)); len(gone) > 0 {
		t.Errorf("removed %v, which was to be kept", gone)
	}
	gone := must(Prune(layers, false))
	if len(gone) != 3 || gone[0].Bytes == 0 {
		t.Errorf("removed %v", gone)
	}
	if left := must(os.ReadDir(layers)); len(left) != 1 || left[0].Name() != "mine" {
		t.Errorf("left %v", left)
	}
	if gone, err := Prune(filepath.Join(layers, "none"), false); len(gone) > 0 || err != nil {
		t.Errorf("%v, %v", gone, err)
	}
}

// TestOpenWhilePruning says that an image is whole whenever it is open, though
// others unpack and prune the same layers.
func TestOpenWhilePruning(t *testing.T) {
	layers, src := filepath.Join(t.TempDir(), "layers"), layoutOf(t, indexOf(three()))
	errs, over := make(chan error), make(chan struct{})
	go func() {
		defer close(over)
		for range 50 {
			Prune(layers, false)
		}
	}()
	for range 4 {
		go func() {
			var err error
			for range 10 {
				o := Opener{Layers: layers}
				img, err2 := o.Open(context.Background(), src)
				if err2 == nil {
					_, err2 = os.Stat(filepath.Join(img.Layers[2], "bootstrap"))
				}
				err = errors.Join(err, err2, o.Close())
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	<-over
	if gone := must(Prune(layers, false)); len(gone) > 3 {
		t.Errorf("left %v", gone)
	}
}

// TestCancelled says that unpacking stops, and leaves nothing.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	layers := filepath.Join(t.TempDir(), "layers")
	o := Opener{Layers: layers, Say: func(string) { cancel() }}
	if _, err := o.Open(ctx, layoutOf(t, indexOf(three()))); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left := must(os.ReadDir(layers)); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestBomb says that a layer that is small only while it is packed is refused.
func TestBomb(t *testing.T) {
	zeros := func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zero{}, 64<<20)), nil
	}
	l := layer{diff: must(v1.NewHash("sha256:" + strings.Repeat("0", 64))), blob: v1.Descriptor{Size: -1}}
	packed := must(tarball.LayerFromOpener(zeros))
	l.from = reader(func() (io.ReadCloser, error) { return packed.Compressed() })
	r, err := l.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := int64(0)
	err = r.through(1<<20, func(in io.Reader) error {
		read, err = io.Copy(io.Discard, in)
		return err
	})
	if !errors.Is(err, ErrTooLarge) || read > 1<<20 {
		t.Errorf("%d bytes, %v", read, err)
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type reader func() (io.ReadCloser, error)

func (r reader) open(context.Context, v1.Descriptor) (io.ReadCloser, error) { return r() }

// FuzzArchive says that no tar of an image makes more than layers.
func FuzzArchive(f *testing.F) {
	for _, img := range []v1.Image{three(), imageOf(runtime.GOARCH, v1.Config{}, plain(sym("l", "../out"), reg("l/f", "x")))} {
		f.Add(must(os.ReadFile(docker(f, img))))
		f.Add(must(os.ReadFile(tarUp(f, layoutOf(f, indexOf(img))))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		box := t.TempDir()
		file, store := filepath.Join(box, "image.tar"), filepath.Join(box, "store")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if !tarred(file) {
			return
		}
		Open(file, store)
		for _, e := range must(os.ReadDir(box)) {
			if e.Name() != "image.tar" && e.Name() != "store" {
				t.Errorf("%s was written", e.Name())
			}
		}
		left, err := os.ReadDir(store)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		for _, e := range left {
			if !strings.HasPrefix(e.Name(), keptName) {
				t.Errorf("%s is left in the store", e.Name())
			}
		}
		RemoveTree(store)
	})
}
