package launch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestOursAlone says whose processes are moved: this run's, and only where no
// other's are.
func TestOursAlone(t *testing.T) {
	child := exec.Command("sleep", "1000")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	self, stranger := os.Getpid(), 1
	for _, c := range []struct {
		rule  string
		procs string
		want  bool
	}{
		{"this process", fmt.Sprintln(self), true},
		{"and what it started", fmt.Sprintf("%d\n%d\n", self, child.Process.Pid), true},
		{"another's beside them", fmt.Sprintf("%d\n%d\n", self, stranger), false},
		{"one that another pid namespace hides", fmt.Sprintf("%d\n0\n", self), false},
		{"the one that started this, which is another program", fmt.Sprintf("%d\n%d\n", self, os.Getppid()), false},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(c.procs), 0o644); err != nil {
			t.Fatal(err)
		}
		if pids, ok := oursAlone(dir); ok != c.want {
			t.Errorf("%s: %v, %v", c.rule, pids, ok)
		}
	}
}

func TestParent(t *testing.T) {
	if got := parent(os.Getpid()); got != os.Getppid() {
		t.Errorf("parent %d, want %d", got, os.Getppid())
	}
	if got := parent(1 << 30); got != 0 {
		t.Errorf("nobody's parent is %d", got)
	}
}

func TestIsLeaf(t *testing.T) {
	for dir, want := range map[string]bool{
		"/c/coldstorm-7-x-Lself": true, "/c/coldstorm-7-x-Ly": false, "/c/coldstorm-7-x-Lself/s1": false, "/c/my-self": false,
	} {
		if isLeaf(dir) != want {
			t.Errorf("%s: %v", dir, !want)
		}
	}
}

// TestRoomWanted says that a process stays where it is unless moving it makes
// room for controllers.
func TestRoomWanted(t *testing.T) {
	for _, c := range []struct {
		rule  string
		files map[string]string
		want  bool
	}{
		{"controllers that processes keep from it", map[string]string{"cgroup.controllers": "cpuset memory\n"}, true},
		{"controllers that nobody wants", map[string]string{"cgroup.controllers": "hugetlb\n"}, false},
		{"the root, which may have processes", map[string]string{"cgroup.controllers": "memory\n", "cgroup.events": ""}, false},
	} {
		dir := t.TempDir()
		for _, name := range []string{"cgroup.procs", "cgroup.subtree_control", "cgroup.events", "cgroup.controllers"} {
			text, given := c.files[name]
			if name == "cgroup.events" && given {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := roomWanted(dir); got != c.want {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
}
