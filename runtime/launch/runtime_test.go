package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

// The suite runs against every launcher there is.

func TestConformanceProcess(t *testing.T) { conformance(t, Config{Runtime: RuntimeProcess}) }
func TestConformanceRunc(t *testing.T)    { conformance(t, Config{Runtime: "oci:runc"}) }
func TestConformanceCrun(t *testing.T)    { conformance(t, Config{Runtime: "oci:crun"}) }
func TestConformanceRunsc(t *testing.T)   { conformance(t, Config{Runtime: "oci:runsc"}) }

// needRuntime skips where an OCI runtime isn't installed.
func needRuntime(t *testing.T, c Config) {
	t.Helper()
	if _, err := ParseRuntime(c.Runtime); err != nil {
		skip(t, "%v (make deps)", err)
	}
}

// promise is what a launcher holds in place of a rule that it can't by its
// nature: the other way about, where that says anything.
type promise struct {
	why  string
	test func(testing.TB, *Launcher)
}

// promises are by launcher and rule.
var promises = map[string]map[string]promise{
	"process": {
		"it is process 1 and sees no other":                                    {"it is a process of the host", seesTheHost},
		"it has no capability and can gain none":                               {"it has the rights of who started it", hasOurRights},
		"it has the user, host name, folder and environment that it was given": {"it has the user and the name of the host", hasTheHostsPlace},
		"it writes to its own folders in memory alone":                         {"its folders are the host's", nil},
		"it sees devices, and kernel files masked":                             {"it sees the host's", nil},
		"it is held to its devices by its cgroup":                              {"it opens what its user may", nil},
		"it sees no mount of the host":                                         {"it sees all of them", seesHostMounts},
		"forbidden calls fail":                                                 {"it has no filter, and its rights are those of who started it", nil},
		"its network is loopback with the listening socket":                    {"its network is the host's", listensOnTheHost},
		"a server inside is reached from outside":                              {"a port without listener may have one on the host", serverOnTheHost},
		"two share no state":                                                   {"they share the host's /tmp", nil},
		"a program that can't run is an error":                                 {"layers aren't mounted: what they hold elsewhere is never seen", hostCannotRun},
		"a writable root takes writes":                                         {"it has no root of its own", refusesWritable},
		"layers of an image hide what they say they hide":                      {"it mounts none", refusesLayers},
		"a script runs with the host's programs":                               {"it could write to them, which isn't tried", hostScriptRuns},
	},
	"builtin, of an ordinary user": {"it is held to its devices by its cgroup": rootRestricts},
	"runc, of an ordinary user":    {"it is held to its devices by its cgroup": rootRestricts},
	"crun, of an ordinary user":    {"it is held to its devices by its cgroup": rootRestricts},
	"runsc, of an ordinary user": {
		"usage counts processor time and memory": {"without cgroups the time of gVisor's processes is lost at their end", nil},
	},
	"runsc": {
		"it is held to its devices by its cgroup":                             {"it is told to ignore cgroups (quirks): its devices are gVisor's own", nil},
		"its limits on files and cores are set":                               {"gVisor's /proc doesn't tell limits", nil},
		"frozen it stands still, thawed it goes on, frozen it can be stopped": {"the version 1 freezer never says of traced processes that they are frozen", freezesGvisor},
		"stop ends it and all its processes":                                  {"its processes are gVisor's, not the host's", stopEndsGvisor},
	},
}

// rootRestricts stands for the devices of an ordinary user's sandboxes.
var rootRestricts = promise{"the kernel lets only the host's root restrict devices", devicesAreNot}

// deviation is a complaint of the suite's that is known of an OCI runtime. One
// that is no longer made fails as one that is new.
type deviation struct {
	runtimes []string
	rule     string
	says     string // regular expression
	why      string
	user     bool // of an ordinary user's alone
}

