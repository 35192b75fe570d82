package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"coldstorm/workloads"
)

func TestAResetKeepsTmpAndADeploymentDoesNot(t *testing.T) {
	if _, err := workloads.Supervisor(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("NO SUPERVISOR: ", err)
	}
	e := begin(t, Config{})
	deploy(t, e, Function{})
	first := send(t, e, `"keep"`)
	second := send(t, e, `"keep"`)
	if first.evidence.Environment == "" || second.evidence.Environment != first.evidence.Environment || second.evidence.Cause != "crashed" {
		t.Errorf("environments %+v, %+v", first.evidence, second.evidence)
	}
	if a := send(t, e, `"kept"`); a.body != `"|| <nil> <nil> true"` || a.evidence.Environment != first.evidence.Environment {
		t.Errorf("got %s of %s", a.body, a.evidence.Environment)
	}
	sums(t, second.evidence)
	if err := e.Discard(); err != nil {
		t.Fatal(err)
	}
	if a := send(t, e, `"kept"`); a.body == `"|| <nil> <nil> true"` || a.evidence.Environment == first.evidence.Environment {
		t.Errorf("after a discard: %s", a.body)
	}
}

func TestCopyTree(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(from, "a/b"), 0o750); err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 0)
	os.WriteFile(filepath.Join(from, "a/b/c"), []byte("text"), 0o640)
	os.Chtimes(filepath.Join(from, "a/b/c"), at, at)
	os.Symlink("/etc/passwd", filepath.Join(from, "a/link"))
	if err := copyTree(from, to); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(to, "a/b/c"))
	i, _ := os.Stat(filepath.Join(to, "a/b/c"))
	if string(b) != "text" || err != nil || i.Mode() != 0o640 || !i.ModTime().Equal(at) {
		t.Errorf("file %q %v %v", b, i.Mode(), err)
	}
	if target, err := os.Readlink(filepath.Join(to, "a/link")); target != "/etc/passwd" || err != nil {
		t.Errorf("link %q %v", target, err)
	}
	if i, err := os.Stat(filepath.Join(to, "a/b")); err != nil || i.Mode().Perm() != 0o750 {
		t.Errorf("folder %v %v", i, err)
	}
}
