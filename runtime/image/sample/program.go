package sample

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Programs makes an image of files and folders of this host, by their path inside, with
// the libraries that programs among them need, and of texts by their path. Its
// one layer is not compressed, as programs are large.
func Programs(config v1.Config, host, texts map[string]string) (Image, error) {
	var b bytes.Buffer
	w := tree{tar.NewWriter(&b), map[string]bool{}}
	for inside, at := range host {
		if err := w.add(inside, at); err != nil {
			return Image{}, err
		}
	}
	for inside, text := range texts {
		w.file(inside, []byte(text), 0o644) // into memory
	}
	w.Close()
	layer := static.NewLayer(b.Bytes(), types.OCIUncompressedLayer)
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, Config: config})
	if err != nil {
		return Image{}, err
	}
	img, err = mutate.AppendLayers(img, layer)
	return Image{img}, err
}

// tree is a tar to which each file is added once.
type tree struct {
	*tar.Writer
	has map[string]bool
}

func (w tree) file(inside string, text []byte, mode int64) {
	if inside = path.Clean(inside); !w.has[inside] {
		w.has[inside] = true
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: inside[1:], Mode: mode, Size: int64(len(text))})
		w.Write(text)
	}
}

// add adds a file, or all in a folder, following links, with the libraries that it
// needs where this host has them.
func (w tree) add(inside, at string) error {
	return filepath.WalkDir(at, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		fi, err := os.Stat(p)
		if err != nil || fi.IsDir() { // behind a link
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		w.file(inside+p[len(at):], text, int64(fi.Mode().Perm()))
		if bytes.HasPrefix(text, []byte("\x7fELF")) {
			return w.libraries(p)
		}
		return nil
	})
}

var library = regexp.MustCompile(`(/\S+) \(0x`)

func (w tree) libraries(program string) error {
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return nil // a static one
	}
	for _, l := range library.FindAllSubmatch(out, -1) {
		at := string(l[1])
		text, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		w.file(at, text, 0o755)
	}
	return nil
}
