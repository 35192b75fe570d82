package launch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cgroupPrefix begins the name of every cgroup that is ours at the top; the pid
// of its launcher and a random part follow.
const cgroupPrefix = "coldstorm-"

// controllers that a sandbox wants, each where the host has it: a version 1
// hierarchy, the version 2 one, or nowhere. cpuacct is version 1's way to count
// processor time, which version 2 counts without being asked.
var controllers = []string{"memory", "cpu", "cpuacct", "pids", "freezer"}

// devicesController is version 1's that OCI runtimes want beside these, and that the
// builtin launcher has one folder of: in version 2 a cgroup's devices are a program of
// the kernel's.
const devicesController = "devices"

// A hierarchy is one mounted cgroup tree and the folder that is ours in it.
type hierarchy struct {
	v2  bool
	top string // where the tree is mounted
	dir string // ours, or (before open) the one that this process is in
	fd  int
}

func (h *hierarchy) version() string {
	if h.v2 {
		return "v2"
	}
	return "v1"
}

// place says for a person where our folder was made.
func (h *hierarchy) place() string { return "cgroup " + h.version() + ", in " + filepath.Dir(h.dir) }

// cgroups are the trees that sandboxes are put into.
type cgroups struct {
	at  map[string]*hierarchy // by controller
	all []*hierarchy          // each once
	v2  *hierarchy            // if any controller is there

	shared *shared // version 1's, for devices, if that is a tree of its own (see restrict)
}

// openCgroups makes our folder in every tree that has a controller we want.
// What can't be had is left out and told, by controller. With unified, version 2
// is taken for what every cgroup of it can do, even where version 1 could too; more
// are controllers that are wanted beside the usual ones.
func openCgroups(name string, unified bool, more ...string) (*cgroups, map[string]error) {
	missing := map[string]error{}
	found, err := ownCgroups()
	if err != nil {
		for _, c := range controllers {
			missing[c] = err
		}
		return &cgroups{}, missing
	}
	g := &cgroups{at: map[string]*hierarchy{}}
	opened := map[*hierarchy]error{}
	var rest []string // for version 2
	for _, c := range append(more, controllers...) {
		h := found[c]
		if h == nil || unified && inherent(c) {
			rest = append(rest, c)
			continue
		}
		err, done := opened[h]
		if !done {
			err = h.open(name)
			opened[h] = err
		}
		g.had(c, h, err, missing)
	}
	if h := found[""]; h != nil {
		refused := h.openUnified(name, rest)
		for _, c := range rest {
			g.had(c, h, refused[c], missing)
		}
	} else {
		for _, c := range rest {
			missing[c] = errNotMounted
		}
	}
	delete(missing, devicesController) // not a limit either
	if g.at["cpuacct"] == nil {
		delete(missing, "cpuacct") // not a limit: usage then comes from /proc
	}
	return g, missing
}

// ownCgroups are the cgroups that this process is in, by controller; version 2's
// has no name.
func ownCgroups() (map[string]*hierarchy, error) {
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	self, err2 := os.ReadFile("/proc/self/cgroup")
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return findCgroups(string(mountinfo), string(self)), nil
}

// had notes where a controller is, or why it is nowhere.
func (g *cgroups) had(controller string, h *hierarchy, err error, missing map[string]error) {
	if err != nil {
		missing[controller] = err
		return
	}
	g.at[controller] = h
	if !slices.Contains(g.all, h) {
		g.all = append(g.all, h)
	}
	if h.v2 {
		g.v2 = h
	}
}

// open makes our folder, once, and locks it (see Clean).
func (h *hierarchy) open(name string) error {
	if h.fd >= 0 {
		return nil
	}
	dir := filepath.Join(h.dir, name)
	fd, err := makeLocked(dir)
	if err == nil {
		h.dir, h.fd = dir, fd
	}
	return err
}

// makeLocked makes a cgroup and locks it. The lock is the descriptor's.
func makeLocked(dir string) (fd int, err error) {
	for try := 0; ; try++ {
		if err := unix.Mkdir(dir, 0o755); err != nil {
			return -1, fmt.Errorf("make a folder in %s: %w", filepath.Dir(dir), err)
		}
		fd, err := openLocked(dir)
		if err == nil {
			return fd, nil
		}
		os.Remove(dir)
		if !errors.Is(err, unix.ENOENT) || try == 100 {
			return -1, fmt.Errorf("open %s: %w", dir, err)
		}
		// Another's Clean took it for abandoned before it was locked: again.
	}
}

