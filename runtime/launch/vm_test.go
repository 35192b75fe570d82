package launch

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// vmTime is how long the virtual machine may take: many times what it does.
const vmTime = 7 * time.Minute

// A vm is a virtual machine whose processor is emulated, so that neither KVM nor
// any right is needed.
type vm struct {
	arch string   // of its processor, as Go names it
	qemu string   // the emulator
	args []string // what the emulator is told about this kind of machine alone

	console string // the port on which its kernel speaks: the first one, of the machine's own kind
	flags   string // GOFLAGS of what is built for it
}

// The last of args makes the port that testdata/vm writes to. The tests for arm64
// are built with the flags of make build, so that both compile their packages once.
var (
	vmAMD64 = vm{"amd64", "qemu-system-x86_64", []string{"-serial", "stdio"}, "ttyS0", ""}
	vmARM64 = vm{"arm64", "qemu-system-aarch64", []string{"-M", "virt", "-cpu", "cortex-a72", "-chardev", "stdio,id=out", "-device", "pci-serial,chardev=out"}, "ttyAMA0", "-trimpath -buildvcs=false"}
)

// kernelDir is where .ci/kernel unpacks the kernel that the machine boots.
func (m vm) kernelDir() string { return "/var/cache/coldstorm/kernel-" + m.arch }

// TestVirtualMachine runs this package's tests, and some of the engine's, again
// where most users are: on a host whose controllers are all in version 2, as root and as
// an ordinary user, in each situation of testdata/vm.
func TestVirtualMachine(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the virtual machine is an amd64 one, with this machine's programs in it")
	}
	vmAMD64.test(t, nil)
}

// TestOtherProcessor does what differs from processor to processor on arm64: the
// launcher's tests of clone, filter and sandbox, and a run of coldstorm itself as
// make build makes it.
func TestOtherProcessor(t *testing.T) { vmARM64.test(t, vmARM64.addColdstorm) }

// test boots the machine and makes what testdata/vm says its own results. more
// adds what only some machines have, with a folder for what it builds.
func (m vm) test(t *testing.T, more func(c *cpio, dir string) error) {
	if testing.Short() {
		t.Skip("a virtual machine in -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("root runs it, and it has ordinary users inside")
	}
	t.Parallel() // with the other machine: each emulates on one processor
	qemu, err := exec.LookPath(m.qemu)
	if err != nil {
		skip(t, "no %s (make deps): %v", m.qemu, err)
	}
	kernels, _ := filepath.Glob(filepath.Join(m.kernelDir(), "boot/vmlinuz-*"))
	if len(kernels) == 0 {
		skip(t, "no kernel in %s (make deps)", m.kernelDir())
	}
	kernel := slices.Max(kernels)
	dir := t.TempDir()
	root := filepath.Join(dir, "root.cpio")
	if err := m.writeRoot(root, kernel, more); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), vmTime)
	defer cancel()
	console := filepath.Join(dir, "console")
	args := []string{
		"-accel", "tcg,thread=single", "-smp", "2", "-m", "2048", "-nodefaults", "-display", "none", "-no-reboot",
		"-kernel", kernel, "-initrd", root, "-append", "console=" + m.console + " panic=-1 mitigations=off", "-serial", "file:" + console,
	}
	cmd := exec.CommandContext(ctx, qemu, append(args, m.args...)...)
	var complaints bytes.Buffer
	out := &vmOutput{}
	cmd.Stdout, cmd.Stderr = out, &complaints
	began := time.Now()
	err = cmd.Run()
	t.Logf("the virtual machine ran for %v", time.Since(began).Round(time.Second))
	out.tell(t)
	kernelSaid, _ := os.ReadFile(console)
	if text := tail(out.all.String(), 40); err != nil || ctx.Err() != nil || !out.ended {
		t.Errorf("the virtual machine did not come to its end: %v, %v\n%s\n-- its tests said:\n%s\n-- its kernel said:\n%s", err, ctx.Err(), &complaints, text, tail(string(kernelSaid), 40))
	}
	if text := asked(string(kernelSaid)); text != "" {
		t.Errorf("tests of a situation took so long that its kernel was asked why:\n%s", text)
	}
}