var (
	everyOCI = []string{"runc", "crun", "runsc"}

	deviations = []deviation{
		{everyOCI, "it has the user, host name, folder and environment that it was given", `environment \["A=b" "EMPTY=" "HOME=`, "runtimes add HOME", false},
		{[]string{"crun"}, "it is held to its devices by its cgroup", `console \(5:1\): "<nil>"`, "crun allows the console too, of which it makes no node", false},
		{[]string{"runc", "crun"}, "it sees no mount of the host", `^/(proc|sys)/\S+ without nosuid`, "masks are mounted without it", false},
		{[]string{"runsc"}, "it has no capability and can gain none", `^(CapAmb|NoNewPrivs|SigBlk|SigIgn) = ,?`, "gVisor's /proc/self/status doesn't tell", false},
		{[]string{"runsc"}, "it has no capability and can gain none", `^Seccomp = 0`, "the filter is on gVisor itself, not on the program in it", false},
		{[]string{"runsc"}, "it holds no file but the standard streams", `host:\[`, "gVisor names streams in its own way", false},
		{[]string{"runsc"}, "it sees devices, and kernel files masked", `^/dev holds`, "gVisor's /dev has fuse, and no mqueue", false},
		{[]string{"runsc"}, "it sees no mount of the host", `without nosuid`, "gVisor doesn't tell nosuid", false},
		{[]string{"runsc"}, "it sees no mount of the host", `^/dev is writable`, "its devices could not be written to otherwise (quirks)", false},
		{[]string{"runsc"}, "forbidden calls fail", `^(mknod|unshare mount): ""`, "gVisor answers calls itself: they reach nothing of the host's", false},
		{[]string{"runsc"}, "it writes to its own folders in memory alone", `^write /dev/x`, "its /dev is open (quirks), and the user's own", true},
		{[]string{"runsc"}, "a writable root takes writes", `^/dev/x could be written`, "the same", true},
	}
)

// judge holds a launcher to a rule, or to what it promises in its place.
func judge(t *testing.T, l *Launcher, rule string, test func(testing.TB, *Launcher)) {
	name := l.runtime.kindName()
	p, ok := promises[name][rule]
	if !ok && l.Host().Rootless {
		p, ok = promises[name+", of an ordinary user"][rule]
	}
	if ok {
		t.Logf("not promised by %s: %s", name, p.why)
		if p.test != nil {
			p.test(t, l)
		}
		return
	}
	j := &lenient{TB: t, seen: map[string]bool{}}
	for _, d := range deviations {
		if d.rule == rule && slices.Contains(d.runtimes, name) && (!d.user || l.Host().Rootless) {
			j.known = append(j.known, d)
		}
	}
	test(j, l)
	for _, d := range j.known {
		if !j.seen[d.says] {
			t.Errorf("%s no longer deviates (%s): strike %q from the list", name, d.why, d.says)
		}
	}
}

// kindName is a launcher's in the tables above.
func (r Runtime) kindName() string {
	if r.kind == oci {
		return r.name()
	}
	return r.String()
}

// lenient takes note of complaints that are known.
type lenient struct {
	testing.TB
	known []deviation
	seen  map[string]bool
}

func (j *lenient) Errorf(format string, args ...any) {
	j.Helper()
	j.complain(fmt.Sprintf(format, args...))
}

