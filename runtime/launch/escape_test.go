package launch

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

// escapeEnv names the folder with a built testdata/escape, for a test binary
// that runs as a user who can't build it.
const escapeEnv = "COLDSTORM_TEST_ESCAPE"

// TestEscape makes every attempt on every kind of sandbox.
func TestEscape(t *testing.T) {
	for _, kind := range []struct {
		name   string
		config Config
		spec   Spec
		mode   string // in which some must have started
	}{
		{"cold", Config{}, Spec{}, ModeCold},
		{"pooled", Config{Pool: 4}, Spec{}, ModePooled},
		{"parked", Config{}, Spec{}, ModeParked},
		{"with a writable root", Config{}, Spec{Writable: true}, ModeCold},
		{"lean", Config{Profile: ProfileLean, Pool: 4}, Spec{}, ModePooled},
		{"in a user namespace", Config{Rootless: true}, Spec{}, ModeCold},
		{"in a user namespace, pooled", Config{Rootless: true, Pool: 4}, Spec{}, ModePooled},
		{"in a user namespace, with a writable root", Config{Rootless: true}, Spec{Writable: true}, ModeCold},
		{"without overlay", Config{bind: true}, Spec{}, ModeCold},
	} {
		t.Run(kind.name, func(t *testing.T) {
			if kind.config.Rootless && os.Geteuid() != 0 {
				t.Skip("the others are in one already")
			}
			l := start(t, kind.config)
			if kind.spec.Writable && !l.Host().Overlay.OK {
				skip(t, "no overlay here: %v", l.Host().Overlay)
			}
			g := newGround(t, l, kind.spec)
			if kind.mode == ModeParked {
				s := g.spec
				s.Argv = []string{TaskDir + "/bootstrap"}
				if err := l.Park(s, 8); err != nil {
					t.Fatal(err)
				}
			}
			modes := map[string]int{}
			for _, list := range [][]attempt{hostFiles, hostProcesses, neighbours, networks, mountsAndDevices, kernelFiles, kernelCalls} {
				for _, a := range list {
					if kind.mode == ModePooled {
						fill := g.spec
						fill.Argv = []string{TaskDir + "/bootstrap"}
						if err := l.Fill(fill); err != nil {
							t.Fatal(err)
						}
					}
					modes[g.attempt(t, a)]++
				}
			}
			if modes[kind.mode] == 0 || kind.mode == ModePooled && len(modes) > 1 {
				t.Errorf("not every start was %s: %v", kind.mode, modes)
			}
			g.planted(t, kind.mode)
			g.unharmed(t)
		})
	}
}

// A ground is what attempts on one launcher's sandboxes are made on.
type ground struct {
	l         *Launcher
	spec      Spec
	task      string // the image's folder
	dir       string // the host's folder with the marker
	uid       int    // that sandboxes run as, seen from outside
	words     []string
	host      *exec.Cmd // the prey on the host
	neighbour *Sandbox  // the prey in a sandbox
}

// marker is testdata/escape's.
const marker = "coldstorm marker"

func newGround(t *testing.T, l *Launcher, spec Spec) *ground {
	t.Helper()
	top, err := os.MkdirTemp("/var/tmp", "coldstorm-escape-") // not /tmp, which every sandbox has one of
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.RemoveAll(top)
		os.Remove("/tmp/" + filepath.Base(top)) // what attempts write where nothing isolates
	})
	g := &ground{l: l, spec: spec, dir: top + "/host", task: top + "/image/var/task", uid: os.Geteuid()}
	if !l.Host().Rootless {
		g.uid = UID
	}
	for dir, mode := range map[string]os.FileMode{top: 0o755, g.dir: 0o777, g.task: 0o755, top + "/scratch": 0o777} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	g.fill(t)
	g.spec.Image = image.Image{Layers: []string{top + "/image"}}
	port := g.prey(t)
	g.words = append(g.words, "$HOST", g.dir, "$NAME", g.name(), "$PORT", port, "$IP", hostAddress(), "$DAEMON", strconv.Itoa(l.pid), "$HANDLE", handle(t, g.dir+"/marker"))
	return g
}

