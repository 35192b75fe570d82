package launch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// limited starts a launcher that holds sandboxes to limits, or skips.
func limited(t *testing.T, c Config) *Launcher {
	t.Helper()
	l := start(t, c)
	if !l.Host().Limits() && l.Host().Rootless {
		t.Skipf("an ordinary user has no limits here: %v", l.Host().Missing())
	} else if !l.Host().Limits() {
		skip(t, "no limits here: %v", l.Host().Missing())
	}
	return l
}

func TestForkBombIsBounded(t *testing.T) {
	l := limited(t, Config{})
	b := run(t, l, Spec{Pids: 64}, "forkbomb")
	n, err := strconv.Atoi(strings.TrimSpace(output(t, b)))
	if err != nil || n == 0 || n >= 64 {
		t.Errorf("%d processes started (%v), want fewer than 64", n, err)
	}
}

func TestMemoryBombIsKilledAndTold(t *testing.T) {
	l := limited(t, Config{})
	b := run(t, l, Spec{MemoryBytes: 96 << 20}, "memory")
	io.Copy(io.Discard, b.Stdout)
	x := b.Exit()
	if !x.OOM || x.Usage.OOMKills < 1 || x.Signal != unix.SIGKILL || x.String() != "out of memory" {
		t.Errorf("exit %+v", x)
	}
	if x.Usage.PeakMemory > 97<<20 || x.Usage.PeakMemory < 48<<20 {
		t.Errorf("peak %d", x.Usage.PeakMemory)
	}
}

// TestMemoryOfAChildEndsAll says that a sandbox that lost a process for its memory
// ends, where the kernel can do that at once: in version 2.
func TestMemoryOfAChildEndsAll(t *testing.T) {
	l := limited(t, Config{})
	if !strings.HasPrefix(l.Host().Memory.Reason, "cgroup v2") {
		t.Skip("memory.oom.group is version 2's: TestVirtualMachine runs this")
	}
	b := run(t, l, Spec{MemoryBytes: 96 << 20}, "memory child")
	if _, err := b.Stdout.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the parent went on (%v)", err)
	}
	if x := b.Exit(); !x.OOM || x.Signal != unix.SIGKILL {
		t.Errorf("exit %+v", x)
	}
}

func TestQuotaIsSetAndChanged(t *testing.T) {
	l := limited(t, Config{})
	b := run(t, l, Spec{CPUs: 0.5}, "sleep")
	quota := func() string {
		for _, dir := range ourCgroups(t, l.pid) {
			for _, file := range []string{"cpu.cfs_quota_us", "cpu.max"} {
				found, _ := filepath.Glob(filepath.Join(dir, "s*", file))
				for _, f := range found {
					text, _ := os.ReadFile(f)
					return strings.TrimSpace(string(text))
				}
			}
		}
		return "no file"
	}
	if got := quota(); got != "10000" && got != "10000 20000" {
		t.Errorf("quota %q", got)
	}
	if err := b.SetCPU(0); err != nil {
		t.Fatal(err)
	}
	if got := quota(); got != "-1" && !strings.HasPrefix(got, "max ") {
		t.Errorf("quota %q after it was lifted", got)
	}
}

func TestQuota(t *testing.T) {
	for _, c := range []struct {
		rule string
		cpus float64
		want int64
	}{
		{"0 is no limit", 0, -1},
		{"as many as the host has is no limit", float64(hostCPUs), -1},
		{"a share is a share of the period", 0.25, 5000},
		{"128 MB of Lambda's 1769 for a processor", 128.0 / 1769, 1447},
		{"not below what the kernel accepts", 0.001, 1000},
	} {
		if got := quotaUS(c.cpus); got != c.want {
			t.Errorf("%s: %d, want %d", c.rule, got, c.want)
		}
	}
}

// TestDaemonKeepsNothing launches and stops often enough that a descriptor or
// mount kept by each would show.
func TestDaemonKeepsNothing(t *testing.T) {
	l := start(t, Config{Pool: 2})
	img := firstImage(t)
	count := func() (fds int) {
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", l.pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	launch := func(n int) {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				if _, _, _, err := l.First(context.Background(), Spec{Image: img}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	launch(20)
	before := count()
	launch(200)
	if after := count(); after > before+40 { // two pooled ones hold eight each; a leak would show as 200
		t.Errorf("%d descriptors after 200 launches, %d before", after, before)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.boxes) != 0 || len(l.pending) != 0 {
		t.Errorf("client remembers %d sandboxes, %d asks", len(l.boxes), len(l.pending))
	}
}

// TestThousandAlive holds the promise of 1,000 sandboxes at once, launched in a burst.
func TestThousandAlive(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand sandboxes in -short")
	}
	var lim unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &lim)
	if lim.Cur < 6000 {
		skip(t, "%d open files allowed, 1,000 sandboxes need 6,000", lim.Cur)
	}
	l := start(t, Config{Pool: 8})
	img := firstImage(t)
	boxes := make(chan *Sandbox, 1000)
	var wg sync.WaitGroup
	for range cap(boxes) {
		wg.Go(func() {
			b, err := l.Launch(context.Background(), Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := io.ReadFull(b.Stdout, make([]byte, 1)); err != nil {
				t.Errorf("%v: %v", err, b.Exit())
			}
			boxes <- b
		})
	}
	wg.Wait()
	close(boxes)
	if len(boxes) != cap(boxes) {
		t.Errorf("%d of %d alive", len(boxes), cap(boxes))
	}
	for b := range boxes {
		b.Close()
	}
}

