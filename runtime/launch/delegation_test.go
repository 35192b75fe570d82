package launch

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// What TestHostHere is to find: controllers, and what the hint for the first
// that is missing holds.
const (
	cgroupsEnv = "COLDSTORM_TEST_CGROUPS"
	hintEnv    = "COLDSTORM_TEST_HINT"
)

// TestHostHere holds what a launcher finds, and whether it leaves its cgroup as
// it was, against what the one who made the cgroup says of it.
func TestHostHere(t *testing.T) {
	want, told := os.LookupEnv(cgroupsEnv)
	if !told {
		t.Skip("nobody says what this host has: TestVirtualMachine and TestGivenByHand do")
	}
	before, err := ownCgroups()
	if err != nil {
		t.Fatal(err)
	}
	probed := Probe()
	l, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	h := l.Host()
	if !sameHost(h, probed) {
		t.Errorf("a launcher has\n%+v, Probe told\n%+v", h, probed)
	}
	parts := []struct {
		name string
		part Part
	}{{"cpu", h.CPU}, {"memory", h.Memory}, {"pids", h.Pids}, {"freezer", h.Freezer}}
	hint := ""
	for _, p := range parts {
		t.Logf("%s: %+v", p.name, p.part)
		if p.part.OK != slices.Contains(strings.Fields(want), p.name) {
			t.Errorf("%s: %+v, want of %q", p.name, p.part, want)
		}
		if !p.part.OK && hint == "" {
			hint = p.part.Hint
		}
	}
	if h.Devices.OK == h.Rootless {
		t.Errorf("devices, rootless %v: %+v", h.Rootless, h.Devices)
	}
	if !strings.Contains(hint, os.Getenv(hintEnv)) {
		t.Errorf("hint %q, want %q in it", hint, os.Getenv(hintEnv))
	}
	if h.Memory.OK {
		b := run(t, l, Spec{MemoryBytes: 96 << 20}, "memory")
		io.Copy(io.Discard, b.Stdout)
		if x := b.Exit(); !x.OOM {
			t.Errorf("exit %+v", x)
		}
	}
	crash := run(t, l, Spec{MemoryBytes: 96 << 20}, "sleep")
	line(t, crash.Stdout)
	unix.Kill(crash.PID, unix.SIGKILL)
	if x := crash.Exit(); x.OOM || x.Signal != unix.SIGKILL {
		t.Errorf("killed by hand: %+v", x)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	after, err := ownCgroups()
	if err != nil {
		t.Fatal(err)
	}
	for c, h := range before {
		if after[c] == nil || after[c].dir != h.dir {
			t.Errorf("%q: in %+v after it all, in %s before", c, after[c], h.dir)
		}
	}
	if left := append(ourCgroups(t, l.pid), ourCgroups(t, os.Getpid())...); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// sameHost compares which parts are there: that controllers were handed down once
// may show the next one a better place.
func sameHost(a, b Host) bool {
	same := a.Kernel == b.Kernel && a.Cgroup == b.Cgroup && a.Rootless == b.Rootless
	theirs := b.parts()
	for i, p := range a.parts() {
		same = same && p.part.OK == theirs[i].part.OK
	}
	return same
}

// TestGivenByHand does what hints tell a person without systemd to do as root,
// and holds a launcher of an ordinary user to it.
func TestGivenByHand(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("to give a cgroup away needs root")
	}
	l := start(t, Config{})
	if h := l.Host(); !h.Limits() || !h.Freezer.OK {
		skip(t, "nothing to give away here: %v", h.Missing())
	}
	here := place{uid: 65534, v1: map[string]string{}}
	found, err := ownCgroups()
	if err != nil {
		t.Fatal(err)
	}
	for c, h := range found {
		if !h.v2 {
			here.v1[c] = h.dir
		} else if len(words(filepath.Join(h.top, "cgroup.controllers"))) > 2 {
			here.own, here.top = h.dir, h.top
		}
	}
	dir, err := os.MkdirTemp("", "coldstorm-launch-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	inside, err := buildInside()
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "launch.test")
	if text, err := os.ReadFile("/proc/self/exe"); err != nil {
		t.Fatal(err)
	} else if err := os.WriteFile(exe, text, 0o755); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("/bin/sh", "-c", `read x; "$@"`, "sh", exe, "-test.v", "-test.run=^TestHostHere$") // stays, as a person's does
	shell.Dir = dir
	shell.Env = append(os.Environ(), insideEnv+"="+inside, "TMPDIR="+dir, "HOME="+dir, cgroupsEnv+"=cpu memory pids freezer")
	shell.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var out bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &out
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	done := map[string]bool{}
	for _, c := range controllers {
		command := here.hint(c, unix.EACCES)
		if done[command] || c == "cpuacct" {
			continue
		}
		done[command] = true
		give := exec.Command("/bin/sh", "-c", `pid=$1; `+strings.NewReplacer("sudo ", "", "$$", "$pid").Replace(command), "sh", strconv.Itoa(shell.Process.Pid))
		if text, err := give.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, text)
		}
	}
	io.WriteString(in, "go\n")
	in.Close()
	if err := shell.Wait(); err != nil || !strings.Contains(out.String(), "--- PASS: TestHostHere") {
		t.Errorf("%v\n%s", err, &out)
	}
	for _, h := range found {
		given := filepath.Join(h.dir, "coldstorm.65534")
		for _, d := range append(foldersIn(given), given) {
			if err := rmdir(unix.AT_FDCWD, d); err != nil && !errors.Is(err, unix.ENOENT) {
				t.Error(err)
			}
		}
	}
}

