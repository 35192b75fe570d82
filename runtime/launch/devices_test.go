package launch

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// testNodes are what devices may be open to sandboxes, and what may not.
var testNodes = []struct {
	name         string
	kind         uint32
	major, minor uint32
	allowed      bool
}{
	{"null", unix.S_IFCHR, 1, 3, true},
	{"zero", unix.S_IFCHR, 1, 5, true},
	{"full", unix.S_IFCHR, 1, 7, true},
	{"random", unix.S_IFCHR, 1, 8, true},
	{"urandom", unix.S_IFCHR, 1, 9, true},
	{"tty", unix.S_IFCHR, 5, 0, true},
	{"ptmx", unix.S_IFCHR, 5, 2, true},
	{"first terminal", unix.S_IFCHR, 136, 0, true},
	{"hundredth terminal", unix.S_IFCHR, 136, 99, true},
	{"one before null", unix.S_IFCHR, 1, 2, false},
	{"port", unix.S_IFCHR, 1, 4, false},
	{"kmsg", unix.S_IFCHR, 1, 11, false},
	{"console", unix.S_IFCHR, 5, 1, false},
	{"null's minor elsewhere", unix.S_IFCHR, 2, 3, false},
	{"fuse", unix.S_IFCHR, 10, 229, false},
	{"terminals of the next major", unix.S_IFCHR, 137, 0, false},
	{"disk", unix.S_IFBLK, 7, 0, false},
	{"disk with null's numbers", unix.S_IFBLK, 1, 3, false},
	{"disk with a terminal's numbers", unix.S_IFBLK, 136, 0, false},
}

// openVerb has the test binary open every node of a folder, and make one more, from
// inside of cgroups.
const openVerb = "__open"