// TestEngineDeath kills the client without a word: the daemon must end all and go.
func TestEngineDeath(t *testing.T) {
	if os.Getenv("COLDSTORM_TEST_ENGINE") != "" {
		engine(t)
		return
	}
	img := insideImage(t)
	for _, rootless := range []string{"", "1"} {
		if rootless == "1" && os.Geteuid() != 0 {
			continue
		}
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestEngineDeath$")
		cmd.Env = append(os.Environ(), "COLDSTORM_TEST_ENGINE="+img.Layers[0], "COLDSTORM_TEST_ROOTLESS="+rootless)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var daemon int
		pids := make([]int, 3)
		r := bufio.NewReader(out)
		if _, err := fmt.Fscan(r, &daemon, &pids[0], &pids[1], &pids[2]); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		for _, pid := range append(pids, daemon) {
			waitGone(t, pid)
		}
		if left := ourCgroups(t, daemon); len(left) > 0 {
			t.Errorf("cgroups left: %v", left)
		}
	}
}

// waitGone waits until a process, which need not be a child, has ended.
func waitGone(t testing.TB, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	} else if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 30_000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Fatalf("process %d is there still (%v)", pid, err)
		}
		return
	}
}

// engine is what TestEngineDeath kills: it has a running, a frozen and a busy sandbox.
func engine(t *testing.T) {
	l, err := Start(Config{Pool: 2, Rootless: os.Getenv("COLDSTORM_TEST_ROOTLESS") != ""})
	if err != nil {
		t.Fatal(err)
	}
	s := Spec{}
	s.Image.Layers = []string{os.Getenv("COLDSTORM_TEST_ENGINE")}
	list := []*Sandbox{run(t, l, s, "sleep"), run(t, l, s, "children"), run(t, l, s, "spin")}
	for _, b := range list {
		line(t, b.Stdout)
	}
	if err := list[1].Freeze(); err != nil {
		t.Fatal(err)
	}
	fmt.Println(l.pid, list[0].PID, list[1].PID, list[2].PID)
	select {}
}