func (j *lenient) Error(args ...any) {
	j.Helper()
	j.complain(strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

func (j *lenient) complain(text string) {
	j.Helper()
	for _, d := range j.known {
		if regexp.MustCompile(d.says).MatchString(text) {
			j.seen[d.says] = true
			return
		}
	}
	j.TB.Error(text)
}

func seesTheHost(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	if v.PID == 1 || !slices.Contains(v.Processes, os.Getpid()) || !slices.Contains(v.Processes, v.PID) {
		t.Errorf("pid %d among %v, without this test's %d", v.PID, v.Processes, os.Getpid())
	}
	if got := v.Status["PPid"]; got != strconv.Itoa(l.pid) {
		t.Errorf("parent %s, want the launcher, %d", got, l.pid)
	}
}

func hasOurRights(t testing.TB, l *Launcher) {
	v := look(t, l, Spec{})
	ours, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp"} {
		if want := key + ":\t" + v.Status[key] + "\n"; !strings.Contains(string(ours), want) {
			t.Errorf("%s is not this process's", want)
		}
	}
	for _, key := range []string{"SigBlk", "SigIgn"} {
		if got := v.Status[key]; got != "0000000000000000" {
			t.Errorf("%s = %s", key, got)
		}
	}
}

func hasTheHostsPlace(t testing.TB, l *Launcher) {
	s := Spec{ID: "place-1", Env: []string{"A=b", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001", "LAMBDA_TASK_ROOT=/var/task"}, Image: insideImage(t)}
	v := look(t, l, s)
	host, _ := os.Hostname()
	if v.UID != os.Getuid() || v.GID != os.Getgid() || v.Hostname != host {
		t.Errorf("uid %d, gid %d on %s", v.UID, v.GID, v.Hostname)
	}
	task := s.Image.Layers[0] + TaskDir
	if v.Dir != task || len(v.Env) != 4 || v.Env[0] != "A=b" || v.Env[2] != "LAMBDA_TASK_ROOT="+task || !strings.HasPrefix(v.Env[3], markVariable+"=") {
		t.Errorf("folder %s, environment %q", v.Dir, v.Env)
	}
	if api := v.Env[1]; !strings.HasPrefix(api, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:") || strings.HasSuffix(api, ":9001") {
		t.Errorf("%s, want a free port", api)
	}
}

func seesHostMounts(t testing.TB, l *Launcher) {
	if v := look(t, l, Spec{}); strings.Join(v.Mounts, "\n") != strings.TrimSpace(mounts(t)) {
		t.Errorf("mounts %q, the host's are\n%s", v.Mounts, mounts(t))
	}
}

func listensOnTheHost(t testing.TB, l *Launcher) {
	a := run(t, l, Spec{}, "sleep")
	run(t, l, Spec{}, "dial", a.Listener.Addr().String())
	greeting(t, a)
}

func serverOnTheHost(t testing.TB, l *Launcher) {
	b := run(t, l, Spec{}, "serve")
	conn, err := b.DialContext(context.Background(), "tcp", line(t, b.Stdout))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := make([]byte, len("served")); func() bool { _, err := conn.Read(got); return err != nil || string(got) != "served" }() {
		t.Errorf("%q", got)
	}
}

func hostCannotRun(t testing.TB, l *Launcher) {
	img := insideImage(t)
	for _, c := range []struct {
		spec Spec
		says string
	}{
		{Spec{Image: img, Argv: []string{"/var/task/absent"}}, "execve"},
		{Spec{Image: img, Argv: []string{"/usr/bin/true"}}, "runs what is in /var/task"},
		{Spec{Image: img, Dir: "/tmp"}, "runs what is in /var/task"},
		{Spec{Image: img, Argv: []string{"/var/task/../../bin/true"}}, "runs what is in /var/task"},
		{Spec{Image: image.Image{Layers: []string{img.Layers[0], t.TempDir()}, Argv: img.Argv}}, "one layer"},
	} {
		if _, err := l.Launch(context.Background(), c.spec); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v in %s: error %v, want %q", c.spec.Argv, c.spec.Dir, err, c.says)
		}
	}
}

func hostScriptRuns(t testing.TB, l *Launcher) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("#!/bin/sh\necho script $((6*7)) in $(pwd)\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	img := storeImage(t, dir)
	b := run(t, l, Spec{Image: img})
	if out := output(t, b); out != "script 42 in "+img.Layers[0]+"/var/task\n" {
		t.Errorf("%q", out)
	}
	if x := b.Exit(); x.Code != 3 {
		t.Error(x)
	}
}

func refusesWritable(t testing.TB, l *Launcher) {
	if _, err := l.Launch(context.Background(), Spec{Image: insideImage(t), Writable: true}); err == nil {
		t.Error("a writable root was promised")
	}
}

func refusesLayers(t testing.TB, l *Launcher) {
	img := insideImage(t)
	img.Layers = append(img.Layers, t.TempDir())
	if _, err := l.Launch(context.Background(), Spec{Image: img}); err == nil {
		t.Error("an image of two layers was promised")
	}
}

func stopEndsGvisor(t testing.TB, l *Launcher) {
	b := run(t, l, Spec{}, "children")
	line(t, b.Stdout)
	list := family(b.PID)
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if x := b.Exit(); x.Signal != unix.SIGKILL || x.OOM {
		t.Errorf("exit %+v", x)
	}
	for _, pid := range list {
		waitGone(t, pid)
	}
}

func freezesGvisor(t testing.TB, l *Launcher) {
	freezing(t, l, func(*Sandbox) {})
}

// TestProcessLeavesNoOrphan says that what a program of the process launcher
// leaves behind ends with it: a child whose parent has exited, and at the latest
// with the launcher one that left the session too.
func TestProcessLeavesNoOrphan(t *testing.T) {
	l, err := Start(Config{Runtime: RuntimeProcess})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\n" + "sleep 1000 >/dev/null 2>&1 & echo $!\n" + "setsid sleep 1000 >/dev/null 2>&1 & echo $!\n" + "exit 0\n"
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := l.Launch(context.Background(), Spec{Image: storeImage(t, dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var pids []int
	for range 2 {
		pid, err := strconv.Atoi(line(t, b.Stdout))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	<-b.Done()
	if !gone(pids[0]) {
		t.Errorf("process %d outlived its session", pids[0])
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	waitGone(t, pids[1])
}

// TestDaemonDeathOfRuntimes kills the daemon: what it had started by another
// launcher ends too, though a container asks for no signal of that, and neither
// does the child of a process.
func TestDaemonDeathOfRuntimes(t *testing.T) {
	for _, c := range []Config{
		{Runtime: RuntimeProcess}, {Runtime: "oci:crun"}, {Runtime: "oci:crun", Rootless: true}, {Runtime: "oci:runsc"},
	} {
		t.Run(fmt.Sprint(c.Runtime, " rootless ", c.Rootless), func(t *testing.T) {
			needRuntime(t, c)
			l, err := Start(c)
			if err != nil {
				t.Fatal(err)
			}
			boxes := []*Sandbox{run(t, l, Spec{}, "children"), run(t, l, Spec{}, "children")}
			var pids []int
			for _, b := range boxes {
				line(t, b.Stdout)
				pids = append(pids, family(b.PID)...)
			}
			if err := boxes[1].Freeze(); err != nil {
				t.Fatal(err)
			}
			if err := unix.Kill(l.pid, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
			for _, b := range boxes {
				<-b.Done()
			}
			l.Close() // says how the process ended, unless that was noticed before
			for _, pid := range pids {
				waitGone(t, pid)
			}
			if left := ourCgroups(t, l.pid); len(left) > 0 {
				t.Errorf("cgroups left: %v", left)
			}
		})
	}
}

// TestAwait says that the end of a child is heard of whenever it comes, and that
// an orphan's is taken for nobody else's.
func TestAwait(t *testing.T) {
	d := &daemon{runtime: Runtime{kind: oci}, early: map[int]death{}}
	told := func(pid int, at results.Stamp) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.unbooked(pid, death{at: at})
	}
	land := d.fly()
	told(7, 100)
	if x, late := d.await(7, 50, time.Hour); x.at != 100 || late {
		t.Errorf("a child that had ended before it was waited for: %v, late %v", x.at, late)
	}
	told(7, 100) // an orphan's, and then the pid is given again
	done := make(chan death)
	go func() {
		x, _ := d.await(7, 150, time.Hour)
		done <- x
	}()
	for waited := false; !waited; {
		d.mu.Lock()
		waited = d.others.waited[7] != nil
		d.mu.Unlock()
	}
	told(7, 200)
	if x := <-done; x.at != 200 {
		t.Errorf("the end of another child was taken: %v", x.at)
	}
	told(8, 300)
	land()
	told(9, 400)
	if len(d.early) != 0 {
		t.Errorf("the ends of orphans are kept: %v", d.early)
	}
}

// TestContainersLeaveNothing launches often enough, well and badly, that what is
// kept of each would show: descriptors, mounts, bundles, the runtime's state.
func TestContainersLeaveNothing(t *testing.T) {
	c := Config{Runtime: "oci:crun"}
	needRuntime(t, c)
	l := start(t, c)
	img, bad := firstImage(t), firstImage(t)
	bad.Argv = []string{"/var/task/absent"}
	launch := func(n int) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if _, _, _, err := l.First(context.Background(), Spec{Image: img, Writable: i%2 == 0}); err != nil {
					t.Error(err)
				}
				if _, err := l.Launch(context.Background(), Spec{Image: bad, Writable: i%2 == 0}); err == nil {
					t.Error("launched what isn't there")
				}
			})
		}
		wg.Wait()
	}
	count := func() (fds, mounts, left int) {
		for _, thread := range foldersIn(fmt.Sprintf("/proc/%d/task", l.pid)) {
			info, _ := os.ReadFile(thread + "/mountinfo")
			mounts = max(mounts, strings.Count(string(info), "\n"))
		}
		for _, thread := range foldersIn(fmt.Sprintf("/proc/%d/task", l.pid)) {
			for _, top := range []string{"/mnt", "/media", "/srv", "/home"} {
				if base := thread + "/root" + top; foldersIn(base+"/b") != nil || foldersIn(base+"/state") != nil {
					left = max(left, len(foldersIn(base+"/b"))+len(foldersIn(base+"/state")))
				}
			}
		}
		return countFiles(t, l.pid), mounts, left
	}
	alive, err := l.Launch(context.Background(), Spec{Image: img})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, left := count(); left != 2 {
		t.Fatalf("%d folders are seen of a living container, want its bundle and its state", left)
	}
	alive.Stop()
	alive.Close()
	launch(4)
	fds, mounts, _ := count()
	launch(16)
	for limit := time.Now().Add(20 * time.Second); ; {
		fds2, mounts2, left := count()
		if fds2 <= fds+8 && mounts2 == mounts && left == 0 {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("%d descriptors, %d mounts, %d folders; before %d, %d, 0", fds2, mounts2, left, fds, mounts)
		}
	}
}

func countFiles(t *testing.T, pid int) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestContainerLimits says that an OCI runtime's sandbox is held to its limits,
// and that its end for its memory is told.
func TestContainerLimits(t *testing.T) {
	for _, name := range []string{"runc", "crun", "runsc"} {
		t.Run(name, func(t *testing.T) {
			c := Config{Runtime: "oci:" + name}
			needRuntime(t, c)
			l := limited(t, c)
			b := run(t, l, Spec{MemoryBytes: 160 << 20, CPUs: 0.5, Pids: 200}, "memory")
			for dir, want := range map[string]string{"cpu.cfs_quota_us": "10000", "cpu.max": "10000 20000", "pids.max": "200"} {
				if got := boxFile(t, l, dir); got != "" && got != want {
					t.Errorf("%s %q, want %q", dir, got, want)
				}
			}
			io.Copy(io.Discard, b.Stdout)
			if x := b.Exit(); !x.OOM || x.Usage.PeakMemory > 161<<20 || x.Usage.PeakMemory < 100<<20 {
				t.Errorf("exit %+v", x)
			}
		})
	}
}

// boxFile reads a file of the only sandbox's cgroups; "" if there is none.
func boxFile(t *testing.T, l *Launcher, name string) string {
	t.Helper()
	for _, dir := range ourCgroups(t, l.pid) {
		found, _ := filepath.Glob(filepath.Join(dir, "s*", name))
		for _, f := range found {
			text, _ := os.ReadFile(f)
			return strings.TrimSpace(string(text))
		}
	}
	return ""
}

// TestAllowedNames says that the profile of OCI runtimes allows by name what the
// builtin filter allows by number.
func TestAllowedNames(t *testing.T) {
	numbers := callNumbers(t, goruntime.GOARCH)
	fates := map[uint32]bool{}
	for _, nr := range allowed {
		fates[nr] = true
	}
	named := map[uint32]bool{}
	for _, name := range allowedNames {
		if nr, ok := numbers[name]; ok { // else it is another processor's
			named[nr] = true
			if !fates[nr] {
				t.Errorf("%s is allowed by name alone", name)
			}
		}
	}
	for name, nr := range numbers {
		if fates[nr] && !named[nr] {
			t.Errorf("%s is allowed by number alone", name)
		}
	}
	if len(named) != len(allowed) || !slices.IsSorted(allowedNames) {
		t.Errorf("%d calls named, %d numbered; in order: %v", len(named), len(allowed), slices.IsSorted(allowedNames))
	}
}

func TestParseRuntime(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"crun", "plain"} {
		mode := os.FileMode(0o755)
		if name == "plain" {
			mode = 0o644
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	crun := filepath.Join(dir, "crun")
	for _, c := range []struct{ in, want, says string }{
		{"", "builtin", ""},
		{"builtin", "builtin", ""},
		{"process", "process", ""},
		{"oci:crun", "oci:" + crun, ""},
		{"oci:" + crun, "oci:" + crun, ""},
		{"oci:", "", `unknown launcher "oci:"`},
		{"docker", "", `unknown launcher "docker"`},
		{"oci:absent", "", "not found"},
		{"oci:" + dir + "/plain", "", "permission denied"},
		{"oci:" + dir, "", "is a directory"},
		{"oci:kata-runtime", "", "veth"},
		{"oci:/opt/bin/containerd-shim-kata-v2", "", "veth"},
	} {
		r, err := ParseRuntime(c.in)
		if c.says == "" && (err != nil || r.String() != c.want) {
			t.Errorf("%q: %v, %v, want %s", c.in, r, err, c.want)
		}
		h := (*image.Hint)(nil)
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !errors.As(err, &h)) {
			t.Errorf("%q: error %v, want %q with a hint", c.in, err, c.says)
		}
	}
}

func FuzzParseRuntime(f *testing.F) {
	for _, s := range []string{"", "builtin", "process", "oci:runc", "oci:/bin/sh", "oci:", "oci:./x", "oci:kata"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRuntime(s)
		if err != nil {
			if r != (Runtime{}) {
				t.Errorf("%q: %v beside an error", s, r)
			}
			return
		}
		if again, err := ParseRuntime(r.String()); err != nil || again != r {
			t.Errorf("%q is %v, which is %v, %v", s, r, again, err)
		}
	})
}

// BenchmarkFirstByRuntime is the time from the ask to the program's first
// instruction, by each launcher.
func BenchmarkFirstByRuntime(b *testing.B) {
	for _, name := range []string{RuntimeBuiltin, RuntimeProcess, "oci:crun", "oci:runc", "oci:runsc"} {
		b.Run(name, func(b *testing.B) {
			if _, err := ParseRuntime(name); err != nil {
				b.Skip(err)
			}
			l, img := start(b, Config{Runtime: name}), firstImage(b)
			var total []time.Duration
			for range b.N {
				st, first, _, err := l.First(context.Background(), Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1})
				if err != nil {
					b.Fatal(err)
				}
				total = append(total, first.Sub(st.Ask))
			}
			slices.Sort(total)
			b.ReportMetric(float64(total[len(total)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(total[0].Microseconds()), "min-µs")
		})
	}
}
