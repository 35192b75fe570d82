package launch

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fileOf reads the first file that is there below a launcher's cgroups.
func fileOf(t *testing.T, l *Launcher, paths ...string) string {
	t.Helper()
	for _, dir := range ourCgroups(t, l.pid) {
		for _, p := range paths {
			found, _ := filepath.Glob(filepath.Join(dir, p))
			for _, f := range found {
				text, _ := os.ReadFile(f)
				return strings.TrimSpace(string(text))
			}
		}
	}
	return "no file"
}

func node(t *testing.T, l *Launcher, name string, cpus float64, memory int64) {
	t.Helper()
	if limited, err := l.StartNode(name, cpus, memory); err != nil || !limited {
		t.Fatalf("limited %v, error %v", limited, err)
	}
}

func TestNodeHoldsItsSandboxesTogether(t *testing.T) {
	l := limited(t, Config{Pool: 1})
	node(t, l, "n1", 0.5, 96<<20)
	b := run(t, l, Spec{Node: "n1", CPUs: 0.25}, "sleep")
	line(t, b.Stdout)
	if b.Mode != ModeCold {
		t.Errorf("mode %s: what is ready is on no node", b.Mode)
	}
	for _, f := range []struct{ rule, path, unified, want, wantUnified string }{
		{"the node's quota", "n.n1/cpu.cfs_quota_us", "n.n1/cpu.max", "10000", "10000 20000"},
		{"the sandbox's within it", "n.n1/s*/cpu.cfs_quota_us", "n.n1/s*/cpu.max", "5000", "5000 20000"},
		{"the node's memory", "n.n1/memory.limit_in_bytes", "n.n1/memory.max", "100663296", "100663296"},
	} {
		if got := fileOf(t, l, f.path, f.unified); got != f.want && got != f.wantUnified {
			t.Errorf("%s: %q", f.rule, got)
		}
	}
	if err := l.StopNode("n1"); err == nil {
		t.Error("a node went from under a sandbox")
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := l.StopNode("n1"); err != nil {
		t.Error(err)
	}
	if got := fileOf(t, l, "n.n1/cgroup.procs"); got != "no file" {
		t.Error("the node is there still")
	}
}

func TestMemoryOfANodeBoundsASandboxWithoutALimit(t *testing.T) {
	l := limited(t, Config{})
	node(t, l, "small", 0, 64<<20)
	b := run(t, l, Spec{Node: "small"}, "memory")
	io.Copy(io.Discard, b.Stdout)
	if x := b.Exit(); x.Signal != unix.SIGKILL {
		t.Errorf("exit %+v", x)
	}
}

func TestNodeThatIsNotThere(t *testing.T) {
	l := start(t, Config{})
	if _, err := l.Launch(context.Background(), Spec{Image: insideImage(t), Argv: []string{"/inside", "sleep"}, Node: "absent"}); err == nil || !strings.Contains(err.Error(), "no node absent") {
		t.Errorf("error %v", err)
	}
	for _, name := range []string{"", "a/b", "..", "A"} {
		if _, err := l.StartNode(name, 0, 0); err == nil {
			t.Errorf("a node named %q was made", name)
		}
	}
}

// TestNodesGoWithTheirLauncher ends one in order and one by a kill, with sandboxes on
// nodes, a frozen one too.
func TestNodesGoWithTheirLauncher(t *testing.T) {
	for _, killed := range []bool{false, true} {
		l, err := Start(Config{})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"n1", "n2"} {
			if _, err := l.StartNode(name, 0, 0); err != nil {
				t.Fatal(err)
			}
		}
		boxes := []*Sandbox{run(t, l, Spec{Node: "n1"}, "children"), run(t, l, Spec{Node: "n1"}, "sleep")}
		for _, b := range boxes {
			line(t, b.Stdout)
		}
		if err := boxes[1].Freeze(); err != nil {
			t.Fatal(err)
		}
		if killed {
			if err := unix.Kill(l.pid, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			for _, b := range boxes {
				<-b.Done()
			}
		}
		if err := l.Close(); err != nil && !killed {
			t.Error(err)
		}
		if left := ourCgroups(t, l.pid); len(left) > 0 {
			t.Errorf("killed %v: cgroups left: %v", killed, left)
		}
	}
}
