package launch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// TestEndNamed says whose processes are ended by the name of a cgroup, and whose aren't.
func TestEndNamed(t *testing.T) {
	found, err := ownCgroups()
	if err != nil {
		t.Fatal(err)
	}
	h := found["pids"]
	if h == nil {
		h = found[""]
	}
	if h == nil {
		t.Fatal("no cgroup tree is mounted")
	}
	name := "coldstorm-test-" + strconv.Itoa(os.Getpid()) + "-"
	started := map[string]*exec.Cmd{}
	for _, which := range []string{name + "crun-1", name + "runc-2"} {
		dir := filepath.Join(h.top, which)
		if err := os.Mkdir(dir, 0o755); err != nil {
			if os.Getuid() == 0 {
				t.Fatal(err)
			}
			t.Skip("makes a cgroup, which this user may not: ", err)
		}
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
			rmdirUntil(-1, dir, time.Now().Add(cleanTime))
		})
		started[which] = cmd
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644); err != nil {
			t.Skip("moves a process, which this user may not: ", err)
		}
	}
	if err := EndNamed(""); err == nil {
		t.Error("no name was taken for that of all cgroups")
	}
	ended := make(chan error)
	go func() { ended <- started[name+"crun-1"].Wait() }()
	if err := EndNamed(name + "crun-"); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the process ended by itself")
	}
	if _, err := os.Stat(filepath.Join(h.top, name+"crun-1")); err == nil {
		t.Error("the cgroup is still there")
	}
	if words(filepath.Join(h.top, name+"runc-2", "cgroup.procs")) == nil {
		t.Error("another's process was ended")
	}
}
