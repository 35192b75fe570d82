package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// The stage is the mount namespace in which the root filesystems of sandboxes are put
// together: a tmpfs that holds nothing but what they are made of. Paths on the stage are
// ours, so no user's path with a colon or a comma ever stands in the options of an
// overlay.
//
//	/base      lower layer of every root: /etc, mount points, nothing executable
//	/hostbase  the same, for functions that need the host's libraries
//	/devtree   /dev of every sandbox, read-only
//	/systree   /sys of every sandbox, read-only
//	/empty     what a masked directory shows
//	/host/usr  the host's libraries, read-only
//	/l/N       layers of images, read-only
//	/mnt       where a root is mounted
//	/s         where a child mounts its writable upper layer, if it asked for one
//	/proc      the daemon's, without which a user namespace may not mount its own
type stage struct {
	ns       int // descriptor of the namespace
	self     int // the daemon's
	proc     int // descriptor of the daemon's /proc
	fds      int // of the folder of this process's descriptors
	rootless bool
	overlay  bool
	lean     bool     // what sandboxes see of the kernel (see ProfileLean)
	sys      error    // why there is no /systree
	hostDirs []string // below /host, to bind into a root with the host's libraries
	files    []string // to mask, relative to the root
	dirs     []string
	readonly []string

	shown   *script // the kernel's part of a root that a child has by its birth, the same for every child
	secured *script // and its rights
}

// hostTop lists what a dynamically linked program needs of the host.
var hostTop = []string{"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}

// Masked and read-only paths are runc's default ones.
var (
	maskFiles = []string{"proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "proc/interrupts"}
	maskDirs  = []string{"proc/acpi", "proc/asound", "proc/scsi"}
	maskWrite = []string{"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"}
	maskSys   = []string{"firmware", "devices/virtual/powercap"}
)

var devices = []struct {
	name         string
	major, minor uint32
}{{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}}

// newStage builds the stage and moves the calling thread, which must be locked
// and stay so, onto it.
func newStage(self int, rootless, overlay, lean bool) (*stage, error) {
	st := &stage{self: self, rootless: rootless, overlay: overlay, lean: lean, ns: -1}
	for _, list := range []struct{ from, to *[]string }{{&maskFiles, &st.files}, {&maskDirs, &st.dirs}, {&maskWrite, &st.readonly}} {
		for _, p := range *list.from {
			if _, err := os.Lstat("/" + p); err == nil {
				*list.to = append(*list.to, p)
			}
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("mount namespace: %w", err)
	}
	unix.Umask(0)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("private mounts: %w", err)
	}
	top, err := mountTop(nosuid|nodev, []string{"/tmp", "/run", "/mnt", "/media", "/srv"})
	if err != nil {
		return nil, err
	}
	for _, build := range []func(string) error{st.buildDirs, st.buildDev, st.buildSys, st.buildBase, st.buildHost, st.leave} {
		if err := build(top); err != nil {
			return nil, fmt.Errorf("stage: %w", err)
		}
	}
	if st.proc, err = unix.Open("/proc", unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	if st.fds, err = unix.Open("/proc/self/fd", unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	if st.ns, err = st.here(); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	st.compile()
	return st, nil
}

// here opens the mount namespace of the calling thread.
func (st *stage) here() (int, error) {
	return openAt(st.proc, "thread-self/ns/mnt", unix.O_RDONLY)
}

// enter moves the calling thread, which must be locked and stay so, onto the stage.
func (st *stage) enter() error { return joinMounts(st.ns) }

// joinMounts moves the calling thread into a mount namespace.
func joinMounts(ns int) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	unix.Umask(0)
	return unix.Setns(ns, unix.CLONE_NEWNS)
}

// mountTop mounts a tmpfs over the first of some folders that the host has, and returns
// which: nobody but this namespace sees it.
func mountTop(flags uintptr, folders []string) (string, error) {
	var errs []error
	for _, dir := range folders {
		err := unix.Mount("coldstorm", dir, "tmpfs", flags, "mode=0755")
		if err == nil {
			return dir, nil
		}
		errs = append(errs, fmt.Errorf("tmpfs on %s: %w", dir, err))
	}
	return "", errors.Join(errs...)
}

func (st *stage) buildDirs(top string) error {
	for _, dir := range []string{"proc", "base", "hostbase", "devtree", "empty", "host", "l", "mnt", "s", "systree"} {
		if err := os.Mkdir(filepath.Join(top, dir), 0o755); err != nil {
			return err
		}
	}
	// The kernel lets a user namespace mount a proc or sysfs only where it can
	// already see all of one.
	proc := uintptr(unix.MS_BIND)
	if st.rootless {
		proc |= unix.MS_REC
	}
	if err := unix.Mount("/proc", top+"/proc", "", proc, ""); err != nil {
		return fmt.Errorf("bind /proc: %w", err)
	}
	return readOnly(top+"/empty", 0)
}

// readOnly makes the tree at path a read-only mount of its own, with what is
// mounted below it.
func readOnly(path string, keep uint64) error {
	if err := unix.Mount(path, path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", path, err)
	}
	attr := unix.MountAttr{Attr_set: (unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV) &^ keep}
	if err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("read-only %s: %w", path, err)
	}
	return nil
}

// buildDev makes the nodes, or binds the host's where a user namespace may not.
func (st *stage) buildDev(top string) error {
	dev := top + "/devtree"
	if err := unix.Mount("dev", dev, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=0755"); err != nil {
		return fmt.Errorf("tmpfs for /dev: %w", err)
	}
	for _, d := range devices {
		path := filepath.Join(dev, d.name)
		if !st.rootless {
			if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
				return fmt.Errorf("mknod /dev/%s: %w", d.name, err)
			}
			continue
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			return err
		}
		if err := unix.Mount("/dev/"+d.name, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind /dev/%s: %w", d.name, err)
		}
	}
	for _, dir := range []string{"pts", "shm", "mqueue"} {
		if err := os.Mkdir(filepath.Join(dev, dir), 0o755); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
		"stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx", "core": "/proc/kcore",
	} {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	return readOnly(dev, unix.MOUNT_ATTR_NODEV)
}

// buildSys mounts the /sys that all sandboxes share. A sysfs shows the network
// devices of the namespace in which it was mounted, so this one is of a network with
// loopback alone, and a sandbox sees of the host and of others no device. Where a host
// allows no sysfs, sandboxes have none.
func (st *stage) buildSys(top string) error {
	ns, err := unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(ns)
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends, and leaves its network
		err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNET)
		if err == nil {
			err = unix.Setns(ns, unix.CLONE_NEWNS)
		}
		if err == nil {
			err = unix.Mount("sysfs", top+"/systree", "sysfs", nosuid|nodev|noexec|readonly, "")
		}
		done <- err
	}()
	if st.sys = <-done; st.sys != nil {
		return nil
	}
	for _, p := range maskSys {
		path := filepath.Join(top, "systree", p)
		if _, err := os.Lstat(path); err != nil {
			continue
		}
		if err := unix.Mount(top+"/empty", path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mask /sys/%s: %w", p, err)
		}
	}
	return nil
}

