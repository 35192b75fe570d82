// Package sample makes container images for tests of other packages: of one
// program, in each of the forms in which an image comes.
package sample

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// An Image is a scratch image whose ENTRYPOINT is a static program, with a layer
// in gzip and one in zstd.
type Image struct{ img v1.Image }

// Of makes an image of a program, with variables as NAME=value.
func Of(program []byte, env ...string) (Image, error) {
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH,
		Config: v1.Config{Entrypoint: []string{"/bootstrap"}, Cmd: []string{"app.handler"}, Env: env, WorkingDir: "/app"},
	})
	if err != nil {
		return Image{}, err
	}
	for _, l := range []struct {
		options []tarball.LayerOption
		text    []byte
	}{
		{nil, tarOf("bootstrap", program, "app/old", nil)},
		{[]tarball.LayerOption{tarball.WithCompression(compression.ZStd), tarball.WithMediaType(types.OCILayerZStd)}, tarOf("app/.wh.old", nil, "app/new", nil)},
	} {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(l.text)), nil }, l.options...)
		if err != nil {
			return Image{}, err
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			return Image{}, err
		}
	}
	return Image{img}, nil
}

// Nothing is a program for this host that can be looked at but does nothing: an
// ELF header alone.
func Nothing() []byte {
	machine := elf.EM_X86_64
	if runtime.GOARCH == "arm64" {
		machine = elf.EM_AARCH64
	}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64,
	})
	return b.Bytes()
}

// tarOf writes files that all may execute: a name and its contents in turn.
func tarOf(files ...any) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		text, _ := files[i+1].([]byte)
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: files[i].(string), Mode: 0o755, Size: int64(len(text))}) // into memory
		w.Write(text)
	}
	w.Close()
	return b.Bytes()
}

// Layout writes the image as an OCI layout into a new folder.
func (m Image) Layout(dir string) error {
	_, err := layout.Write(dir, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: m.img}))
	return err
}

// LayoutTar writes it as a tar of an OCI layout, which is what docker save
// writes.
func (m Image) LayoutTar(path string) error {
	dir, err := os.MkdirTemp("", "sample-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := m.Layout(dir); err != nil {
		return err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// Saved writes it as older versions of docker save did.
func (m Image) Saved(path string) error {
	tag, err := name.NewTag("team/fn:1")
	if err != nil {
		return err
	}
	return tarball.WriteToFile(path, tag, m.img)
}

// Serve serves it in a registry on localhost until the server is closed.
// reference is its name there.
func (m Image) Serve() (s *httptest.Server, reference string, err error) {
	s = httptest.NewServer(http.Handler(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	reference = strings.TrimPrefix(s.URL, "http://") + "/team/fn:1"
	ref, err := name.ParseReference(reference)
	if err == nil {
		err = remote.Write(ref, m.img)
	}
	return s, reference, err
}
