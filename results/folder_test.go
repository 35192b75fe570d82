package results

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var monday = time.Date(2026, 8, 3, 11, 30, 5, 0, time.FixedZone("CEST", 2*60*60))

func TestNewDirNamesARunByItsStart(t *testing.T) {
	root := filepath.Join(t.TempDir(), "results", "runs")
	for _, c := range []struct{ rule, name, want string }{
		{"start in UTC, then the name", "thumbnail", "20260803T093005Z-thumbnail"},
		{"a second one is numbered", "thumbnail", "20260803T093005Z-thumbnail-2"},
		{"a third one too", "thumbnail", "20260803T093005Z-thumbnail-3"},
		{"a path is no name", "../été", "20260803T093005Z-..--t-"},
		{"no name", "", "20260803T093005Z-run"},
	} {
		dir, err := NewDir(root, c.name, monday)
		if err != nil || dir != filepath.Join(root, c.want) {
			t.Errorf("%s: %s, error %v, want %s", c.rule, dir, err, c.want)
		}
	}
}

func TestNewDirGivesEachCallerAFolderOfItsOwn(t *testing.T) {
	root := t.TempDir()
	var all sync.Map
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			dir, err := NewDir(root, "a", monday)
			if _, taken := all.LoadOrStore(dir, true); taken || err != nil {
				t.Errorf("%s: given twice %t, error %v", dir, taken, err)
			}
		})
	}
	wait.Wait()
}

func TestLatestFollowsTheRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Resolve("latest"); !errors.Is(err, ErrNotARun) || !strings.Contains(err.Error(), "holds none yet") {
		t.Errorf("latest of no runs: error %v", err)
	}
	for _, name := range []string{"a", "b"} {
		dir, err := NewDir(Root, name, monday)
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(dir, Run{}, Manifest{}); err != nil {
			t.Fatal(err)
		}
		if err := Latest(Root, dir); err != nil {
			t.Fatal(err)
		}
		if got, err := Resolve("latest"); err != nil || got != dir {
			t.Errorf("latest is %s, error %v, want %s", got, err, dir)
		}
		if target, err := os.Readlink(filepath.Join(Root, "latest")); err != nil || target != filepath.Base(dir) {
			t.Errorf("link to %s, error %v, want one that moves with its folder", target, err)
		}
	}
	entries, err := os.ReadDir(Root)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d entries, error %v, want two runs and the link", len(entries), err)
	}
}

func TestLatestOfARunKeptElsewhere(t *testing.T) {
	root, dir := t.TempDir(), filepath.Join(t.TempDir(), "kept")
	if err := Write(dir, Run{}, Manifest{}); err != nil {
		t.Fatal(err)
	}
	if err := Latest(root, dir); err != nil {
		t.Fatal(err)
	}
	if run, err := Read(filepath.Join(root, "latest")); err != nil || run.ID != "kept" {
		t.Errorf("run %q, error %v, want kept", run.ID, err)
	}
}

func TestLatestLeavesAFolderOfThatNameAlone(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "latest"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Latest(root, filepath.Join(root, "a")); err == nil || !strings.Contains(err.Error(), "is not a link") {
		t.Errorf("error %v", err)
	}
	if info, err := os.Lstat(filepath.Join(root, "latest")); err != nil || info.Mode()&fs.ModeSymlink != 0 {
		t.Errorf("the folder is gone: %v", err)
	}
}

func TestResolve(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"own", filepath.Join(Root, "20260803T093005Z-a")} {
		if err := Write(dir, Run{}, Manifest{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("empty", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, arg, want string }{
		{"a folder", "own", "own"},
		{"a folder, untidily", "./own/", "own"},
		{"the result in it", "own/result.json", "own"},
		{"an id", "20260803T093005Z-a", filepath.Join(Root, "20260803T093005Z-a")},
		{"a folder without a result", "empty", ""},
		{"nothing", "absent", ""},
		{"no name", "", ""},
	} {
		got, err := Resolve(c.arg)
		if got != c.want || (c.want == "") != errors.Is(err, ErrNotARun) {
			t.Errorf("%s: %q, error %v, want %q", c.rule, got, err, c.want)
		}
		if c.want == "" && !strings.Contains(err.Error(), "20260803T093005Z-a") {
			t.Errorf("%s: error %v names no run that there is", c.rule, err)
		}
	}
}
