package launch

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestConformance is what every launcher must do, as root and as an ordinary
// user alike.
func TestConformance(t *testing.T) {
	conformance(t, Config{})
}

// TestConformancePooled is the same with everything ready-made.
func TestConformancePooled(t *testing.T) {
	conformance(t, Config{Pool: 4})
}

// TestConformanceUserNamespace is the same for root in a user namespace.
func TestConformanceUserNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("TestConformance is in one already")
	}
	conformance(t, Config{Rootless: true, Pool: 2})
}

// TestConformanceUnified is the same with children born in version 2 cgroups,
// for what those can do on a host whose controllers are in version 1.
func TestConformanceUnified(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("cgroups need root")
	}
	if info, _ := os.ReadFile("/proc/self/mountinfo"); !strings.Contains(string(info), " - cgroup2 ") {
		skip(t, "no version 2 cgroups are mounted")
	}
	conformance(t, Config{unified: true, Pool: 1})
}

// TestConformanceBind is the same on a host without overlay.
func TestConformanceBind(t *testing.T) {
	conformance(t, Config{bind: true})
}

// TestConformanceOrdinaryUser is the same for a user without any right.
func TestConformanceOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("TestConformance is run by one already")
	}
	inside, err := buildInside()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "coldstorm-launch-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "launch.test")
	if out, err := exec.Command("cp", "/proc/"+strconv.Itoa(os.Getpid())+"/exe", exe).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(exe, "-test.v", "-test.run=^TestConformance(Pooled|Process|Crun)?$")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), insideEnv+"="+inside, "TMPDIR="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		skip(t, "an ordinary user skipped a part:\n%s", out)
	}
}

func conformance(t *testing.T, c Config) {
	needRuntime(t, c)
	l := start(t, c)
	t.Log(l.Host().Launcher, l.Host().Version, l.Host().Kernel, "cgroup", l.Host().Cgroup, "rootless", l.Host().Rootless, l.Host().Missing())
	for _, rule := range []struct {
		name string
		test func(testing.TB, *Launcher)
	}{
		{"it is process 1 and sees no other", seesItselfAlone},
		{"it has no capability and can gain none", hasNoCapability},
		{"it has the user, host name, folder and environment that it was given", hasItsPlace},
		{"it holds no file but the standard streams", holdsNoFiles},
		{"it writes to its own folders in memory alone", writesOnlyToMemory},
		{"it sees devices, and kernel files masked", seesDevicesAndMasks},
		{"it is held to its devices by its cgroup", heldToDevices},
		{"it sees no mount of the host", seesNoHostMounts},
		{"forbidden calls fail", forbiddenCallsFail},
		{"its network is loopback with the listening socket", networkIsLoopback},
		{"a server inside is reached from outside", serverIsReached},
		{"its limits on files and cores are set", limitsAreSet},
		{"two share no state", sharesNothing},
		{"streams and exit code come out", streamsAndExit},
		{"a program that can't run is an error", cannotRun},
		{"stop ends it and all its processes", stopEndsAll},
		{"frozen it stands still, thawed it goes on, frozen it can be stopped", freezes},
		{"usage counts processor time and memory", usageCounts},
		{"stamps are in order", stampsInOrder},
		{"a writable root takes writes", writableRoot},
		{"layers of an image hide what they say they hide", layersHide},
		{"the host's network can be asked for", hostNetwork},
		{"a script runs with the host's programs", scriptRuns},
		{"a context that ends stops the launch", contextEnds},
		{"fifty at once live side by side", fiftyAtOnce},
	} {
		t.Run(rule.name, func(t *testing.T) { judge(t, l, rule.name, rule.test) })
	}
}

func seesItselfAlone(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	if v.PID != 1 || !slices.Equal(v.Processes, []int{1}) {
		t.Errorf("pid %d among %v", v.PID, v.Processes)
	}
	if v.Status["PPid"] != "0" {
		t.Errorf("parent %s", v.Status["PPid"])
	}
}

