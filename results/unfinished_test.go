package results

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRemoveUnfinished says that what was killed as it wrote is removed, and nothing that
// is being written or has its name.
func TestRemoveUnfinished(t *testing.T) {
	dir := t.TempDir()
	dead := filepath.Join(dir, ".f.1.tmp")
	for _, path := range []string{dead, filepath.Join(dir, "g.tmp"), filepath.Join(dir, ".h")} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := Replace(filepath.Join(dir, "f"), func(io.Writer) error {
		removed, err := RemoveUnfinished(dir)
		if !slices.Equal(removed, []string{dead}) {
			t.Errorf("removed %v, want %s", removed, dead)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	holds(t, dir, map[string]string{"f": "", "g.tmp": "", ".h": ""})
}

// TestUnfinishedLinks says whose links to the newest run are left over.
func TestUnfinishedLinks(t *testing.T) {
	root := t.TempDir()
	dead := filepath.Join(root, ".latest.1073741824.tmp") // more than a pid can be
	for _, link := range []string{dead, filepath.Join(root, fmt.Sprintf(".latest.%d.tmp", os.Getpid())), filepath.Join(root, ".latest.x.tmp")} {
		if err := os.Symlink("x", link); err != nil {
			t.Fatal(err)
		}
	}
	if got := UnfinishedLinks(root); !slices.Equal(got, []string{dead}) {
		t.Errorf("%v, want %s", got, dead)
	}
}

func TestIsRunName(t *testing.T) {
	for name, want := range map[string]bool{"20260801T093000Z-thumbnail-2": true, "notes": false, "latest": false, "20260801T093000Z-a b": false} {
		if IsRunName(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
