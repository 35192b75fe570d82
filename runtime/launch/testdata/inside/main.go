// Command inside is what the launcher's tests run in a sandbox. Its first
// argument says what to do; report prints all that it sees as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func init() { runtime.LockOSThread() } // a death signal is the first thread's

func main() {
	what := "report"
	if len(os.Args) > 1 {
		what = os.Args[1]
	}
	switch what {
	case "report":
		for _, name := range os.Args[min(2, len(os.Args)):] { // calls to leave out
			delete(calls, name)
		}
		json.NewEncoder(os.Stdout).Encode(report())
	case "tree": // of the folders that it is given
		for _, dir := range os.Args[2:] {
			tree(dir)
		}
	case "exit":
		n, _ := strconv.Atoi(os.Args[2])
		os.Exit(n)
	case "sleep":
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "undying": // it wants no signal at its parent's death
		syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, 0, 0, 0, 0, 0)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "orphan": // a child of its own session, that wants no signal either, and outlives its parent
		cmd := exec.Command("/proc/self/exe", "undying")
		cmd.Stdout = os.Stdout
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
		}
		time.Sleep(time.Hour)
	case "echo":
		fmt.Print("out")
		fmt.Fprint(os.Stderr, "err")
	case "count": // a line a millisecond
		for i := 0; ; i++ {
			fmt.Println(i)
			time.Sleep(time.Millisecond)
		}
	case "children": // a child that counts, and a parent that waits
		cmd := exec.Command("/proc/self/exe", "count")
		cmd.Stdout = os.Stdout
		fmt.Fprintln(os.Stderr, cmd.Run())
	case "forkbomb":
		n := 0
		for ; n < 10_000; n++ {
			if err := exec.Command("/proc/self/exe", "sleep").Start(); err != nil {
				break
			}
		}
		fmt.Println(n)
	case "memory":
		var keep [][]byte
		for {
			b := make([]byte, 8<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			keep = append(keep, b)
			fmt.Println(len(keep))
		}
	case "memory child": // which eats what there is, beside a parent that goes on
		fmt.Println(exec.Command("/proc/self/exe", "memory").Run())
		time.Sleep(time.Hour)
	case "spin":
		fmt.Println("ready")
		for {
		}
	case "serve":
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(l.Addr())
		for {
			if c, err := l.Accept(); err == nil {
				fmt.Fprint(c, "served")
				c.Close()
			}
		}
	case "dial":
		c, err := net.Dial("tcp", os.Args[2])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Fprint(c, "hello from inside")
		c.Close()
	}
}

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
	Writes        map[string]string // path -> error, empty if it could be written
	Calls         map[string]string // forbidden thing -> error
	Reads         map[string]int    // path -> bytes, -1 if it can't be read
	Keeps         string            // what /tmp/mark held
}

func report() seen {
	s := seen{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(), Env: os.Environ(), Status: map[string]string{}, Writes: map[string]string{}, Calls: map[string]string{}, Reads: map[string]int{}}
	s.Groups, _ = os.Getgroups()
	s.Hostname, _ = os.Hostname()
	s.Dir, _ = os.Getwd()
	for _, line := range lines("/proc/self/status") {
		k, v, _ := strings.Cut(line, ":")
		s.Status[k] = strings.TrimSpace(v)
	}
	for _, fd := range names("/proc/self/fd") {
		if to, err := os.Readlink("/proc/self/fd/" + fd); err == nil {
			s.FDs = append(s.FDs, fd+" "+to)
		}
	}
	s.Mounts = lines("/proc/self/mountinfo")
	s.Cgroup = strings.Join(lines("/proc/self/cgroup"), "\n")
	s.Limits = strings.Join(lines("/proc/self/limits"), "\n")
	s.Dev, s.Top = names("/dev"), names("/")
	ifs, _ := net.Interfaces()
	for _, i := range ifs {
		s.Interfaces = append(s.Interfaces, fmt.Sprint(i.Name, " ", i.Flags))
	}
	for _, n := range names("/proc") {
		if pid, err := strconv.Atoi(n); err == nil {
			s.Processes = append(s.Processes, pid)
		}
	}
	if s.PID != 1 {
		return s // it is no sandbox: what is tried below would be done to the host
	}
	mark, _ := os.ReadFile("/tmp/mark")
	s.Keeps = string(mark)
	for _, p := range []string{"/x", "/var/task/x", "/etc/x", "/dev/x", "/tmp/mark", "/dev/shm/x", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/x", "/proc/acpi/x", "/dev/null"} {
		err := os.WriteFile(p, []byte("mark"), 0o644)
		s.Writes[p] = msg(err)
	}
	for _, p := range []string{"/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware/x", "/dev/zero", "/dev/urandom", "/proc/meminfo", "/etc/passwd"} {
		s.Reads[p] = read(p)
	}
	s.Reads["/sys/firmware"] = len(names("/sys/firmware"))
	for name, call := range calls {
		s.Calls[name] = msg(call())
	}
	return s
}