func hasNoCapability(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
		if got := v.Status[set]; got != "0000000000000000" {
			t.Errorf("%s = %s", set, got)
		}
	}
	for key, want := range map[string]string{"NoNewPrivs": "1", "Seccomp": "2", "SigBlk": "0000000000000000", "SigIgn": "0000000000000000"} {
		if got := v.Status[key]; got != want {
			t.Errorf("%s = %s, want %s", key, got, want)
		}
	}
}

func hasItsPlace(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{ID: "place-1", Env: []string{"A=b", "EMPTY="}})
	uid, gid := UID, GID
	if l.Host().Rootless {
		uid, gid = 0, 0
	}
	if v.UID != uid || v.GID != gid || (!l.Host().Rootless && len(v.Groups) > 0) {
		t.Errorf("uid %d, gid %d, groups %v", v.UID, v.GID, v.Groups)
	}
	if l.runtime.kind == oci { // gVisor gives them in any order
		slices.Sort(v.Env)
	}
	if v.Hostname != "place-1" || v.Dir != TaskDir || !slices.Equal(v.Env, []string{"A=b", "EMPTY="}) {
		t.Errorf("hostname %q, folder %q, environment %q", v.Hostname, v.Dir, v.Env)
	}
}

func holdsNoFiles(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	want := map[string]string{"0": "/dev/null", "1": "pipe:", "2": "pipe:"}
	for _, fd := range v.FDs {
		n, to, _ := strings.Cut(fd, " ")
		prefix, std := want[n]
		if !std {
			prefix = "anon_inode:" // the Go runtime's own, as is the limit that it reads
			if strings.HasPrefix(to, "/sys/fs/cgroup/") && !l.runtime.Isolates() {
				continue
			}
		}
		if !strings.HasPrefix(to, prefix) {
			t.Errorf("open: %q", v.FDs)
			break
		}
	}
	if len(v.FDs) < 3 {
		t.Errorf("open: %q", v.FDs)
	}
}

func writesOnlyToMemory(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	may := map[string]bool{"/tmp/mark": true, "/dev/shm/x": true, "/dev/null": true}
	for path, err := range v.Writes {
		if may[path] != (err == "") {
			t.Errorf("write %s: %q", path, err)
		}
	}
	if len(v.Writes) < 8 {
		t.Errorf("only %d writes tried", len(v.Writes))
	}
}