// asked is what a kernel answered to testdata/vm's askKernel, if it was asked.
func asked(console string) string {
	_, answer, _ := strings.Cut(console, "sysrq: ")
	lines := strings.Split(answer, "\n")
	return strings.Join(lines[:min(len(lines), 4000)], "\n")
}

// writeRoot writes the archive that the machine has as its root: process 1, and
// in /root what will be a host.
func (m vm) writeRoot(name, kernel string, more func(c *cpio, dir string) error) error {
	var c cpio
	dir := filepath.Dir(name)
	for _, b := range [][]string{
		{"go", "build", "-o", filepath.Join(dir, "init"), "./testdata/vm"},
		{"go", "build", "-o", filepath.Join(dir, "bootstrap"), "./testdata/inside"},
		{"go", "build", "-o", filepath.Join(dir, "function"), "../engine/testdata/bootstrap"},
		{"go", "test", "-c", "-ldflags=-s -w", "-o", filepath.Join(dir, "launch.test"), "."},
		{"go", "test", "-c", "-ldflags=-s -w", "-o", filepath.Join(dir, "engine.test"), "../engine"},
	} {
		cmd := exec.Command(b[0], b[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+m.arch)
		if m.flags != "" {
			cmd.Env = append(cmd.Env, "GOFLAGS="+m.flags)
		}
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", b, err, text)
		}
	}
	release := strings.TrimPrefix(filepath.Base(kernel), "vmlinuz-")
	modules, _ := filepath.Glob(filepath.Join(m.kernelDir(), "lib/modules", release, "kernel/fs/overlayfs/overlay.ko*"))
	merged, _ := filepath.Glob(filepath.Join(m.kernelDir(), "usr/lib/modules", release, "kernel/fs/overlayfs/overlay.ko*"))
	modules = append(modules, merged...)
	if len(modules) == 0 {
		return fmt.Errorf("no overlay module of %s in %s", release, m.kernelDir())
	}
	for to, from := range map[string]string{
		"init":                                  "init",
		"root/test/launch.test":                 "launch.test",
		"root/test/engine.test":                 "engine.test",
		"root/test/inside/bootstrap":            "bootstrap",
		"root/test/function/var/task/bootstrap": "function",
	} {
		if err := c.addFile(to, filepath.Join(dir, from)); err != nil {
			return err
		}
	}
	if err := c.addFile("root/lib/"+filepath.Base(modules[0]), modules[0]); err != nil {
		return err
	}
	for _, folder := range []string{"proc", "sys", "dev", "tmp", "var/tmp", "etc", "run"} {
		c.add("root/"+folder, fs.ModeDir|0o755, nil)
	}
	c.add("root/bin", fs.ModeSymlink|0o777, []byte("usr/bin"))
	if err := m.addPrograms(&c); err != nil {
		return err
	}
	if more != nil {
		if err := more(&c, dir); err != nil {
			return err
		}
	}
	return os.WriteFile(name, c.bytes(), 0o600)
}

// addPrograms adds the few programs that tests run: this machine's to the machine
// that needs one like this, busybox to the other.
func (m vm) addPrograms(c *cpio) error {
	programs := []string{"sh", "ls", "env", "touch", "sleep", "mkdir", "chown"}
	if m.arch != vmAMD64.arch {
		for _, program := range programs {
			c.add("root/usr/bin/"+program, fs.ModeSymlink|0o777, []byte("busybox"))
		}
		return c.addFile("root/usr/bin/busybox", filepath.Join(m.kernelDir(), "bin/busybox"))
	}
	for _, program := range programs {
		path, err := filepath.EvalSymlinks(filepath.Join("/usr/bin", program))
		if err != nil {
			return err
		}
		if err := c.addProgram("root", path); err != nil {
			return err
		}
		if filepath.Base(path) != program {
			c.add("root/usr/bin/"+program, fs.ModeSymlink|0o777, []byte(filepath.Base(path)))
		}
	}
	return nil
}