func openNodes(nodes string, cgroups []string) int {
	for _, dir := range cgroups {
		if err := write(filepath.Join(dir, "cgroup.procs"), "0"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	for i, n := range testNodes {
		fd, err := unix.Open(filepath.Join(nodes, strconv.Itoa(i)), unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		closeAll(fd)
		fmt.Printf("%s: %v\n", n.name, err)
	}
	made := filepath.Join(nodes, "made")
	err := unix.Mknod(made, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
	os.Remove(made)
	fmt.Printf("making: %v\n", err)
	return 0
}

// tryNodes is what becomes of each of testNodes, by name, and of the making of one, for
// a process with every right in some cgroups.
func tryNodes(t testing.TB, cgroups ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	for i, n := range testNodes {
		if err := unix.Mknod(filepath.Join(dir, strconv.Itoa(i)), n.kind|0o600, int(unix.Mkdev(n.major, n.minor))); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe", append([]string{openVerb, dir}, cgroups...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", openVerb, err)
	}
	verdicts := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, verdict, _ := strings.Cut(strings.TrimSpace(line), ": ")
		verdicts[name] = verdict
	}
	return verdicts
}

// heldToNodes says that in some cgroups nothing opens but the devices of a sandbox, for
// whom everything opens outside of them.
func heldToNodes(t testing.TB, cgroups ...string) map[string]string {
	t.Helper()
	const refused = "operation not permitted" // by a cgroup: by its mode or its mount a node has EACCES
	outside, inside := tryNodes(t), tryNodes(t, cgroups...)
	for _, n := range testNodes {
		if outside[n.name] == refused || outside[n.name] == "" || outside["zero"] != "<nil>" {
			t.Errorf("%s is refused outside too and proves nothing: %q", n.name, outside[n.name])
		}
		if n.allowed && inside[n.name] != outside[n.name] || !n.allowed && inside[n.name] != refused {
			t.Errorf("in %v %s (%d:%d): %q, outside %q", cgroups, n.name, n.major, n.minor, inside[n.name], outside[n.name])
		}
	}
	if outside["making"] != "<nil>" {
		t.Errorf("making a node outside: %q", outside["making"])
	}
	return inside
}

// heldToDevices is a rule of the conformance suite: whoever is in a sandbox's cgroup opens
// no device but a sandbox's, be it root with every right.
func heldToDevices(t testing.TB, l *Launcher) {
	if !l.Host().Devices.OK {
		skip(t, "devices are not restricted here: %v", l.Host().Devices)
	}
	b := run(t, l, Spec{}, "sleep")
	line(t, b.Stdout)
	inside := heldToNodes(t, deviceGroups(t, b.PID)...)
	if l.runtime.kind == builtin && inside["making"] != "operation not permitted" { // OCI runtimes allow that by cgroup
		t.Errorf("making a node: %q", inside["making"])
	}
}

// devicesAreNot says that a launcher which can't restrict devices says so, and why.
func devicesAreNot(t testing.TB, l *Launcher) {
	if p := l.Host().Devices; p.OK || p.Reason == "" || p.Hint != keptForRoot {
		t.Errorf("devices: %+v", p)
	}
}

// deviceGroups are the cgroups of a process that can restrict its devices.
func deviceGroups(t testing.TB, pid int) (dirs []string) {
	t.Helper()
	info, err := os.ReadFile("/proc/self/mountinfo")
	own, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	found := findCgroups(string(info), string(own))
	for _, c := range []string{devicesController, ""} {
		if h := found[c]; h != nil && h.dir != h.top {
			dirs = append(dirs, h.dir)
		}
	}
	if len(dirs) == 0 {
		t.Fatalf("process %d is in no cgroup that restricts devices: %s", pid, own)
	}
	return dirs
}

// TestDeviceProgram runs the program of version 2 where devices are version 1's too.
func TestDeviceProgram(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the kernel takes such a program from root alone")
	}
	found, err := ownCgroups()
	if err != nil || found[""] == nil {
		skip(t, "no version 2 cgroups are mounted: %v", err)
	}
	h := found[""]
	if err := h.open(cgroupName(os.Getpid(), "program")); err != nil {
		t.Fatal(err)
	}
	defer func() {
		unix.Close(h.fd)
		if err := rmdir(unix.AT_FDCWD, h.dir); err != nil {
			t.Error(err)
		}
	}()
	if err := h.restrictByProgram(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkdirat(h.fd, "s1", 0o755); err != nil {
		t.Fatal(err)
	}
	defer rmdir(h.fd, "s1")
	if inside := heldToNodes(t, h.dir+"/s1"); inside["making"] != "operation not permitted" {
		t.Errorf("making a node: %q", inside["making"])
	}
}

// TestLauncherOpensDevices says that the launcher's own process is in no cgroup that
// restricts devices, nor is any of its threads.
func TestLauncherOpensDevices(t *testing.T) {
	l := start(t, Config{Pool: 1})
	if err := l.Fill(Spec{Image: firstImage(t)}); err != nil {
		t.Fatal(err)
	}
	ours := ourCgroups(t, l.pid)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/cgroup", l.pid))
	if err != nil || len(threads) == 0 {
		t.Fatal(threads, err)
	}
	for _, file := range threads {
		text, _ := os.ReadFile(file)
		for _, dir := range ours {
			if strings.Contains(string(text), filepath.Base(dir)) {
				t.Errorf("%s: %s", file, text)
			}
		}
	}
}

// TestChildrenEnterTheSharedFolder says how.
func TestChildrenEnterTheSharedFolder(t *testing.T) {
	g := testCgroups()
	before := coldScript(testStage(), g, testSpec(), []string{"/l/1"}, 22).String()
	g.shared = &shared{h: &hierarchy{}, tasks: 27}
	after := coldScript(testStage(), g, testSpec(), []string{"/l/1"}, 22).String()
	const enters, leaves = "write(27, \"0\", 1)\n", "unshare(0x2000000)\n"
	if strings.Replace(after, enters+leaves, leaves, 1) != before || after == before {
		t.Errorf("no %s before its cgroup namespace is made in\n%s", enters, after)
	}
}

func TestDeviceRules(t *testing.T) {
	var got []string
	for _, r := range deviceRules() {
		got = append(got, r.String())
	}
	const want = "c 1:3 rw, c 1:5 rw, c 1:7 rw, c 1:8 rw, c 1:9 rw, c 5:0 rw, c 5:2 rw, c 136:* rw"
	if strings.Join(got, ", ") != want {
		t.Errorf("%q", got)
	}
}

// planted says that a node in a sandbox's own /dev, the one mount of its that opens any,
// opens no device but a sandbox's: it takes the host's root to put one there, in the place
// of whatever way a program might find. mode is how sandboxes start.
func (g *ground) planted(t *testing.T, mode string) {
	t.Helper()
	if !g.l.Host().Devices.OK {
		if !g.l.Host().Rootless {
			skip(t, "devices are not restricted here: %v", g.l.Host().Devices)
		}
		return
	}
	for name, dev := range map[string]uint64{"planted-fuse": unix.Mkdev(10, 229), "planted-zero": unix.Mkdev(1, 5)} {
		g.plant(t, "/dev/"+name, dev)
		out := filepath.Join(filepath.Dir(g.dir), "scratch", name)
		if err := unix.Mknod(out, unix.S_IFCHR|0o666, int(dev)); err != nil {
			t.Fatal(err)
		}
		os.Chmod(out, 0o666)
		said, err := g.outside(t, false, "node", out).Output()
		if err != nil || strings.Contains(string(said), "not permitted") || strings.Contains(string(said), "denied") {
			t.Errorf("%s is refused outside too and proves nothing: %q, %v", name, said, err)
		}
	}
	for _, a := range []struct{ try, want string }{
		{"node /dev/planted-zero", "reached"},
		{"node /dev/planted-fuse", "refused: operation not permitted"},
	} {
		s := g.spec
		s.Argv = []string{"/var/task/bootstrap"}
		if mode != ModeCold {
			if err := g.l.Fill(s); err != nil {
				t.Fatal(err)
			}
		}
		s.Argv = append(s.Argv, strings.Fields(a.try)...)
		b, err := g.l.Launch(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		said, _ := bufio.NewReader(b.Stdout).ReadString('\n')
		if strings.TrimSpace(said) != a.want || b.Mode != mode {
			t.Errorf("a %s sandbox, %s: %q, want %q of a %s one", b.Mode, a.try, said, a.want, mode)
		}
		b.Stop()
		b.Close()
	}
}

// plant makes a node in every sandbox's /dev, through the neighbour's.
func (g *ground) plant(t *testing.T, path string, dev uint64) {
	t.Helper()
	ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/mnt", g.neighbour.PID), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ns)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		err := joinMounts(ns)
		if err == nil {
			err = unix.MountSetattr(unix.AT_FDCWD, "/dev", 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
		}
		if err == nil {
			err = unix.Mknod(path, unix.S_IFCHR|0o666, int(dev))
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("plant %s: %v", path, err)
	}
}
