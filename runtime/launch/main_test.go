package launch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

// insideEnv names the folder with a built testdata/inside, for a test binary
// that runs as a user who can't build it.
const insideEnv = "COLDSTORM_TEST_INSIDE"

// TestMain lets the test binary stand in for coldstorm's hidden verb, and for
// an engine that is to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "__launcher" {
		os.Exit(Daemon())
	}
	if len(os.Args) > 2 && os.Args[1] == "__overwrite" {
		os.Exit(overwrite(os.Args[2]))
	}
	if len(os.Args) > 2 && os.Args[1] == openVerb {
		os.Exit(openNodes(os.Args[2], os.Args[3:]))
	}
	code := m.Run()
	for _, dir := range builtDirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// overwrite is what a sandbox runs that has the launcher's own binary run again:
// it holds that open for another program, which changes it. (Writing to it has
// to wait until nobody runs it. Changing its mode hasn't.)
func overwrite(program string) int {
	fd, err := unix.Open("/proc/self/exe", unix.O_PATH, 0)
	if err == nil {
		err = unix.Exec(program, []string{program, "chmod", fmt.Sprint("/proc/self/fd/", fd)}, nil)
	}
	fmt.Println("broken:", err)
	return 3
}

// builtDirs are folders to remove.
var builtDirs []string

// buildInside and buildEscape build what runs inside, once, static.
var (
	buildInside = sync.OnceValues(func() (string, error) { return buildTestdata("inside", insideEnv) })
	buildEscape = sync.OnceValues(func() (string, error) { return buildTestdata("escape", escapeEnv) })
)

func buildTestdata(name, env string) (string, error) {
	if dir := os.Getenv(env); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "coldstorm-launch-test-")
	if err != nil {
		return "", err
	}
	builtDirs = append(builtDirs, dir)
	os.Chmod(dir, 0o755)
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
}

func insideImage(t testing.TB) image.Image {
	t.Helper()
	dir, err := buildInside()
	if err != nil {
		t.Fatal("build testdata/inside: ", err)
	}
	return storeImage(t, dir)
}

func storeImage(t testing.TB, dir string) image.Image {
	t.Helper()
	img, err := image.Open(dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// firstImage is an image of FirstProgram.
func firstImage(t testing.TB) image.Image {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bootstrap"), FirstProgram(), 0o755); err != nil {
		t.Fatal(err)
	}
	return storeImage(t, dir)
}

// start starts a launcher that is closed, and must leave nothing, at the test's end.
func start(t testing.TB, c Config) *Launcher {
	t.Helper()
	before := mounts(t)
	l, err := Start(c)
	if err != nil {
		if (os.Geteuid() != 0 || c.Rootless) && !Probe().UserNS.OK {
			skip(t, "no user namespaces here: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error("close: ", err)
		}
		if after := mounts(t); after != before {
			t.Errorf("mounts changed:\n%s\n-- before:\n%s", after, before)
		}
		if left := ourCgroups(t, l.pid); len(left) > 0 {
			t.Errorf("cgroups left: %v", left)
		}
	})
	return l
}

// skip skips loudly on a person's machine and fails in CI.
func skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func mounts(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func ourCgroups(t testing.TB, pid int) []string {
	t.Helper()
	info, _ := os.ReadFile("/proc/self/mountinfo")
	self, _ := os.ReadFile("/proc/self/cgroup")
	var left []string
	for _, h := range findCgroups(string(info), string(self)) {
		for _, dir := range ancestors(h.dir, h.top) {
			found, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf("%s%d-*", cgroupPrefix, pid)))
			left = append(left, found...)
		}
	}
	return left
}

// run launches the inside program and returns the sandbox, which is stopped at the test's end.
func run(t testing.TB, l *Launcher, s Spec, args ...string) *Sandbox {
	t.Helper()
	if len(s.Image.Layers) == 0 {
		s.Image = insideImage(t)
	}
	s.Argv = append([]string{"/var/task/bootstrap"}, args...)
	b, err := l.Launch(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Stop()
		b.Close()
	})
	return b
}

func output(t testing.TB, b *Sandbox) string {
	t.Helper()
	out, err := io.ReadAll(b.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if msg, _ := io.ReadAll(b.Stderr); len(msg) > 0 {
		t.Logf("stderr: %s", msg)
	}
	return string(out)
}

// seen is testdata/inside's report.
type seen struct {
	PID, UID, GID int
	Groups        []int
	Hostname, Dir string
	Env           []string
	Status        map[string]string
	FDs           []string
	Mounts        []string
	Interfaces    []string
	Cgroup        string
	Processes     []int
	Limits        string
	Dev           []string
	Top           []string
	Writes        map[string]string
	Calls         map[string]string
	Reads         map[string]int
	Keeps         string
}

func look(t testing.TB, l *Launcher, s Spec) seen {
	t.Helper()
	args := []string{"report"}
	if l.runtime.kind == oci {
		// libseccomp kills the thread that makes a call of another architecture,
		// where the builtin filter refuses the call: nothing would be reported.
		args = append(args, "x32 getpid")
	}
	b := run(t, l, s, args...)
	var v seen
	out := output(t, b)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("report: %v\n%s\n%v", err, out, b.Exit())
	}
	return v
}

// line reads up to a newline, without taking more.
func line(t testing.TB, r io.Reader) string {
	t.Helper()
	var b strings.Builder
	var one [1]byte
	for {
		if _, err := io.ReadFull(r, one[:]); err != nil {
			t.Fatal(err)
		}
		if one[0] == '\n' {
			return b.String()
		}
		b.WriteByte(one[0])
	}
}

// gone says whether no process has this pid.
func gone(pid int) bool { return unix.Kill(pid, 0) == unix.ESRCH }
