package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func mount(args []string) error { return unix.Mount("x", args[0], "tmpfs", 0, "") }

func bind(args []string) error { return unix.Mount(args[0], args[1], "", unix.MS_BIND, "") }

func remount(args []string) error {
	return unix.Mount("", args[0], "", unix.MS_BIND|unix.MS_REMOUNT, "")
}

func unmount(args []string) error { return unix.Unmount(args[0], unix.MNT_DETACH) }

// jailbreak is the classic way out of a chroot: keep a folder outside the new root.
func jailbreak(args []string) error {
	dir := args[0] + "/jail"
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	defer os.Remove(dir)
	if err := unix.Chroot(dir); err != nil {
		return err
	}
	return readFile([]string{up + args[1]})
}

func number(arg string) uintptr {
	n, err := strconv.ParseInt(arg, 0, 64)
	if err != nil {
		fmt.Println("broken:", err)
		os.Exit(3)
	}
	return uintptr(n)
}

// makeNode makes a device node and opens it.
func makeNode(args []string) error {
	dev := int(unix.Mkdev(uint32(number(args[1])), uint32(number(args[2]))))
	if err := unix.Mknod(args[0], unix.S_IFCHR|0o666, dev); err != nil {
		return err
	}
	defer os.Remove(args[0])
	return openNode(args)
}

func openNode(args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// devices looks for a node in /dev that is none of the six that everybody has.
func devices([]string) error {
	harmless := []string{"1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:2"}
	err := errors.New("only harmless ones")
	filepath.WalkDir("/dev", func(path string, d os.DirEntry, werr error) error {
		var st unix.Stat_t
		if werr != nil || d.Type()&os.ModeDevice == 0 || unix.Lstat(path, &st) != nil {
			return nil
		}
		if n := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev)); !slices.Contains(harmless, n) {
			err = nil
		}
		return nil
	})
	return err
}

// terminal types into whatever terminal it can name.
func terminal([]string) error {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	if f := strings.Fields(rest); len(f) < 5 || f[4] != "0" {
		return nil // state, parent, group, session, terminal
	}
	fds := []int{0, 1, 2}
	if fd, err := unix.Open("/dev/tty", unix.O_RDWR, 0); err == nil {
		fds = append(fds, fd)
	}
	var errs []error
	for _, fd := range fds {
		b := byte(0)
		_, err := syscall3(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSTI, uintptr(unsafe.Pointer(&b)))
		if err == nil {
			return nil
		}
		_, err2 := syscall3(unix.SYS_IOCTL, uintptr(fd), unix.TIOCLINUX, uintptr(unsafe.Pointer(&b)))
		if err2 == nil {
			return nil
		}
		errs = append(errs, err, err2)
	}
	return errors.Join(errs...)
}

// call makes one system call. Whatever it answers but that it may not, it was let in.
func call(args []string) error {
	nr, ok := calls[args[0]]
	if !ok {
		fmt.Println("absent: no such call on this machine")
		os.Exit(0)
	}
	var a [6]uintptr
	for i, arg := range args[1:] {
		a[i] = number(arg)
	}
	_, _, e := unix.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5])
	if e == unix.EPERM || e == unix.ENOSYS || e == unix.EACCES {
		return e
	}
	return nil
}

// clone makes a process with the given flags, which ends at once.
func clone(args []string) error {
	pid, _, e := unix.RawSyscall6(unix.SYS_CLONE, number(args[0])|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if e == 0 && pid == 0 {
		for {
			unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
		}
	}
	if e != 0 {
		return e
	}
	return nil
}

// setClock sets the tick of the clock to what it is.
func setClock([]string) error {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return err
	}
	t.Modes = 0x4000 // ADJ_TICK
	_, err := unix.Adjtimex(&t)
	return err
}

// exhaust takes as much of something as it is given, at most the last argument,
// and prints how much that was.
func exhaust(what string, args []string) {
	limit := int(number(args[len(args)-1]))
	n, err := 0, error(nil)
	switch what {
	case "fill": // bytes of a file
		var f *os.File
		if f, err = os.Create(args[0] + "/full"); err == nil {
			b := make([]byte, 1<<16)
			for k := 0; err == nil && n < limit; n += k {
				k, err = f.Write(b)
			}
		}
	case "inodes": // empty files
		for n < limit {
			if err = unix.Mknod(args[0]+"/"+strconv.Itoa(n), unix.S_IFREG|0o600, 0); err != nil {
				break
			}
			n++
		}
	case "files": // descriptors
		for n < limit {
			if _, err = unix.Open("/dev/null", unix.O_RDONLY, 0); err != nil {
				break
			}
			n++
		}
	}
	fmt.Println(n, err)
}

var calls = map[string]uintptr{
	"keyctl": unix.SYS_KEYCTL, "add_key": unix.SYS_ADD_KEY, "request_key": unix.SYS_REQUEST_KEY, "bpf": unix.SYS_BPF,
	"perf_event_open": unix.SYS_PERF_EVENT_OPEN, "userfaultfd": unix.SYS_USERFAULTFD, "io_uring_setup": unix.SYS_IO_URING_SETUP,
	"io_uring_enter": unix.SYS_IO_URING_ENTER, "io_uring_register": unix.SYS_IO_URING_REGISTER, "kexec_load": unix.SYS_KEXEC_LOAD,
	"kexec_file_load": unix.SYS_KEXEC_FILE_LOAD, "init_module": unix.SYS_INIT_MODULE, "finit_module": unix.SYS_FINIT_MODULE,
	"delete_module": unix.SYS_DELETE_MODULE, "swapon": unix.SYS_SWAPON, "swapoff": unix.SYS_SWAPOFF, "settimeofday": unix.SYS_SETTIMEOFDAY,
	"clock_settime": unix.SYS_CLOCK_SETTIME, "sethostname": unix.SYS_SETHOSTNAME, "setdomainname": unix.SYS_SETDOMAINNAME,
	"syslog": unix.SYS_SYSLOG, "acct": unix.SYS_ACCT, "quotactl": unix.SYS_QUOTACTL, "quotactl_fd": unix.SYS_QUOTACTL_FD,
	"lookup_dcookie": unix.SYS_LOOKUP_DCOOKIE, "unshare": unix.SYS_UNSHARE, "clone3": unix.SYS_CLONE3, "setns": unix.SYS_SETNS,
	"personality": unix.SYS_PERSONALITY, "reboot": unix.SYS_REBOOT, "mbind": unix.SYS_MBIND, "set_mempolicy": unix.SYS_SET_MEMPOLICY,
	"migrate_pages": unix.SYS_MIGRATE_PAGES, "move_pages": unix.SYS_MOVE_PAGES, "kcmp": unix.SYS_KCMP,
	"process_madvise": unix.SYS_PROCESS_MADVISE, "pidfd_getfd": unix.SYS_PIDFD_GETFD, "fanotify_init": unix.SYS_FANOTIFY_INIT,
	"open_by_handle_at": unix.SYS_OPEN_BY_HANDLE_AT, "mount": unix.SYS_MOUNT, "umount2": unix.SYS_UMOUNT2, "pivot_root": unix.SYS_PIVOT_ROOT,
	"chroot": unix.SYS_CHROOT, "fsopen": unix.SYS_FSOPEN, "fspick": unix.SYS_FSPICK, "fsmount": unix.SYS_FSMOUNT, "fsconfig": unix.SYS_FSCONFIG,
	"move_mount": unix.SYS_MOVE_MOUNT, "open_tree": unix.SYS_OPEN_TREE, "mount_setattr": unix.SYS_MOUNT_SETATTR,
}
