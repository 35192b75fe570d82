package results

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestReplaceKeepsWhatWasThereOnAnError(t *testing.T) {
	for _, c := range []struct{ rule, before, want string }{
		{"a new file is not left half written", "", "nothing of it is left"},
		{"an old file is kept", "before", "the file that was there is kept"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		if c.before != "" {
			if err := os.WriteFile(path, []byte(c.before), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := Replace(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, strings.Repeat("after", 1<<16)); err != nil {
				return err
			}
			return syscall.ENOSPC
		})
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want ENOSPC, the path and %q", c.rule, err, c.want)
		}
		holds(t, dir, map[string]string{"f": c.before})
	}
}

func TestReplaceReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"one", "two"} {
		if err := Replace(path, func(w io.Writer) error { _, err := io.WriteString(w, content); return err }); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, map[string]string{"f": content})
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, error %v, want 0644", info.Mode(), err)
	}
	missing := filepath.Join(dir, "no", "f")
	if err := Replace(missing, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), missing) || strings.Contains(err.Error(), ".tmp") {
		t.Errorf("in a folder that isn't there: error %v, want one with the path, and no temporary file's", err)
	}
}

// holds checks the files of a folder; "" is a file that isn't there.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(b)
	}
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s holds %d bytes, want %q", name, len(got[name]), content)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s was left behind", name)
	}
}

// A disk that is really full: the kernel, not the test, says when.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		if os.Getenv("CI") == "true" && os.Geteuid() == 0 { // an ordinary user may not mount
			t.Fatalf("mount a small tmpfs: %v", err)
		}
		t.Skipf("SKIPPED: a full disk needs a small tmpfs, and mounting one: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	}()
	dir := filepath.Join(disk, "run")
	if err := Write(dir, Run{Scenario: "first"}, Manifest{}); err != nil {
		t.Fatal(err)
	}
	large := Run{Scenario: strings.Repeat("x", 128<<10)}
	err := Write(dir, large, Manifest{})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), filepath.Join(dir, ResultFile)) || !strings.Contains(err.Error(), "is kept") {
		t.Errorf("error %v, want ENOSPC, the path and what is kept", err)
	}
	run, err := Read(dir)
	if err != nil || run.Scenario != "first" {
		t.Errorf("scenario %q, error %v, want the run before", run.Scenario, err)
	}
	err = SaveSamples(dir, slices.Values(make100k()))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), SamplesFile) {
		t.Errorf("samples: error %v, want ENOSPC and the path", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

// make100k is samples of more than 100 kB.
func make100k() []Sample {
	var all []Sample
	for i := range 2000 {
		all = append(all, Sample{Series: "burst", Seq: uint64(i), Intended: 1, Outcome: OutcomeUnsent, Evidence: Evidence{Start: StartUnknown}})
	}
	return all
}
