package launch

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"coldstorm/runtime/image"
)

func firstImage(t *testing.T) image.Image {
	t.Helper()
	layer := t.TempDir()
	task := filepath.Join(layer, "var/task")
	os.Chmod(layer, 0o755)
	if err := os.MkdirAll(task, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(task, "bootstrap"), FirstProgram(), 0o755); err != nil {
		t.Fatal(err)
	}
	return image.Image{Layers: []string{layer}, Argv: []string{"/var/task/bootstrap"}, Dir: TaskDir, Static: true}
}

func TestFirst(t *testing.T) {
	for _, rootless := range []bool{false, true} {
		l, err := Start(Config{Rootless: rootless, Pool: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", l.Host())
		img := firstImage(t)
		for range 20 {
			st, first, mode, err := l.First(context.Background(), Spec{ID: "x", Image: img, MemoryBytes: 128 << 20, CPUs: 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(mode, st.Received.Sub(st.Ask), st.Cloned.Sub(st.Ask), st.Ready.Sub(st.Ask), st.Rootfs.Sub(st.Ask), st.Exec.Sub(st.Ask), first.Sub(st.Ask))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
