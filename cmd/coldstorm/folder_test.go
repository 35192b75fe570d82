package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"coldstorm/results"

	"coldstorm/runtime/image"
)

// TestRemoveHalves says which run folders are removed, and what of others.
func TestRemoveHalves(t *testing.T) {
	for _, c := range []struct {
		rule  string
		name  string
		files []string
		alive bool
		want  []string // what is removed; "." is the folder
	}{
		{"killed before anything was written", "", []string{".pid", "function.log"}, false, []string{"."}},
		{"killed before it had said that it is under way", "", nil, false, []string{"."}},
		{"somebody's empty folder", "notes", nil, false, nil},
		{"somebody's folder", "notes", []string{"notes.txt"}, false, nil},
		{"somebody's pid", "notes", []string{".pid", "main.go"}, false, nil},
		{"somebody's unfinished file", "notes", []string{".notes.tmp"}, false, nil},
		{"where there was no room for another, killed before anything was written", "coldstorm-run-1", []string{".pid", "function.log"}, false, []string{"."}},
		{"the same, killed before it had said that it is under way", "coldstorm-run-1", nil, false, []string{"."}},
		{"renamed since, a report that was killed as it wrote", "baseline", []string{"result.json", ".report.html.1.tmp"}, false, []string{".report.html.1.tmp"}},
		{"renamed since, with somebody's pid", "baseline", []string{".pid", "result.json"}, false, nil},
		{"under way", "", []string{".pid", "function.log"}, true, nil},
		{"under way, and not said yet", "", nil, true, nil},
		{"killed as it wrote", "", []string{".pid", "result.json", ".samples.csv.1.tmp"}, false, []string{".samples.csv.1.tmp"}},
		{"a report that was killed as it wrote", "", []string{"result.json", ".report.html.1.tmp"}, false, []string{".report.html.1.tmp"}},
		{"whole", "", []string{"result.json", "report.html"}, false, nil},
	} {
		if c.name == "" {
			c.name = "20260801T093000Z-x"
		}
		root := t.TempDir()
		dir, lock, err := image.Own(func() (string, error) {
			dir := filepath.Join(root, c.name)
			return dir, os.Mkdir(dir, 0o755)
		})
		if err != nil {
			t.Fatal(err)
		}
		defer lock.Close()
		for _, f := range c.files {
			if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if !c.alive {
			lock.Close()
		}
		removed, err := removeHalves(named(root, ""))
		for i := range removed {
			removed[i], _ = filepath.Rel(dir, removed[i])
		}
		if err != nil || !slices.Equal(removed, c.want) {
			t.Errorf("%s: removed %v (%v), want %v", c.rule, removed, err, c.want)
		}
		_, err = os.Stat(filepath.Join(dir, underWay))
		if want := slices.Contains(c.files, underWay) && (c.alive || !runNamed(dir)); (err == nil) != want {
			t.Errorf("%s: %s is there: %v, want %v", c.rule, underWay, err == nil, want)
		}
	}
}

// TestFoldersWhileOthersClean says that a folder that was made is there, and a file
// that was replaced too, however many clean at the same time.
func TestFoldersWhileOthersClean(t *testing.T) {
	root := t.TempDir()
	done := make(chan struct{})
	var cleaners sync.WaitGroup
	for range 2 {
		cleaners.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					removeDead(root)
					results.RemoveUnfinished(root)
				}
			}
		})
	}
	for range 50 {
		dir, lock, err := image.Own(func() (string, error) { return os.MkdirTemp(root, workPrefix) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); err != nil {
			t.Error(err)
		}
		lock.Close()
		if err := results.Replace(filepath.Join(root, "f"), func(w io.Writer) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	close(done)
	cleaners.Wait()
	removeDead(root)
	if left := named(root, workPrefix); len(left) > 0 {
		t.Errorf("left %s", strings.Join(left, " "))
	}
}

// TestRemoveDeadEndsContainers says of which folders a runtime is told to delete the
// containers: of those that nobody else could have put a state into.
func TestRemoveDeadEndsContainers(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "crun"), []byte("#!/bin/sh\necho \"$@\" >>\"$TOLD\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for _, c := range []struct {
		rule string
		mode os.FileMode
		want string
	}{
		{"ours alone", 0o700, "--root DIR/crun-state delete --force one\n"},
		{"anybody's to write to", 0o777, ""},
	} {
		told := filepath.Join(t.TempDir(), "told")
		t.Setenv("TOLD", told)
		root := t.TempDir()
		dir := filepath.Join(root, workPrefix+"1-1")
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "crun-state/one"), 0o700), os.Chmod(dir, c.mode)); err != nil {
			t.Fatal(err)
		}
		if removed := removeDead(root); !slices.Equal(removed, []string{dir}) {
			t.Errorf("%s: removed %v", c.rule, removed)
		}
		text, _ := os.ReadFile(told) // none, if it was told nothing
		if got := strings.ReplaceAll(string(text), dir, "DIR"); got != c.want {
			t.Errorf("%s: told %q, want %q", c.rule, got, c.want)
		}
	}
}