func msg(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func lines(path string) []string {
	b, _ := os.ReadFile(path)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func names(dir string) []string {
	list, _ := filepath.Glob(dir + "/*")
	for i := range list {
		list[i] = filepath.Base(list[i])
	}
	return list
}

func read(path string) int {
	f, err := os.Open(path)
	if err != nil {
		return -1
	}
	defer f.Close()
	n, err := f.Read(make([]byte, 64))
	if err != nil && n == 0 && err.Error() != "EOF" {
		return -1
	}
	return n
}

func raw(nr, a, b, c uintptr) error {
	if _, _, e := syscall.RawSyscall(nr, a, b, c); e != 0 {
		return e
	}
	return nil
}

var calls = map[string]func() error{
	"unshare user":   func() error { return syscall.Unshare(syscall.CLONE_NEWUSER) },
	"unshare mount":  func() error { return syscall.Unshare(syscall.CLONE_NEWNS) },
	"mount":          func() error { return syscall.Mount("x", "/tmp", "tmpfs", 0, "") },
	"umount":         func() error { return syscall.Unmount("/proc/kcore", syscall.MNT_DETACH) },
	"mknod":          func() error { return syscall.Mknod("/tmp/node", syscall.S_IFCHR|0o666, 1<<8|3) },
	"sethostname":    func() error { return syscall.Sethostname([]byte("x")) },
	"chroot":         func() error { return syscall.Chroot("/tmp") },
	"setuid root":    setuidOther,
	"AF_VSOCK":       func() error { return socket(40) },
	"AF_ALG":         func() error { return socket(38) },
	"reboot":         func() error { return syscall.Reboot(syscall.LINUX_REBOOT_CMD_CAD_OFF) },
	"nofile up":      nofileUp,
	"exec child":     func() error { return exec.Command("/proc/self/exe", "exit", "0").Run() }, // allowed
	"kill init":      func() error { return nil },
	"pivot_root":     func() error { return raw(sysPivotRoot, 0, 0, 0) },
	"clone3":         func() error { return raw(435, 0, 0, 0) },
	"x32 getpid":     func() error { return raw(1<<30|39, 0, 0, 0) },
	"keyctl":         func() error { return raw(sysKeyctl, 0, 0, 0) },
	"bpf":            func() error { return raw(sysBPF, 0, 0, 0) },
	"io_uring_setup": func() error { return raw(425, 0, 0, 0) },
	"dial outside":   dialOutside,
}

func socket(family int) error {
	fd, err := syscall.Socket(family, syscall.SOCK_SEQPACKET, 0)
	if err == nil {
		syscall.Close(fd)
	}
	return err
}

// setuidOther tries to become another user without changing this one for good.
func setuidOther() error {
	if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, 0, 12345, 0); e != 0 {
		return e
	}
	return nil
}

func nofileUp() error {
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 4096, Max: 4096})
}

func dialOutside() error {
	c, err := net.DialTimeout("udp", "192.0.2.1:9", time.Second)
	if err == nil {
		c.Close()
	}
	return err
}

// tree prints what lies below a folder, files with what is in them.
func tree(dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		text := []byte(d.Type().String())
		if err == nil && d.Type().IsRegular() {
			text, err = os.ReadFile(path)
		}
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Printf("%s=%s\n", path, text)
		return nil
	})
}