// openLocked opens a folder and locks it, if it is still there then.
func openLocked(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(fd, unix.LOCK_EX)
	}
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (h *hierarchy) write(path, text string) error {
	fd, err := openAt(h.fd, path, unix.O_WRONLY)
	if err != nil {
		return fmt.Errorf("cgroup %s: %w", path, err)
	}
	defer closeAll(fd)
	for err = unix.EINTR; err == unix.EINTR; { // a memory limit's write waits, and is interrupted
		_, err = raw(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text)))
	}
	if err != nil {
		return fmt.Errorf("cgroup %s: write %s: %w", path, text, err)
	}
	return nil
}

func (h *hierarchy) read(path string) (string, error) {
	fd, err := openAt(h.fd, path, unix.O_RDONLY)
	if err != nil {
		return "", fmt.Errorf("cgroup %s: %w", path, err)
	}
	defer unix.Close(fd)
	var buf [4096]byte
	n, err := unix.Read(fd, buf[:])
	for errors.Is(err, unix.EINTR) {
		n, err = unix.Read(fd, buf[:])
	}
	if err != nil {
		return "", fmt.Errorf("cgroup %s: %w", path, err)
	}
	return string(buf[:n]), nil
}

// openAt opens a file below a folder. (The Go runtime's signals interrupt calls
// that the os package would repeat.)
func openAt(dir int, path string, flags int) (fd int, err error) {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	for {
		fd, err = raw(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(name)), uintptr(flags|unix.O_CLOEXEC), 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// make makes a sandbox's cgroups, empty and without limits.
func (g *cgroups) make(name string) error {
	path, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	for i, h := range g.all {
		if _, err := raw(unix.SYS_MKDIRAT, uintptr(h.fd), uintptr(unsafe.Pointer(path)), 0o755); err != nil {
			for _, made := range g.all[:i] {
				unix.Unlinkat(made.fd, name, unix.AT_REMOVEDIR)
			}
			return fmt.Errorf("make cgroup %s: %w", filepath.Join(h.dir, name), err)
		}
	}
	return nil
}

// limit sets a new sandbox's limits.
func (g *cgroups) limit(name string, s *Spec) error {
	if h := g.at["memory"]; h != nil && s.MemoryBytes > 0 {
		n := strconv.FormatInt(s.MemoryBytes, 10)
		files := [][2]string{{"/memory.limit_in_bytes", n}, {"/memory.memsw.limit_in_bytes", n}}
		if h.v2 {
			// The group: a sandbox of which one process was killed is no more what
			// was measured, and one that lost its first process has ended anyway.
			files = [][2]string{{"/memory.max", n}, {"/memory.swap.max", "0"}, {"/memory.oom.group", "1"}}
		}
		for i, f := range files {
			// A kernel without swap accounting lacks the second file, one before
			// Linux 4.19 the third.
			if err := h.write(name+f[0], f[1]); err != nil && !(i > 0 && errors.Is(err, unix.ENOENT)) {
				return err
			}
		}
	}
	if h := g.at["pids"]; h != nil {
		if err := h.write(name+"/pids.max", strconv.Itoa(s.Pids)); err != nil {
			return err
		}
	}
	if s.CPUs > 0 {
		return g.setCPU(name, s.CPUs)
	}
	return nil
}

// setCPU sets the quota: cpus of a processor's time in every period.
func (g *cgroups) setCPU(name string, cpus float64) error {
	h := g.at["cpu"]
	if h == nil {
		return nil
	}
	quota := quotaUS(cpus)
	if h.v2 {
		if quota < 0 {
			return h.write(name+"/cpu.max", "max")
		}
		return h.write(name+"/cpu.max", fmt.Sprintf("%d %d", quota, cpuPeriodUS))
	}
	if quota >= 0 {
		if err := h.write(name+"/cpu.cfs_period_us", strconv.Itoa(cpuPeriodUS)); err != nil {
			return err
		}
	}
	return h.write(name+"/cpu.cfs_quota_us", strconv.FormatInt(quota, 10))
}

// quotaUS is the microseconds of a period, at least the 1000 that the kernel
// accepts; -1 is no quota, for 0 and for as many processors as there are.
func quotaUS(cpus float64) int64 {
	if cpus <= 0 || cpus >= float64(hostCPUs) {
		return -1
	}
	return max(1000, int64(cpus*cpuPeriodUS))
}

// freezer opens the file that freezes and thaws, for the engine to keep; -1
// without a freezer.
func (g *cgroups) freezer(name string) (fd int, err error) {
	h := g.at["freezer"]
	if h == nil {
		return -1, nil
	}
	file := "/freezer.state"
	if h.v2 {
		file = "/cgroup.freeze"
	}
	fd, err = openAt(h.fd, name+file, unix.O_WRONLY)
	if err != nil {
		return -1, fmt.Errorf("cgroup %s%s: %w", name, file, err)
	}
	return fd, nil
}

// thaw lets a killed sandbox die: version 1 keeps a frozen task from it.
func (g *cgroups) thaw(name string) {
	if h := g.at["freezer"]; h != nil && !h.v2 {
		h.write(name+"/freezer.state", "THAWED")
	}
}

// usage reads a sandbox's counters. What the host doesn't count is 0.
func (g *cgroups) usage(name string) Usage {
	var u Usage
	if h := g.at["memory"]; h != nil {
		peak, events := "/memory.max_usage_in_bytes", "/memory.oom_control"
		if h.v2 {
			peak, events = "/memory.peak", "/memory.events"
		}
		if g.peakless() {
			peak = "/memory.current"
		}
		if text, err := h.read(name + peak); err == nil {
			u.PeakMemory, _ = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
		if text, err := h.read(name + events); err == nil {
			u.OOMKills = int(field(text, "oom_kill"))
		}
	}
	if h := g.at["cpuacct"]; h != nil {
		if !h.v2 {
			if text, err := h.read(name + "/cpuacct.usage"); err == nil {
				ns, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
				u.CPU = time.Duration(ns)
			}
		} else if text, err := h.read(name + "/cpu.stat"); err == nil {
			u.CPU = time.Duration(field(text, "usage_usec")) * time.Microsecond
		}
	}
	return u
}

// peakless says that memory is counted by a version 2 cgroup without memory.peak,
// as before Linux 5.19: its peak is what was seen of it, or the first process's.
func (g *cgroups) peakless() bool {
	h := g.at["memory"]
	return h != nil && h.v2 && unix.Faccessat(h.fd, "memory.peak", unix.F_OK, 0) != nil
}

// field finds "key value" in a flat keyed file.
func field(text, key string) int64 {
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		if k == key {
			n, _ := strconv.ParseInt(v, 10, 64)
			return n
		}
	}
	return 0
}

// remove removes a sandbox's cgroups once its last process has been reaped. The
// kernel may take a moment more to let go.
func (g *cgroups) remove(name string) error {
	var errs []error
	for _, h := range g.all {
		if err := rmdir(h.fd, name); err != nil {
			errs = append(errs, fmt.Errorf("remove cgroup %s: %w", filepath.Join(h.dir, name), err))
		}
	}
	return errors.Join(errs...)
}

func rmdir(fd int, name string) error { return rmdirUntil(fd, name, time.Now().Add(time.Second)) }

func rmdirUntil(fd int, name string, limit time.Time) (err error) {
	for wait := 50 * time.Microsecond; ; wait *= 2 {
		err = unix.Unlinkat(fd, name, unix.AT_REMOVEDIR)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(limit) {
			break
		}
		time.Sleep(wait)
	}
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// close removes our folder in every tree.
func (g *cgroups) close() error {
	var errs []error
	for _, h := range g.all {
		unix.Close(h.fd)
		if err := rmdir(unix.AT_FDCWD, h.dir); err != nil {
			errs = append(errs, fmt.Errorf("remove cgroup %s: %w", h.dir, err))
		}
	}
	if g.shared != nil {
		errs = append(errs, g.shared.close())
	}
	return errors.Join(errs...)
}

// trees are all in which we have a folder.
func (g *cgroups) trees() []*hierarchy {
	if g.shared == nil {
		return g.all
	}
	return append(slices.Clone(g.all), g.shared.h)
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			raw(unix.SYS_CLOSE, uintptr(fd))
		}
	}
}