func (g *ground) name() string { return filepath.Base(filepath.Dir(g.dir)) }

// fill makes the marker and the image: a program, and links, nodes and rights
// that lead out of it.
func (g *ground) fill(t *testing.T) {
	t.Helper()
	built, err := buildEscape()
	if err != nil {
		t.Fatal("build testdata/escape: ", err)
	}
	program, err := os.ReadFile(built + "/bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	write := func(path string, data []byte, mode os.FileMode) {
		if err := os.WriteFile(path, data, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(g.dir+"/marker", []byte(marker), 0o644)
	write(g.dir+"/open", nil, 0o666)
	write(g.task+"/bootstrap", program, 0o755)
	write(g.task+"/file", nil, 0o666)
	for name, to := range map[string]string{"link": g.dir + "/marker", "climbing": "../../../host/marker", "folder": g.dir} {
		if err := os.Symlink(to, g.task+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	write(g.task+"/rooted", program, 0o755|os.ModeSetuid)
	write(g.task+"/capable", program, 0o755)
	three := []byte("\x01\x00\x00\x02\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00") // struct vfs_cap_data, version 2: effective; three to pass by owners and modes
	if err := unix.Setxattr(g.task+"/capable", "security.capability", three, 0); err != nil {
		t.Fatal(err)
	}
	for name, dev := range map[string]uint64{"zero": unix.Mkdev(1, 5), "disk": unix.Mkdev(7, 0)} { // 7:0 is a loop device
		kind := uint32(unix.S_IFCHR)
		if name == "disk" {
			kind = unix.S_IFBLK
		}
		if err := unix.Mknod(g.task+"/"+name, kind|0o666, int(dev)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(g.task+"/"+name, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// prey starts what is aimed at: a process of the host's, of the user that
// sandboxes are, and the same in a sandbox.
func (g *ground) prey(t *testing.T) (port string) {
	t.Helper()
	g.host = g.outside(t, false, "prey", g.name(), "0")
	g.host.Dir = g.dir
	in, err := g.host.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.host.Stderr = os.Stderr
	if err := g.host.Start(); err != nil {
		t.Fatal(err)
	}
	var pid, at string
	t.Cleanup(func() {
		in.Close()
		g.host.Wait()
		os.Remove("/tmp/" + g.name() + ".sock") // the host's prey has it there, as its counterpart inside has
	})
	if _, err := fmt.Fscan(bufio.NewReader(out), &pid, &at, &port); err != nil || port == "0" {
		t.Fatal("the host's prey: ", err)
	}
	g.words = append(g.words, "$PID", pid, "$ADDR", at)
	s := g.spec
	s.Argv = []string{"/var/task/bootstrap", "prey", g.name(), port, "stay"}
	if g.neighbour, err = g.l.Launch(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.neighbour.Stop()
		g.neighbour.Close()
	})
	if got := line(t, g.neighbour.Stdout); !strings.HasSuffix(got, " "+port) {
		text, _ := io.ReadAll(g.neighbour.Stderr)
		t.Fatalf("the neighbour's prey: %q, %s", got, text)
	}
	return port
}

// outside is testdata/escape on the host, in a mount and host name namespace
// that takes what it changes with it.
func (g *ground) outside(t *testing.T, root bool, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(g.task+"/bootstrap", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	switch {
	case os.Geteuid() != 0:
	case root:
		cmd.SysProcAttr.Unshareflags = unix.CLONE_NEWNS | unix.CLONE_NEWUTS
	case g.uid != 0:
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(g.uid), Gid: GID}
	}
	return cmd
}

// attempt makes the attempt and its control, and says how its sandbox started.
func (g *ground) attempt(t *testing.T, a attempt) (mode string) {
	t.Helper()
	g.check(t, a)
	s := g.spec
	s.Argv = append([]string{"/var/task/bootstrap"}, g.aim(a.try, TaskDir, "/tmp")...)
	b, err := g.l.Launch(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	out, _ := io.ReadAll(b.Stdout)
	more, _ := io.ReadAll(b.Stderr)
	verdict := strings.TrimSpace(string(out))
	if !strings.HasPrefix(verdict, "refused: ") && !strings.HasPrefix(verdict, "absent: ") || !strings.Contains(verdict, a.refusal) {
		t.Errorf("a sandbox can %s (%s): %q %s (%v)", a.what, a.try, verdict, more, b.Exit())
	}
	return b.Mode
}

// controlled holds the attempts whose control has been made, by user.
var controlled sync.Map

// check makes the attempt's control.
func (g *ground) check(t *testing.T, a attempt) {
	t.Helper()
	me := os.Geteuid()
	if _, done := controlled.LoadOrStore(fmt.Sprint(g.uid, a.try), true); done || a.control == nobody || (a.control != sameUser && me != 0) {
		return
	}
	if me != 0 && (strings.Contains(a.try, "$TASK/rooted") || strings.Contains(a.try, "$TASK/capable") || strings.Contains(a.try, "$TASK/zero")) {
		return // an ordinary user makes no such images
	}
	if g.uid == 0 && strings.HasSuffix(a.try, " whoami") {
		return // root gains nothing from them
	}
	if f := strings.Fields(a.try); len(f) > 1 && (strings.HasPrefix(f[1], "/proc/sys") || strings.HasPrefix(f[1], "/proc/k")) {
		if _, err := os.Stat(f[1]); os.IsNotExist(err) {
			t.Logf("no control: %s (%s): not on this host", a.what, a.try)
			return
		}
	}
	cmd := g.outside(t, a.control != sameUser, g.aim(a.try, g.task, filepath.Dir(g.dir)+"/scratch")...)
	left, err := os.Open(g.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer left.Close()
	cmd.ExtraFiles = []*os.File{left}
	if a.control == onTerminal {
		keyboard, screen := terminal(t)
		defer keyboard.Close()
		defer screen.Close()
		cmd.Stdin, cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = screen, true, true
	}
	out, err := cmd.Output()
	switch verdict := strings.TrimSpace(string(out)); {
	case strings.HasPrefix(verdict, "absent: "):
		t.Logf("no control: %s (%s): %s", a.what, a.try, verdict)
	case err != nil || verdict != "reached":
		t.Errorf("the attempt to %s (%s) is refused outside too and proves nothing: %q, %v", a.what, a.try, verdict, err)
	}
}

func (g *ground) aim(try, task, scratch string) []string {
	return strings.Fields(strings.NewReplacer(append(g.words, "$TASK", task, "$SCRATCH", scratch)...).Replace(try))
}

// unharmed says that both preys live and that nothing of the host's was changed,
// nor the image, also where a sandbox may write to what it sees of it.
func (g *ground) unharmed(t *testing.T) {
	t.Helper()
	s := g.spec
	s.Argv = []string{"/var/task/bootstrap", "append", "/var/task/file"}
	b, err := g.l.Launch(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if out := output(t, b); strings.HasPrefix(out, "reached") != s.Writable {
		t.Errorf("writing over the image: %q", out)
	}
	if text, err := os.ReadFile(g.task + "/file"); err != nil || len(text) > 0 {
		t.Errorf("the image's file: %q, %v", text, err)
	}
	select {
	case <-g.neighbour.Done():
		t.Errorf("the neighbour has ended: %v", g.neighbour.Exit())
	default:
	}
	if err := g.host.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the host's process: %v", err)
	}
	if text, err := os.ReadFile(g.dir + "/marker"); err != nil || string(text) != marker {
		t.Errorf("the host's file: %q, %v", text, err)
	}
	list, err := os.ReadDir(g.dir)
	if err != nil || len(list) != 2 {
		t.Errorf("the host's folder: %v, %v", list, err)
	}
}

// handle is a file's, as testdata/escape wants it.
func handle(t *testing.T, path string) string {
	t.Helper()
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, path, 0)
	if err != nil {
		skip(t, "file handles: %v", err)
	}
	return fmt.Sprint(h.Type(), " ", hex.EncodeToString(h.Bytes()))
}

// hostAddress is an IPv4 address of this host, of loopback where it has no other.
func hostAddress() string {
	list, _ := net.InterfaceAddrs()
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return n.IP.String()
		}
	}
	return "127.0.0.2"
}

// terminal makes a pseudoterminal.
func terminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return keyboard, screen
}
