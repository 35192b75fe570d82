package launch

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

var update = flag.Bool("update", false, "write golden files anew")

func testStage() *stage {
	return &stage{overlay: true, self: 25, fds: 26, files: []string{"proc/kcore"}, dirs: []string{"proc/acpi"}, readonly: []string{"proc/sys"}, hostDirs: []string{"usr"}}
}

func testSpec() *Spec {
	return &Spec{
		ID: "f-1", Argv: []string{"/var/task/bootstrap"}, Env: []string{"A=b"}, TmpBytes: DefaultTmpBytes,
		Image: image.Image{Layers: []string{"/x"}},
	}
}

func testCgroups() *cgroups { return &cgroups{all: []*hierarchy{{fd: 20}, {fd: 21}}} }

// coldScript is all that the child of a cold start does.
func coldScript(st *stage, g *cgroups, spec *Spec, layers []string, ns int) *script {
	s := &script{}
	st.compile()
	st.streams(s, 23, 24)
	if spec.Writable {
		st.written(s, spec, layers)
	} else {
		st.inherited(s, spec)
	}
	st.joinCgroups(s, g, "s7")
	if ns >= 0 {
		st.joinNetwork(s, ns)
	}
	st.secure(s, spec)
	s.stamp(atExec)
	s.execve(spec.Argv[0], spec.Argv, spec.Env)
	return s
}

// TestScriptText is what a launch as root does, line by line.
func TestScriptText(t *testing.T) {
	golden := filepath.Join("testdata", "script.txt")
	got := coldScript(testStage(), testCgroups(), testSpec(), []string{"/l/1"}, 22).String()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the script changed (-update writes it anew):\n%s", got)
	}
}

func TestScriptVariants(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(st *stage, g *cgroups, spec *Spec, layers *[]string, ns *int)
		has    []string
		not    []string
	}{
		{"without root nobody changes users", func(st *stage, _ *cgroups, _ *Spec, _ *[]string, _ *int) { st.rootless = true }, []string{"capset", "seccomp"}, []string{"setresuid", "setgroups", "gid=5"}},
		{"the host's network is not left", func(_ *stage, _ *cgroups, _ *Spec, _ *[]string, ns *int) { *ns = -1 }, nil, []string{"setns"}},
		{"without cgroups nothing is written", func(_ *stage, g *cgroups, _ *Spec, _ *[]string, _ *int) { g.all = nil }, []string{"unshare(0x2000000) ?"}, []string{"write("}},
		{"a version 2 cgroup is not entered, but born in", func(_ *stage, g *cgroups, _ *Spec, _ *[]string, _ *int) {
			g.all = []*hierarchy{{v2: true, fd: 20}}
		}, []string{"unshare(0x2000000)\n"}, []string{"write("}},
		{"a user namespace mounts a proc beside the host's and leaves that", func(st *stage, _ *cgroups, _ *Spec, _ *[]string, _ *int) { st.rootless = true }, []string{`mount("proc", "/tmp", "proc"`, `umount2("/proc", 2)`, `mount("/tmp", "/proc", 0, 0x2000`}, nil},
		{"a writable root has an upper layer in memory", func(_ *stage, _ *cgroups, spec *Spec, _ *[]string, _ *int) { spec.Writable = true }, []string{"upperdir=/s/upper", `mkdirat(-100, "/s/work"`, "pivot_root", `umount2(".", 2)`}, nil},
		{"the host's libraries are bound into it", func(_ *stage, _ *cgroups, spec *Spec, _ *[]string, _ *int) {
			spec.Writable, spec.Image.HostUsr = true, true
		}, []string{`mount("/host/usr", "/mnt/usr"`, "lowerdir=/hostbase:/l/1"}, nil},
		{"layers are stacked in order below the base", func(_ *stage, _ *cgroups, spec *Spec, layers *[]string, _ *int) {
			spec.Writable, *layers = true, []string{"/l/2", "/l/1"}
		}, []string{"lowerdir=/base:/l/2:/l/1,"}, nil},
		{"/tmp has the size that was asked for", func(_ *stage, _ *cgroups, spec *Spec, _ *[]string, _ *int) { spec.TmpBytes = 1 << 20 }, []string{`"mode=1777,size=1048576,nr_inodes=257")`}, nil},
		{"a lean sandbox sees processes alone", func(st *stage, _ *cgroups, _ *Spec, _ *[]string, _ *int) { st.lean = true }, []string{`"subset=pid"`, `"/dev/shm"`}, []string{"devpts", "mqueue", "kcore"}},
	} {
		st, g, spec, layers, ns := testStage(), testCgroups(), testSpec(), []string{"/l/1"}, 22
		c.change(st, g, spec, &layers, &ns)
		text := coldScript(st, g, spec, layers, ns).String()
		for _, s := range c.has {
			if !strings.Contains(text, s) {
				t.Errorf("%s: no %s in\n%s", c.rule, s, text)
			}
		}
		for _, s := range c.not {
			if strings.Contains(text, s) {
				t.Errorf("%s: %s in\n%s", c.rule, s, text)
			}
		}
	}
}