func seesDevicesAndMasks(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	want := []string{"core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
	if _, err := os.Lstat("/proc/kcore"); err != nil && l.runtime.kind == oci { // runc makes the link only then
		v.Dev = append(v.Dev, "core")
		slices.Sort(v.Dev)
		v.Dev = slices.Compact(v.Dev)
	}
	if !slices.Equal(v.Dev, want) {
		t.Errorf("/dev holds %v", v.Dev)
	}
	for path, n := range map[string]int{"/proc/kcore": 0, "/proc/keys": 0, "/proc/timer_list": 0, "/sys/firmware": 0, "/dev/zero": 64, "/dev/urandom": 64, "/proc/meminfo": 64, "/etc/passwd": 64} {
		got := v.Reads[path]
		if got != n && !(n == 0 && got == -1) {
			t.Errorf("read %s: %d bytes, want %d", path, got, n)
		}
	}
}

func seesNoHostMounts(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	for _, m := range v.Mounts {
		f := strings.Fields(m)
		if len(f) < 6 {
			t.Errorf("mount %q", m)
			continue
		}
		at, opts := f[4], strings.Split(f[5], ",")
		if at != "/" && !strings.HasPrefix(at, "/proc") && !strings.HasPrefix(at, "/sys") && !strings.HasPrefix(at, "/dev") && at != "/tmp" && (at != TaskDir || l.Host().Overlay.OK) {
			t.Errorf("mounted at %s", at)
		}
		if !slices.Contains(opts, "nosuid") && at != "/" && !strings.HasPrefix(at, "/dev/") {
			t.Errorf("%s without nosuid: %v", at, opts)
		}
		if strings.Contains(m, "shared:") || strings.Contains(m, "master:") {
			t.Errorf("%s propagates: %s", at, m)
		}
		if (at == "/" || at == "/sys" || at == "/proc/sys" || at == "/dev") && !slices.Contains(opts, "ro") {
			t.Errorf("%s is writable: %v", at, opts)
		}
	}
	for _, name := range v.Top {
		if !slices.Contains([]string{"dev", "etc", "home", "opt", "proc", "root", "sys", "tmp", "usr", "var"}, name) {
			t.Errorf("/%s", name)
		}
	}
}

func forbiddenCallsFail(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	allowed := map[string]bool{"exec child": true, "kill init": true}
	for name, err := range v.Calls {
		if allowed[name] != (err == "") {
			t.Errorf("%s: %q", name, err)
		}
	}
	if got, want := v.Calls["clone3"], syscall.ENOSYS.Error(); got != want {
		t.Errorf("clone3: %q, want %q, so that libcs fall back", got, want)
	}
}

func networkIsLoopback(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	if len(v.Interfaces) != 1 || !strings.HasPrefix(v.Interfaces[0], "lo up|loopback") {
		t.Errorf("interfaces %v", v.Interfaces)
	}
	a := run(t, l, Spec{}, "dial", "127.0.0.1:9001")
	if got := a.Listener.Addr().String(); got != "127.0.0.1:9001" {
		t.Errorf("listening on %s", got)
	}
	greeting(t, a)
}

func serverIsReached(t testing.TB, l *Launcher) {
	for _, n := range []Network{NetworkNone, NetworkHost} {
		b := run(t, l, Spec{Network: n}, "serve")
		addr := line(t, b.Stdout)
		conn, err := b.DialContext(context.Background(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(conn); err != nil || string(text) != "served" {
			t.Errorf("%q, %v", text, err)
		}
		conn.Close()
	}
	b := run(t, l, Spec{}, "sleep")
	if _, err := b.DialContext(context.Background(), "tcp", "127.0.0.1:1"); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a port without listener: %v", err)
	}
	b.Stop()
	if _, err := b.DialContext(context.Background(), "tcp", "127.0.0.1:1"); !errors.Is(err, errGone) {
		t.Errorf("a stopped sandbox: %v", err)
	}
}

func greeting(t testing.TB, b *Sandbox) {
	t.Helper()
	conn, err := b.Listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if text, err := io.ReadAll(conn); err != nil || string(text) != "hello from inside" {
		t.Errorf("%q, %v", text, err)
	}
}

func limitsAreSet(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	for _, want := range [][3]string{{"Max open files", "1024", "1024"}, {"Max core file size", "0", "0"}} {
		i := strings.Index(v.Limits, want[0])
		if i < 0 {
			t.Fatal(v.Limits)
		}
		rest, _, _ := strings.Cut(v.Limits[i+len(want[0]):], "\n")
		if f := strings.Fields(rest); f[0] != want[1] || f[1] != want[2] {
			t.Errorf("%s %v", want[0], f)
		}
	}
}

func sharesNothing(t testing.TB, l *Launcher) {
	look(t, l, Spec{}) // leaves /tmp/mark and /dev/shm/x
	if v := look(t, l, Spec{}); v.Keeps != "" {
		t.Errorf("/tmp/mark holds %q of another sandbox", v.Keeps)
	}
}

func streamsAndExit(t testing.TB, l *Launcher) {
	b := run(t, l, Spec{}, "echo")
	out, _ := io.ReadAll(b.Stdout)
	errs, _ := io.ReadAll(b.Stderr)
	if string(out) != "out" || string(errs) != "err" {
		t.Errorf("stdout %q, stderr %q", out, errs)
	}
	if x := b.Exit(); x.Code != 0 || x.Signal != 0 || x.OOM {
		t.Errorf("exit %+v", x)
	}
	if x := run(t, l, Spec{}, "exit", "7").Exit(); x.Code != 7 || x.String() != "exit status 7" {
		t.Errorf("exit %+v (%v), want 7", x, x)
	}
}

func cannotRun(t testing.TB, l *Launcher) {
	_, err := l.Launch(context.Background(), Spec{ID: "nope", Image: insideImage(t), Argv: []string{"/var/task/absent"}})
	if !errors.Is(err, err) || err == nil || !strings.Contains(err.Error(), `execve("/var/task/absent"`) || !strings.Contains(err.Error(), "start sandbox nope") {
		t.Errorf("error %v", err)
	}
	img := insideImage(t)
	img.Layers = []string{filepath.Join(t.TempDir(), "absent")}
	if _, err := l.Launch(context.Background(), Spec{Image: img}); err == nil {
		t.Error("a layer that doesn't exist was launched")
	}
	layer := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(layer, "proc")); err != nil {
		t.Fatal(err)
	}
	img.Layers = []string{layer}
	if _, err := l.Launch(context.Background(), Spec{Image: img}); err == nil || !strings.Contains(err.Error(), "/proc") {
		t.Errorf("an image with a link for /proc: %v", err)
	}
}

func stopEndsAll(t testing.TB, l *Launcher) {
	b := run(t, l, Spec{}, "children")
	line(t, b.Stdout) // the child counts
	list := family(b.PID)
	if len(list) != 2 {
		t.Fatalf("processes %v", list)
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if x := b.Exit(); x.Signal != unix.SIGKILL || x.OOM {
		t.Errorf("exit %+v", x)
	}
	for _, pid := range list {
		if !gone(pid) {
			t.Errorf("process %d is there still", pid)
		}
	}
	if err := b.Stop(); err != nil {
		t.Errorf("second stop: %v", err)
	}
	if err := b.Freeze(); err == nil {
		t.Error("a stopped sandbox was frozen")
	}
}

func freezes(t testing.TB, l *Launcher) {
	freezing(t, l, func(b *Sandbox) { still(t, l, b) })
}

// freezing freezes, thaws and stops a sandbox. check is made while it is frozen.
func freezing(t testing.TB, l *Launcher, check func(*Sandbox)) {
	t.Helper()
	b := run(t, l, Spec{}, "children")
	line(t, b.Stdout)
	for range 3 {
		if err := b.Freeze(); err != nil {
			t.Fatal(err)
		}
		check(b)
		if err := b.Thaw(); err != nil {
			t.Fatal(err)
		}
		drain(t, b)
		line(t, b.Stdout) // it goes on
	}
	if err := b.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
}

// still waits until the kernel says that the sandbox is frozen: its cgroup, or
// without one every process of it.
func still(t testing.TB, l *Launcher, b *Sandbox) {
	t.Helper()
	frozen := func() bool {
		for _, dir := range ourCgroups(t, l.pid) {
			for file, want := range map[string]string{"freezer.state": "FROZEN\n", "cgroup.events": "frozen 1\n"} {
				found, _ := filepath.Glob(filepath.Join(dir, "s*", file))
				for _, path := range found {
					if text, _ := os.ReadFile(path); strings.Contains(string(text), want) {
						return true
					}
				}
			}
		}
		for _, pid := range family(b.PID) {
			text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
			if _, rest, _ := strings.Cut(string(text), ") "); !strings.HasPrefix(rest, "T") {
				return false
			}
		}
		return true
	}
	for limit := time.Now().Add(20 * time.Second); !frozen(); {
		if time.Now().After(limit) {
			t.Fatal("it never stood still")
		}
	}
}

// drain reads what the pipe holds.
func drain(t testing.TB, b *Sandbox) {
	t.Helper()
	b.Stdout.SetReadDeadline(time.Now())
	for {
		if _, err := b.Stdout.Read(make([]byte, 65536)); err != nil {
			break
		}
	}
	b.Stdout.SetReadDeadline(time.Time{})
}

func usageCounts(t testing.TB, l *Launcher) {
	b := run(t, l, Spec{}, "spin")
	line(t, b.Stdout)
	var u Usage
	for limit := time.Now().Add(20 * time.Second); u.CPU < 20*time.Millisecond; {
		var err error
		if u, err = b.Usage(); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(limit) {
			t.Fatalf("a spinning program used %v", u.CPU)
		}
	}
	if u.PeakMemory < 100<<10 || u.OOMKills != 0 {
		t.Errorf("usage %+v", u)
	}
	b.Stop()
	if last, err := b.Usage(); err != nil || last.CPU < u.CPU || last.PeakMemory == 0 || last != b.Exit().Usage {
		t.Errorf("last usage %+v, %v; before %+v", last, err, u)
	}
}

func writableRoot(t testing.TB, l *Launcher) {
	if !l.Host().Overlay.OK {
		if _, err := l.Launch(context.Background(), Spec{Image: insideImage(t), Writable: true}); err == nil {
			t.Error("a writable root was promised without overlay")
		}
		img := insideImage(t)
		img.Layers = append(img.Layers, t.TempDir())
		if _, err := l.Launch(context.Background(), Spec{Image: img}); err == nil {
			t.Error("an image of two layers was promised without overlay")
		}
		return
	}
	v := look(t, l, Spec{Writable: true})
	uid0 := l.Host().Rootless // owns the base layer's folders
	if err := v.Writes["/etc/x"]; uid0 != (err == "") {
		t.Errorf("write /etc/x: %q", err)
	}
	for _, path := range []string{"/dev/x", "/proc/sys/kernel/core_pattern", "/sys/x"} {
		if v.Writes[path] == "" {
			t.Errorf("%s could be written", path)
		}
	}
}

func hostNetwork(t testing.TB, l *Launcher) {
	host, _ := os.Readlink("/proc/self/ns/net")
	b := run(t, l, Spec{Network: NetworkHost}, "sleep")
	line(t, b.Stdout)
	if got, err := os.Readlink("/proc/" + strconv.Itoa(b.PID) + "/ns/net"); err == nil && got != host {
		t.Errorf("network namespace %s, want the host's %s", got, host)
	}
	d := run(t, l, Spec{Network: NetworkHost}, "dial", b.Listener.Addr().String())
	greeting(t, b)
	if x := d.Exit(); x.Code != 0 {
		t.Errorf("dial: %v", x)
	}
	if d.Mode != ModeCold {
		t.Errorf("mode %s", d.Mode)
	}
}

func scriptRuns(t testing.TB, l *Launcher) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho script $((6*7)) in $(pwd)\nls /usr/bin/env >&2\ntouch /usr/x 2>/dev/null && echo wrote\nexit 3\n"
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	img := storeImage(t, dir)
	if !img.HostUsr {
		t.Fatalf("image %+v", img)
	}
	b := run(t, l, Spec{Image: img})
	if out := output(t, b); out != "script 42 in /var/task\n" {
		t.Errorf("%q", out)
	}
	if x := b.Exit(); x.Code != 3 {
		t.Error(x)
	}
}

func contextEnds(t testing.TB, l *Launcher) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Launch(ctx, Spec{Image: insideImage(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func fiftyAtOnce(t testing.TB, l *Launcher) {
	img := insideImage(t)
	boxes := make([]*Sandbox, 50)
	if l.runtime.kind == oci && l.runtime.name() == "runsc" {
		boxes = boxes[:10] // each is a kernel of its own: fifty take five seconds
	}
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() {
			b, err := l.Launch(context.Background(), Spec{ID: "s" + strconv.Itoa(i), Image: img, Argv: []string{"/var/task/bootstrap", "sleep"}})
			if err != nil {
				t.Error(err)
				return
			}
			boxes[i] = b
		})
	}
	wg.Wait()
	pids := map[int]bool{}
	for i, b := range boxes {
		if b == nil {
			continue
		}
		if got := line(t, b.Stdout); got != "ready" {
			t.Errorf("sandbox %d: %q", i, got)
		}
		pids[b.PID] = true
	}
	if len(pids) != len(boxes) {
		t.Errorf("%d processes of %d", len(pids), len(boxes))
	}
	for _, b := range boxes {
		if b != nil {
			wg.Go(func() {
				b.Stop()
				b.Close()
			})
		}
	}
	wg.Wait()
}
