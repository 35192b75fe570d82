package launch

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

// tarOf writes files and folders, whose names end with a slash, in turn.
func tarOf(t testing.TB, pairs ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(pairs); i += 2 {
		h := &tar.Header{Name: pairs[i], Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(pairs[i+1]))}
		if strings.HasSuffix(pairs[i], "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(pairs[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// savedImage writes an image as docker save does and unpacks it, into a store
// whose parent is closed to everybody else.
func savedImage(t testing.TB, config map[string]any, layers ...[]byte) image.Image {
	t.Helper()
	var diffs, names, files []string
	for i, l := range layers {
		name := fmt.Sprintf("%d/layer.tar", i)
		diffs, names = append(diffs, fmt.Sprintf("sha256:%x", sha256.Sum256(l))), append(names, name)
		files = append(files, name, string(l))
	}
	text, err := json.Marshal(map[string]any{
		"os": "linux", "architecture": runtime.GOARCH, "config": config, "rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	})
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%x.json", sha256.Sum256(text))
	list, _ := json.Marshal([]any{map[string]any{"Config": name, "Layers": names}})
	dir := t.TempDir()
	path := filepath.Join(dir, "image.tar")
	if err := os.WriteFile(path, tarOf(t, append(files, name, string(text), "manifest.json", string(list))...), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	img, err := image.Open(path, filepath.Join(closed, "store"))
	if unix.Setxattr(closed, "user.coldstorm.test", []byte("y"), 0) == unix.ENOTSUP { // a tmpfs before Linux 6.6
		if !errors.Is(err, image.ErrStore) {
			t.Fatal("layers were stored where what hides a folder can't be marked: ", err)
		}
		return image.Image{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// layersHide says that what package image makes of whiteouts is what an overlay
// understands, with every right and with none.
func layersHide(t testing.TB, l *Launcher) {
	if !l.Host().Overlay.OK {
		return // images of several layers are refused: TestConformanceBind
	}
	dir, err := buildInside()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join(dir, "bootstrap"))
	if err != nil {
		t.Fatal(err)
	}
	img := savedImage(t, map[string]any{"Entrypoint": []string{"/inside", "tree"}, "Cmd": []string{"/a", "/b", "/c", "/d", "/var"}},
		tarOf(t, "inside", string(program), "a/", "", "a/gone", "x", "a/kept", "low", "b/", "", "b/low", "x", "c/", "", "c/low", "x", "d", "a file", "var/task/low", "x"),
		tarOf(t, "a/.wh.gone", "", "b/.wh..wh..opq", "", "b/high", "y", ".wh.c", "", "c/", "", "c/high", "y", ".wh.d", ""),
		tarOf(t, "a/.wh.kept", "", "a/kept", "high", "d/", "", "d/high", "y", "var/.wh.task", ""),
	)
	if len(img.Layers) == 0 {
		return // they can't be stored here, and that was said
	}
	b, err := l.Launch(context.Background(), Spec{Image: img})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Stop()
		b.Close()
	})
	got := strings.Fields(strings.ReplaceAll(output(t, b), "d---------", "folder"))
	want := []string{
		"/a=folder", "/a/kept=high", "/b=folder", "/b/high=y", "/c=folder", "/c/high=y", "/d=folder", "/d/high=y",
		"/var=folder", "/var/lang=folder", "/var/runtime=folder", "/var/task=folder", "/var/tmp=folder",
	}
	if !slices.Equal(got, want) {
		t.Errorf("inside there is %q, want %q", got, want)
	}
}

// An image that is refused leaves no mount in the launcher's process, as often as it is tried.
func TestRefusedImageLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/tmp", filepath.Join(dir, "proc")); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root sees the launcher's mounts")
	}
	l := start(t, Config{})
	var mounts []int
	for range 3 {
		b, err := l.Launch(context.Background(), Spec{Image: image.Image{Layers: []string{dir}}, Argv: []string{"/none"}})
		if err == nil {
			b.Stop()
			b.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "not as a folder: refused") {
			t.Fatal("an image with a link for /proc: ", err)
		}
		mounts = append(mounts, mountsOf(t, l.pid))
	}
	if mounts[2] != mounts[0] {
		t.Errorf("mounts after each try: %d", mounts)
	}
}

// mountsOf counts the mounts in all mount namespaces of a process's threads.
func mountsOf(t *testing.T, pid int) int {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil || len(threads) == 0 {
		t.Fatal("threads of the launcher's process: ", err)
	}
	in := map[string]int{}
	for _, dir := range threads {
		ns, err := os.Readlink(dir + "/ns/mnt")
		text, err2 := os.ReadFile(dir + "/mountinfo")
		if err == nil && err2 == nil {
			in[ns] = bytes.Count(text, []byte{'\n'})
		}
	}
	n := 0
	for _, m := range in {
		n += m
	}
	return n
}