// TestHints says what to do where.
func TestHints(t *testing.T) {
	for _, c := range []struct {
		rule       string
		here       place
		controller string
		err        error
		want       string
	}{
		{"a session's scope is not delegated: one under the user's systemd is", place{uid: 7, own: "/c/s", top: "/c", systemd: true, manager: "/c/m", given: []string{"memory"}, runtime: true}, "memory", unix.EACCES, "systemd-run --user --scope -p Delegate=yes coldstorm run"},
		{"after su the way to it must be said", place{uid: 7, own: "/c/s", top: "/c", systemd: true, manager: "/c/m", given: []string{"memory"}}, "memory", unix.EACCES, "XDG_RUNTIME_DIR=/run/user/7 systemd-run --user --scope -p Delegate=yes coldstorm run"},
		{"a controller that the user's systemd lacks is delegated to it", place{uid: 7, own: "/c/s", top: "/c", systemd: true, manager: "/c/m", given: []string{"memory"}}, "cpu", unix.EACCES, `printf '[Service]\nDelegate=cpu cpuset io memory pids\n'`},
		{"freezing is no controller to delegate", place{uid: 7, own: "/c/s", top: "/c", systemd: true, manager: "/c/m", runtime: true}, "freezer", unix.EACCES, "systemd-run --user"},
		{"without a systemd of the user's, lingering starts one", place{uid: 7, own: "/c/s", top: "/c", systemd: true}, "memory", unix.EACCES, "sudo loginctl enable-linger 7 && XDG_RUNTIME_DIR=/run/user/7 systemd-run --user"},
		{"without systemd, root gives a cgroup", place{uid: 7, own: "/c", top: "/c"}, "memory", unix.EACCES, "mkdir -p coldstorm.7/shell"},
		{"version 1 likewise", place{uid: 7, v1: map[string]string{"memory": "/m/x", "cpu": "/c", "cpuacct": "/c"}}, "memory", unix.EACCES, "for dir in /c /m/x; do mkdir -p $dir/coldstorm.7 && chown -R 7 $dir/coldstorm.7 &&"},
		{"a tree that can't be written", place{root: true, own: "/c", top: "/c"}, "memory", unix.EROFS, "mount -o remount,rw /c"},
		{"no tree", place{root: true}, "memory", errNotMounted, "mount -t cgroup2"},
		{"the kernel lacks it", place{root: true, own: "/c", top: "/c"}, "memory", errNotHandedDown, "cgroup_enable=memory"},
		{"root beside others", place{root: true, own: "/c", top: "/c"}, "memory", errOccupied, "systemd-run --scope -p Delegate=yes"},
	} {
		if got := c.here.hint(c.controller, c.err); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", c.rule, got, c.want)
		}
	}
}