// vmOutput reads what testdata/vm writes, line by line.
type vmOutput struct {
	all       bytes.Buffer
	rest      []byte
	situation string
	results   []vmResult
	test      string              // the one that speaks
	said      map[string][]string // by test
	ended     bool                // every situation that began has ended
}

// A vmResult is a test's, or a situation's.
type vmResult struct{ name, verdict, text string }

func (o *vmOutput) Write(b []byte) (int, error) {
	o.all.Write(b)
	o.rest = append(o.rest, b...)
	for {
		line, rest, ok := bytes.Cut(o.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		o.rest = rest
		o.line(strings.TrimSuffix(string(line), "\r"))
	}
}

var (
	verdictLine = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+) \(`)
	speaksLine  = regexp.MustCompile(`^=== (?:RUN|CONT|NAME) +(\S+)`)
)

func (o *vmOutput) line(text string) {
	if name, ok := strings.CutPrefix(text, "=== SITUATION "); ok {
		o.situation, o.test, o.said, o.ended = name, "", map[string][]string{}, false
	} else if err, ok := strings.CutPrefix(text, "=== END "); ok {
		verdict := "PASS"
		if err != "<nil>" {
			verdict = "FAIL"
		}
		o.results = append(o.results, vmResult{o.situation, verdict, err + "\n" + strings.Join(o.said[""], "\n")})
		o.ended = true
	} else if m := speaksLine.FindStringSubmatch(text); m != nil {
		o.test = m[1]
	} else if m := verdictLine.FindStringSubmatch(text); m != nil {
		o.results = append(o.results, vmResult{o.situation + "/" + m[2], m[1], strings.Join(o.said[m[2]], "\n")})
		o.test = ""
	} else if o.said != nil {
		o.said[o.test] = append(o.said[o.test], text)
	}
}

// tell makes each result one of ours.
func (o *vmOutput) tell(t *testing.T) {
	for _, r := range o.results {
		t.Run(r.name, func(t *testing.T) {
			switch r.verdict {
			case "FAIL":
				t.Error(r.text)
			case "SKIP":
				skip(t, "%s", r.text)
			default:
				t.Log(r.text)
			}
		})
	}
}

// TestAsked says which part of a console is shown.
func TestAsked(t *testing.T) {
	for console, want := range map[string]string{
		"[1] a\n[2] b\n": "",
		"[1] a\n[2] sysrq: Show Blocked State\n[3] task\n[4] sysrq: Show Memory": "Show Blocked State\n[3] task\n[4] sysrq: Show Memory",
		"sysrq: x" + strings.Repeat("\ny", 5000):                                 "x" + strings.Repeat("\ny", 3999),
	} {
		if got := asked(console); got != want {
			t.Errorf("of %.80q: %.80q", console, got)
		}
	}
}

func tail(text string, lines int) string {
	list := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(list[max(0, len(list)-lines):], "\n")
}

// TestVMOutput says that what fails inside fails outside, and a machine that
// stops in the middle has not ended.
func TestVMOutput(t *testing.T) {
	var o vmOutput
	for _, part := range []string{
		"noise\r\n=== SITUATION a b\r\n=== RUN   TestX\r\n=== RUN   TestX/y\r\n    x_test.go:1: bro", "ken\r\n=== RUN   TestZ\r\n--- FAIL: TestX (0.10s)\r\n    --- FAIL: TestX/y (0.10s)\r\n",
		"--- SKIP: TestZ (0.00s)\r\nFAIL\r\n=== END exit status 1\r\n",
	} {
		if o.ended {
			t.Error("ended before its end")
		}
		o.Write([]byte(part))
	}
	want := []vmResult{{"a b/TestX", "FAIL", ""}, {"a b/TestX/y", "FAIL", "    x_test.go:1: broken"}, {"a b/TestZ", "SKIP", ""}, {"a b", "FAIL", "exit status 1\nFAIL"}}
	if !slices.Equal(o.results, want) || !o.ended {
		t.Errorf("%q", o.results)
	}
	if o.Write([]byte("=== SITUATION c\n--- PASS: TestX (0.1s)\n")); o.ended {
		t.Error("a situation that did not end has ended")
	}
}