// TestDaemonDeath kills the daemon: sandboxes end with it, also a frozen one and those
// that want no signal of that, and their cgroups go.
func TestDaemonDeath(t *testing.T) {
	l, err := Start(Config{Pool: 2})
	if err != nil {
		t.Fatal(err)
	}
	boxes := []*Sandbox{run(t, l, Spec{}, "children"), run(t, l, Spec{}, "children"), run(t, l, Spec{}, "undying"), run(t, l, Spec{}, "orphan")}
	var list []int
	for _, b := range boxes {
		line(t, b.Stdout)
		list = append(list, family(b.PID)...)
	}
	if err := boxes[1].Freeze(); err != nil {
		t.Fatal(err)
	}
	if l.Host().Cgroup != "none" && len(ourCgroups(t, l.pid)) == 0 {
		t.Fatal("no cgroups to be left")
	}
	if err := unix.Kill(l.pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, b := range boxes {
		<-b.Done()
	}
	if _, err := l.Launch(context.Background(), Spec{Image: insideImage(t)}); err == nil {
		t.Error("a dead launcher launched")
	}
	if err := l.Close(); err != nil {
		t.Log("close:", err) // says how the process ended, unless that was noticed before
	}
	for _, pid := range list {
		waitGone(t, pid)
	}
	if left := ourCgroups(t, l.pid); len(left) > 0 {
		t.Errorf("cgroups left: %v", left)
	}
}

// TestStartEndsWhatRuns leaves what a launcher and its client that died together
// may: processes in its cgroups, frozen ones too.
func TestStartEndsWhatRuns(t *testing.T) {
	l := limited(t, Config{})
	l.Close()
	makeRoom()
	defer leaveRoom()
	name := cgroupName(os.Getpid(), "dead")
	g, missing := openCgroups(name, false)
	if len(missing) > 0 {
		t.Fatal(missing)
	}
	if _, err := g.restrict(name); (err != nil) != l.Host().Rootless {
		t.Fatal(err)
	}
	if err := g.make("s1"); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for i := range 3 {
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go cmd.Wait()
		pids = append(pids, cmd.Process.Pid)
		if g.shared != nil {
			if err := g.shared.h.write(sharedGroup+"/cgroup.procs", strconv.Itoa(cmd.Process.Pid)); err != nil {
				t.Fatal(err)
			}
			if i == 2 {
				continue // is there alone
			}
		}
		for _, h := range g.all {
			if err := h.write("s1/cgroup.procs", strconv.Itoa(cmd.Process.Pid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	f, err := g.freezer("s1")
	if err != nil {
		t.Fatal(err)
	}
	unix.Write(f, freezerWords[[2]bool{g.at["freezer"].v2, true}])
	unix.Close(f)
	if _, err := Clean(); err != nil {
		t.Error(err)
	}
	for _, h := range g.trees() {
		if len(foldersIn(h.dir)) == 0 {
			t.Error("cleaned while its lock was held: ", h.dir)
		}
		unix.Close(h.fd) // as death does
	}
	start(t, Config{}) // the next launcher finds it
	for _, h := range g.trees() {
		if _, err := os.Stat(h.dir); !os.IsNotExist(err) {
			t.Errorf("%s is there still (%v)", h.dir, err)
		}
	}
	for _, pid := range pids {
		waitGone(t, pid)
	}
}

// TestOpenWhileOthersClean says that a folder that open returned is there, however
// many clean in the moment between its making and its locking.
func TestOpenWhileOthersClean(t *testing.T) {
	top := t.TempDir() // a folder is a folder: this needs no cgroups
	done := make(chan struct{})
	var cleaners sync.WaitGroup
	for range 2 {
		cleaners.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					var dead deadRuns
					dead.addIn(top)
					dead.remove()
				}
			}
		})
	}
	for i := range 200 {
		h := &hierarchy{dir: top, fd: -1}
		if err := h.open(cgroupName(1, strconv.Itoa(i))); err != nil {
			t.Error(err)
			continue
		}
		if _, err := os.Stat(h.dir); err != nil {
			t.Error(err)
		}
		unix.Close(h.fd)
	}
	close(done)
	cleaners.Wait()
	var dead deadRuns
	dead.addIn(top)
	dead.remove()
	if left := foldersIn(top); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestLocked tells the names whose owner is asked by a lock.
func TestLocked(t *testing.T) {
	for name, want := range map[string]bool{
		cgroupName(7, "x"): true, "coldstorm-7-abc-Lself": true, "coldstorm-7-abc-freezer": false, "coldstorm-7": false, "coldstorm-7-abc": false, "coldstorm-": false,
	} {
		if locked(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// TestNoRoomForDescriptors says that a launch whose descriptors the client has
// no room for is an error, and that its sandbox doesn't run on unseen.
func TestNoRoomForDescriptors(t *testing.T) {
	l, img := start(t, Config{}), firstImage(t) // a program that outlives its streams
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		t.Fatal(err)
	}
	tight := unix.Rlimit{Cur: 256, Max: lim.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &tight); err != nil {
		t.Fatal(err)
	}
	var filler []int
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			break
		}
		filler = append(filler, fd)
	}
	b, err := l.Launch(context.Background(), Spec{Image: img})
	unix.Setrlimit(unix.RLIMIT_NOFILE, &lim)
	closeAll(filler...)
	if err == nil {
		b.Stop()
		t.Fatal("launched without its descriptors")
	}
	if !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("error %v", err)
	}
	for _, pid := range family(l.pid)[1:] {
		waitGone(t, pid)
	}
}

// TestExitsBeforeTheEnd says that the exits of sandboxes that are stopped by
// Close are those that the daemon told, whichever socket ends first.
func TestExitsBeforeTheEnd(t *testing.T) {
	l, img := start(t, Config{}), firstImage(t)
	var list []*Sandbox
	for range 100 {
		b, err := l.Launch(context.Background(), Spec{Image: img})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		list = append(list, b)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for i, b := range list {
		if x := b.Exit(); x.Signal != unix.SIGKILL || x.Usage.CPU == 0 {
			t.Errorf("exit %d of 100: %+v", i, x)
		}
	}
}

// TestCleanSparesTheLiving says that Clean leaves living launchers alone.
func TestCleanSparesTheLiving(t *testing.T) {
	l := limited(t, Config{})
	if _, err := Clean(); err != nil {
		t.Fatal(err)
	}
	if len(ourCgroups(t, l.pid)) == 0 {
		t.Error("Clean removed the cgroups of a living launcher")
	}
	if x := run(t, l, Spec{}, "exit", "0").Exit(); x.Code != 0 {
		t.Error(x)
	}
}
