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

	"golang.org/x/sys/unix"
)

// cgroupPrefix begins the name of every cgroup that is ours at the top; the pid
// of its launcher and a random part follow.
const cgroupPrefix = "coldstorm-"

// controllers that a sandbox wants, each where the host has it: a version 1
// hierarchy, the version 2 one, or nowhere. cpuacct is version 1's way to count
// processor time, which version 2 counts without being asked.
var controllers = []string{"memory", "cpu", "cpuacct", "pids", "freezer"}

// A hierarchy is one mounted cgroup tree and the folder that is ours in it.
type hierarchy struct {
	v2  bool
	top string // where the tree is mounted
	dir string // ours, or (before open) the one that this process is in
	fd  int
}

// cgroups are the trees that sandboxes are put into.
type cgroups struct {
	at  map[string]*hierarchy // by controller
	all []*hierarchy          // each once
	v2  *hierarchy            // if any controller is there
}

// openCgroups makes our folder in every tree that has a controller we want.
// What can't be had is left out and told, by controller. With unified, version 2
// is taken for what every cgroup of it can do, even where version 1 could too.
func openCgroups(name string, unified bool) (*cgroups, map[string]error) {
	missing := map[string]error{}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	self, err2 := os.ReadFile("/proc/self/cgroup")
	if err := errors.Join(err, err2); err != nil {
		for _, c := range controllers {
			missing[c] = err
		}
		return &cgroups{}, missing
	}
	g := &cgroups{at: map[string]*hierarchy{}}
	opened := map[*hierarchy]error{}
	found := findCgroups(string(mountinfo), string(self))
	for _, c := range controllers {
		h, err := found[c], error(nil)
		if unified && (c == "freezer" || c == "cpuacct") {
			h = nil
		}
		if h == nil {
			h, err = g.unified(found[""], c, name)
			if err == nil && h == nil {
				err = errors.New("no cgroup tree with it is mounted")
			}
		}
		if err == nil {
			tried, done := opened[h]
			if !done {
				tried = h.open(name)
				opened[h] = tried
			}
			err = tried
		}
		if err != nil {
			missing[c] = err
			continue
		}
		g.at[c] = h
		if !slices.Contains(g.all, h) {
			g.all = append(g.all, h)
		}
		if h.v2 {
			g.v2 = h
		}
	}
	if g.at["cpuacct"] == nil {
		delete(missing, "cpuacct") // not a limit: usage then comes from /proc
	}
	return g, missing
}

// unified offers the version 2 tree for a controller, handing it down to our
// folder, or nil if the tree hasn't got it.
func (g *cgroups) unified(h *hierarchy, controller, name string) (*hierarchy, error) {
	switch {
	case h == nil:
		return nil, nil
	case controller == "freezer", controller == "cpuacct": // part of every version 2 cgroup but the root
		return h, nil
	}
	bases := []string{h.dir, h.top}
	if h.fd >= 0 {
		bases = []string{filepath.Dir(h.dir)}
	}
	base, err := handedDown(bases, controller)
	if base == "" || err != nil {
		return nil, err
	}
	if h.fd < 0 {
		h.dir = base
	}
	fresh := h.fd < 0
	if err := h.open(name); err != nil {
		return nil, err
	}
	if err := enable(h.dir, controller); err != nil {
		if fresh { // nobody else will remove it
			unix.Close(h.fd)
			err = errors.Join(err, rmdir(unix.AT_FDCWD, h.dir))
			h.dir, h.fd = base, -1
		}
		return nil, err
	}
	return h, nil
}

// handedDown returns the first base that hands the controller down to folders
// made in it, "" if none has it. A cgroup with processes of its own hands
// nothing down, unless it is the tree's root (kernel: cgroup-v2, no internal
// process constraint), so the root is tried after the cgroup that we are in.
func handedDown(bases []string, controller string) (string, error) {
	var errs []error
	for _, base := range bases {
		has, err := os.ReadFile(filepath.Join(base, "cgroup.controllers"))
		if err != nil || !slices.Contains(strings.Fields(string(has)), controller) {
			continue
		}
		if err := enable(base, controller); err != nil {
			errs = append(errs, err)
			continue
		}
		return base, nil
	}
	return "", errors.Join(errs...)
}

// enable hands a controller down from a cgroup to those below it.
func enable(dir, controller string) error {
	file := filepath.Join(dir, "cgroup.subtree_control")
	if on, err := os.ReadFile(file); err == nil && slices.Contains(strings.Fields(string(on)), controller) {
		return nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("+" + controller)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("hand %s down from %s: %w", controller, dir, err)
	}
	return nil
}

// open makes our folder, once, and locks it (see Clean).
func (h *hierarchy) open(name string) error {
	if h.fd >= 0 {
		return nil
	}
	dir := filepath.Join(h.dir, name)
	for try := 0; ; try++ {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		fd, err := openLocked(dir)
		if err == nil {
			h.dir, h.fd = dir, fd
			return nil
		}
		os.Remove(dir)
		if !errors.Is(err, unix.ENOENT) || try == 100 {
			return fmt.Errorf("open %s: %w", dir, err)
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
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	for errors.Is(err, unix.EINTR) { // a memory limit's write waits, and is interrupted
		_, err = unix.Write(fd, []byte(text))
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
	for {
		fd, err = unix.Openat(dir, path, flags|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

// make makes a sandbox's cgroups, empty and without limits.
func (g *cgroups) make(name string) error {
	for i, h := range g.all {
		if err := unix.Mkdirat(h.fd, name, 0o755); err != nil {
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
			files = [][2]string{{"/memory.max", n}, {"/memory.swap.max", "0"}}
		}
		for i, f := range files {
			// A kernel without swap accounting lacks the second file.
			if err := h.write(name+f[0], f[1]); err != nil && !(i == 1 && errors.Is(err, unix.ENOENT)) {
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
	return errors.Join(errs...)
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}
