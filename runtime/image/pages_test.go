package image

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPagesOfAnImageAreCountedAndDropped(t *testing.T) {
	dir := t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for name, size := range map[string]int{"bootstrap": 3 * page, "lib/one": 1, "lib/none": 0} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Repeat([]byte{1}, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link")); err != nil { // no file of the image's own
		t.Fatal(err)
	}
	img := Image{Layers: []string{dir}}
	all := Pages{Bytes: int64(4 * page), Cached: int64(4 * page)}
	if got, err := img.Pages(); err != nil || got != all {
		t.Fatalf("just written: %+v, error %v, want %+v", got, err, all)
	}
	if err := img.DropPages(); err != nil {
		t.Fatal(err)
	}
	want := all
	if fs.Type != unix.TMPFS_MAGIC { // whose files are nowhere else
		want.Cached = 0
	}
	if got, err := img.Pages(); err != nil || got != want {
		t.Errorf("dropped: %+v, error %v, want %+v", got, err, want)
	}
	if _, err := os.ReadFile(filepath.Join(dir, "lib/one")); err != nil {
		t.Fatal(err)
	}
	want.Cached = max(want.Cached, int64(page))
	if got, err := img.Pages(); err != nil || got != want {
		t.Errorf("one file read again: %+v, error %v, want %+v", got, err, want)
	}
}

func TestPagesThatAProcessHasMappedStay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bootstrap")
	if err := os.WriteFile(path, bytes.Repeat([]byte{1}, os.Getpagesize()), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := unix.Mmap(int(f.Fd()), 0, os.Getpagesize(), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(m)
	img := Image{Layers: []string{dir}}
	if err := img.DropPages(); err != nil {
		t.Fatal(err)
	}
	if got, err := img.Pages(); err != nil || got.Cached != got.Bytes {
		t.Errorf("%+v, error %v: what is mapped is in use", got, err)
	}
}

func TestPagesOfAnImageThatIsGoneAreAnError(t *testing.T) {
	img := Image{Layers: []string{filepath.Join(t.TempDir(), "none")}}
	if _, err := img.Pages(); err == nil {
		t.Error("pages of a folder that is not there")
	}
	if err := img.DropPages(); err == nil {
		t.Error("pages of a folder that is not there were dropped")
	}
}