// buildHost binds the host's programs and libraries, read-only.
func (st *stage) buildHost(top string) error {
	for _, name := range hostTop {
		to, err := os.Readlink("/" + name)
		if err == nil {
			if err := os.Symlink(to, filepath.Join(top, "hostbase", name)); err != nil {
				return err
			}
			continue
		}
		if fi, err := os.Stat("/" + name); err != nil || !fi.IsDir() {
			continue
		}
		path := filepath.Join(top, "host", name)
		for _, dir := range []string{path, filepath.Join(top, "hostbase", name)} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount("/"+name, path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind /%s: %w", name, err)
		}
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
		if err := unix.MountSetattr(unix.AT_FDCWD, path, unix.AT_RECURSIVE, &attr); err != nil {
			return fmt.Errorf("read-only /%s: %w", name, err)
		}
		st.hostDirs = append(st.hostDirs, name)
	}
	for _, base := range []string{"/base", "/hostbase"} {
		if err := readOnly(top+base, 0); err != nil {
			return err
		}
	}
	return nil
}

// leave makes top the root and lets go of the host's tree.
func (st *stage) leave(top string) error {
	if err := unix.Chdir(top); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach the host's tree: %w", err)
	}
	return unix.Chdir("/")
}

// openLayer clones the folder at path, seen from the host's tree, as a
// read-only mount that is nowhere yet.
func openLayer(path string) (int, error) {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, flags)
	if errors.Is(err, syscall.EINVAL) { // mounts below it that a user namespace may not leave out
		fd, err = unix.OpenTree(unix.AT_FDCWD, path, flags|unix.AT_RECURSIVE)
	}
	if err != nil {
		return -1, fmt.Errorf("layer %s: %w", path, err)
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("layer %s read-only: %w", path, err)
	}
	return fd, nil
}

// addLayer puts an opened layer at path, as the calling thread sees it. Nothing is left
// there of one that is refused: every sandbox with a writable root has a copy of the stage.
func addLayer(fd int, path string) (err error) {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	if err = unix.MoveMount(fd, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		err = fmt.Errorf("mount: %w", err)
	} else if err = checkLayer(path); err != nil {
		err = errors.Join(err, os.NewSyscallError("umount", unix.Unmount(path, unix.MNT_DETACH)))
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

// checkLayer refuses a layer in which a path that we mount on is not a folder.
// The base layer lies above it and would hide it, so this is the second lock.
func checkLayer(root string) error {
	for _, p := range []string{"dev", "proc", "sys", "tmp", "var", "var/task", "etc"} {
		fi, err := os.Lstat(filepath.Join(root, p))
		if err == nil && !fi.IsDir() {
			return fmt.Errorf("image has /%s as %s, not as a folder: refused", p, fi.Mode().Type())
		}
	}
	return nil
}
