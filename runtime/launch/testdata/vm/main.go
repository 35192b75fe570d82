// Command vm is process 1 of the virtual machine that the launcher's tests boot:
// a kernel whose controllers are all in version 2. It runs the test binary once
// for each situation that cgroups can put a run in, and writes what that prints
// to a serial port of its own.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	uid    = 1000
	cgroot = "/sys/fs/cgroup"
)

// A situation is who runs the tests, in which cgroup.
type situation struct {
	name    string
	uid     int
	group   string // below the root, made for it; empty is the root itself
	owned   string // the cgroup that belongs to uid, with all below it; empty is none
	on      string // controllers handed down to owned
	with    bool   // a process of another program is in group too
	binary  string // of the tests; empty is the launcher's
	tests   string // -test.run
	program string // and its arguments, which runs in the place of tests
	cgroups string // what TestHostHere is to find
	hint    string // what it is to be told
}

const (
	slice   = "user.slice/user-1000.slice"
	manager = slice + "/user@1000.service"
	all     = "cpu memory pids freezer"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "vm is for a virtual machine's process 1")
		os.Exit(2)
	}
	err := boot()
	out, err2 := os.OpenFile(port, os.O_WRONLY, 0)
	if err2 != nil {
		out = os.Stderr
	}
	if err != nil {
		fmt.Fprintln(out, "=== BOOT", err)
	}
	for _, s := range situations {
		if err != nil {
			break
		}
		fmt.Fprintln(out, "=== SITUATION", s.name)
		began := time.Now()
		err := s.run(out)
		fmt.Fprintln(out, s.name, "took", time.Since(began).Round(time.Second))
		fmt.Fprintln(out, "=== END", strings.ReplaceAll(fmt.Sprint(err), "\n", "; ")) // one line
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // the machine was told to stop at one
}

// boot mounts what a host has, on a root that can be left (pivot_root(2) can't
// leave the one that a kernel unpacks).
func boot() error {
	for _, m := range []struct{ from, to, fs, data string }{
		{"/root", "/root", "", ""},
		{"proc", "/root/proc", "proc", ""},
		{"sys", "/root/sys", "sysfs", ""},
		{"dev", "/root/dev", "devtmpfs", ""},
		{"shm", "/root/dev/shm", "tmpfs", "mode=1777"},
		{"tmp", "/root/tmp", "tmpfs", "mode=1777"},
		{"cgroup", "/root" + cgroot, "cgroup2", "nsdelegate,memory_recursiveprot"},
	} {
		flags := uintptr(0)
		if m.fs == "" {
			flags = unix.MS_BIND
		}
		if err := os.MkdirAll(m.to, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.from, m.to, m.fs, flags, m.data); err != nil {
			return fmt.Errorf("mount %s: %w", m.to, err)
		}
	}
	if err := load("/root/lib/overlay.ko*"); err != nil {
		return fmt.Errorf("load overlay: %w", err)
	}
	for _, step := range []func() error{
		func() error { return unix.Chdir("/root") },
		func() error { return unix.Mount(".", "/", "", unix.MS_MOVE, "") },
		func() error { return unix.Chroot(".") },
		func() error { return unix.Chdir("/") },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("change root: %w", err)
		}
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return os.WriteFile(cgroot+"/cgroup.subtree_control", []byte("+cpu +memory +pids"), 0)
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// load loads the modules of a pattern, which the kernel unpacks if need be.
func load(pattern string) error {
	files, err := filepath.Glob(pattern)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		flags := 0
		if filepath.Ext(name) != ".ko" {
			flags = unix.MODULE_INIT_COMPRESSED_FILE
		}
		err = unix.FinitModule(int(f.Fd()), "", flags)
		f.Close()
		if err != nil {
			return err
		}
	}
	return err
}

// run runs the tests and says how they ended.
func (s situation) run(out *os.File) error {
	dir := filepath.Join(cgroot, s.group)
	if err := s.make(dir); err != nil {
		return err
	}
	group, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(group)
	attr := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.uid)}, UseCgroupFD: true, CgroupFD: group, Setsid: true}
	if s.with {
		other := exec.Command("/bin/sleep", "100000")
		other.SysProcAttr = attr
		if err := other.Start(); err != nil {
			return err
		}
		defer other.Wait()
		defer other.Process.Kill()
	}
	binary := s.binary
	if binary == "" {
		binary = "launch.test"
	}
	args := []string{"/test/" + binary, "-test.v", "-test.short", "-test.timeout=" + patience.String(), "-test.run=" + s.tests}
	if s.program != "" {
		args = strings.Fields(s.program)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = "/test", out, out, attr
	cmd.Env = []string{"PATH=/usr/bin", "TMPDIR=/tmp", "HOME=/tmp", "CI=true", "TERM=dumb", "COLDSTORM_TEST_INSIDE=/test/inside", "COLDSTORM_TEST_CALLS=/test/calls", "COLDSTORM_TEST_BOOTSTRAP=/test/function", "COLDSTORM_TEST_CGROUPS=" + s.cgroups, "COLDSTORM_TEST_HINT=" + s.hint}
	defer time.AfterFunc(patience-10*time.Second, askKernel).Stop()
	return errors.Join(cmd.Run(), left())
}

// askKernel has the kernel say on its console what keeps tests that are about to be given
// up: tasks that wait for something in it, what each processor does, memory, and then
// every task (kernel: sysrq).
func askKernel() {
	os.WriteFile("/proc/sys/kernel/printk", []byte("8"), 0)
	for _, key := range []byte("wlmt") {
		os.WriteFile("/proc/sysrq-trigger", []byte{key}, 0)
	}
}

// left tells of cgroups that a run has left.
func left() error {
	var errs []error
	filepath.WalkDir(cgroot, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), "coldstorm") {
			errs = append(errs, fmt.Errorf("left: %s", path))
		}
		return nil
	})
	return errors.Join(errs...)
}

// make makes the cgroups, and gives a part of them away as systemd does: the
// folder and three files (kernel: cgroup-v2, model of delegation).
func (s situation) make(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil || s.owned == "" {
		return err
	}
	at := cgroot
	for p := range strings.SplitSeq(s.owned, "/") {
		if err := os.WriteFile(at+"/cgroup.subtree_control", []byte(s.on), 0); err != nil {
			return err
		}
		at = filepath.Join(at, p)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
	}
	return filepath.WalkDir(at, func(path string, d os.DirEntry, err error) error {
		if err == nil && (d.IsDir() || given[d.Name()]) {
			err = os.Chown(path, s.uid, s.uid)
		}
		return err
	})
}

var given = map[string]bool{"cgroup.procs": true, "cgroup.threads": true, "cgroup.subtree_control": true}