func TestScriptRuns(t *testing.T) {
	s := &script{}
	s.stamp(3)
	s.exit(0)
	c, err := s.clone(0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if c.wait() || c.err() != nil {
		t.Fatal("the child is still here: ", c.err())
	}
	unix.Wait4(c.pid, nil, 0, nil)
	if c.stamp(3) == 0 || c.stamp(2) != 0 {
		t.Errorf("stamps %v", c.stamps)
	}
}

func TestScriptTellsWhatFailed(t *testing.T) {
	s := &script{}
	s.call(mayFail, unix.SYS_CHDIR, "/nowhere-1")
	s.call(0, unix.SYS_CHDIR, "/nowhere-2")
	s.exit(0)
	err := s.try(0)
	if !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), `chdir("/nowhere-2")`) {
		t.Errorf("error %v", err)
	}
	if list := s.forbidden(); !slices.Equal(list, []string{`chdir("/nowhere-1") ?: no such file or directory`}) {
		t.Errorf("forbidden %q", list)
	}
}

// TestScriptStopsForTheDead says that a child whose parent was killed, which a
// death signal asked for afterwards doesn't tell, notices by itself.
func TestScriptStopsForTheDead(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	check := func() error {
		s := &script{}
		s.dieWith(fd)
		s.exit(0)
		return s.try(0)
	}
	if err := check(); err != nil {
		t.Errorf("a living parent: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if err := check(); !errors.Is(err, unix.ESRCH) {
		t.Errorf("a dead parent: %v", err)
	}
}

// TestChildDropsHandlers says that no handler of the Go runtime is in a child.
func TestChildDropsHandlers(t *testing.T) {
	signal.Notify(make(chan os.Signal, 1), unix.SIGUSR1)
	defer signal.Reset(unix.SIGUSR1)
	old := new([4]uint64) // struct sigaction of the kernel, handler first
	s := &script{keep: []any{old}}
	s.call(0, unix.SYS_RT_SIGACTION, int(unix.SIGUSR1), 0, uintptr(unsafe.Pointer(old)), 8)
	s.exit(0)
	old[0] = 1
	if err := s.try(0); err != nil {
		t.Fatal(err)
	}
	if old[0] != 0 {
		t.Errorf("handler %#x", old[0])
	}
}

func TestScriptSavesAResult(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	s := &script{}
	s.call(save, unix.SYS_OPENAT, unix.AT_FDCWD, path, unix.O_WRONLY|unix.O_CREAT, 0o600)
	s.call(useSaved, unix.SYS_WRITE, 0, "hello", 5)
	s.exit(0)
	if err := s.try(0); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
}

// TestManyChildren clones from many threads while others allocate: what a child
// leaves on the stack or in the heap must not reach its parent.
func TestManyChildren(t *testing.T) {
	done := make(chan struct{})
	go func() {
		var sink [][]byte
		for {
			select {
			case <-done:
				return
			default:
				sink = append(sink[:len(sink)%64], make([]byte, 4096))
			}
		}
	}()
	defer close(done)
	errs := make(chan error)
	for range 8 {
		go func() {
			var err error
			for range 100 {
				s := &script{}
				for range 20 {
					s.stamp(0)
				}
				s.exit(0)
				err = errors.Join(err, s.try(0))
			}
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestTrialTellsWhatIsForbidden says that what a trial found is what sandboxes find.
func TestTrialTellsWhatIsForbidden(t *testing.T) {
	for _, rootless := range []bool{false, true} {
		l := start(t, Config{Rootless: rootless})
		b := run(t, l, Spec{}, "exit", "0")
		calls := func(list []string) (calls []string) {
			for _, s := range list {
				call, _, _ := strings.Cut(s, " ")
				calls = append(calls, call)
			}
			return calls
		}
		if got, want := calls(b.Lacks), calls(l.Host().Lacks); !slices.Equal(got, want) {
			t.Errorf("rootless %v: a sandbox lacks %q, the trial %q", rootless, got, want)
		}
	}
}
