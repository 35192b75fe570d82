package engine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/live"
)

// meters reads sandboxes' cgroups directly. To ask the launcher costs 75 us, two
// reads cost 3: they are on the path of every response. Zero hierarchies, and
// sandboxes whose cgroups can't be found, leave it to the launcher.
type meters struct{ cpu, memory, pids hierarchy }

func findMeters() meters {
	m := meters{findHierarchy("cpuacct"), findHierarchy("memory"), findHierarchy("pids")}
	v2 := findHierarchy("")
	for _, h := range []*hierarchy{&m.cpu, &m.memory, &m.pids} {
		if h.mount == "" {
			*h = v2
		}
	}
	return m
}

// meter is one sandbox's open counters. The zero value is closed.
type meter struct {
	cpu, memory *os.File
	pids        *os.File // nil without a limit on processes
}

// open finds a living sandbox's counters by its first process. A process that
// has just died is in a root cgroup, whose counters are not its own.
func (m meters) open(pid int) (t meter, ok bool) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup") // once: it waits for the kernel's lock on all cgroups
	if err != nil {
		return meter{}, false
	}
	return m.openIn(b)
}

// openIn is open for a process whose /proc/PID/cgroup holds b.
func (m meters) openIn(b []byte) (t meter, ok bool) {
	var err error
	if t.cpu, err = openCounter(m.cpu, b, "cpuacct.usage", "cpu.stat"); err != nil {
		return meter{}, false
	}
	t.memory, err = openCounter(m.memory, b, "memory.max_usage_in_bytes", "memory.peak")
	if errors.Is(err, unix.ENOENT) { // before Linux 5.19: live keeps the largest that was seen
		t.memory, err = openCounter(m.memory, b, "memory.max_usage_in_bytes", "memory.current")
	}
	if err != nil {
		t.cpu.Close()
		return meter{}, false
	}
	t.pids, _ = openCounter(m.pids, b, "pids.events", "pids.events")
	return t, true
}

func openCounter(h hierarchy, cgroups []byte, v1, v2 string) (*os.File, error) {
	if h.mount == "" {
		return nil, errNoCgroup
	}
	dir, err := h.parse(string(cgroups))
	if err != nil {
		return nil, err
	}
	if !isOurs(dir) {
		return nil, errNoCgroup
	}
	name := h.choose(v1, v2)
	fd, err := unix.Open(filepath.Join(dir, name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// isOurs recognises a sandbox's cgroup by the launcher's folder above it.
func isOurs(dir string) bool { return strings.HasPrefix(filepath.Base(ourFolder(dir)), "coldstorm-") }

// ourFolder is the launcher's folder, if dir is a sandbox's: above it, or above its node.
func ourFolder(dir string) string {
	above := filepath.Dir(dir)
	if strings.HasPrefix(filepath.Base(above), "n.") {
		above = filepath.Dir(above)
	}
	return above
}

func (t meter) close() {
	for _, f := range []*os.File{t.cpu, t.memory, t.pids} {
		if f != nil {
			f.Close()
		}
	}
}

func (t meter) read() (u live.Usage, err error) {
	var b [512]byte
	n, err := unix.Pread(int(t.cpu.Fd()), b[:], 0)
	if err != nil {
		return u, err
	}
	u.CPU = parseCPU(b[:n])
	if n, err = unix.Pread(int(t.memory.Fd()), b[:], 0); err != nil {
		return u, err
	}
	u.PeakMemory = leadingInt(b[:n])
	return u, nil
}

// crowded reports whether the limit on processes has refused one.
func (t meter) crowded() bool {
	if t.pids == nil {
		return false
	}
	var b [64]byte
	n, err := unix.Pread(int(t.pids.Fd()), b[:], 0)
	return err == nil && parseRefused(b[:n]) > 0
}

// parseRefused reads pids.events (max N).
func parseRefused(b []byte) int64 {
	rest, ok := bytes.CutPrefix(b, []byte("max "))
	if !ok {
		return 0
	}
	return leadingInt(rest)
}

// parseCPU reads cpuacct.usage (nanoseconds) or cpu.stat (usage_usec N, ...).
func parseCPU(b []byte) time.Duration {
	if rest, ok := bytes.CutPrefix(b, []byte("usage_usec ")); ok {
		return time.Duration(leadingInt(rest)) * time.Microsecond
	}
	return time.Duration(leadingInt(b))
}

func leadingInt(b []byte) (n int64) {
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
