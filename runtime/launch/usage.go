package launch

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var hostCPUs = runtime.NumCPU()

// Usage is what a sandbox has used since its start.
type Usage struct {
	CPU        time.Duration // processor time of all its processes
	PeakMemory int64         // bytes; without a memory cgroup, the largest resident set of its first process
	OOMKills   int           // processes killed for going over its memory limit; always 0 without a memory cgroup
}

func (u Usage) encode(e *encoder) {
	e.int(int64(u.CPU))
	e.int(u.PeakMemory)
	e.int(int64(u.OOMKills))
}

func (u *Usage) decode(d *decoder) {
	u.CPU = time.Duration(d.int())
	u.PeakMemory = d.int()
	u.OOMKills = int(d.int())
}

// procUsage counts what /proc knows of a process and its descendants, for hosts
// without cgroups. Processes that ended and whose parent did too are missed.
func procUsage(pid int) Usage {
	var u Usage
	for _, p := range family(pid) {
		u.CPU += processorTime(p)
	}
	if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status"); err == nil {
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
				u.PeakMemory = kb << 10
			}
		}
	}
	return u
}

// processorTime reads a process's own processor clock, to the nanosecond
// (clock_getcpuclockid(3)).
func processorTime(pid int) time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|2), &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// family lists a process and its living descendants, parents first.
func family(pid int) []int {
	list := []int{pid}
	for i := 0; i < len(list); i++ {
		list = append(list, children(list[i])...)
	}
	return list
}

// children lists a process's children that have not been waited for.
func children(pid int) (list []int) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, t := range threads {
		text, err := os.ReadFile(dir + "/" + t.Name() + "/children")
		if err != nil {
			continue
		}
		for child := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

// signalFamily stops (SIGSTOP) or continues (SIGCONT) a process and all its
// descendants but those that spare names. Stopping goes on until no new one is
// found, since a process may fork while the list is read; parents stop before
// their children.
func signalFamily(pid int, sig unix.Signal, spare func(pid int) bool) {
	done := map[int]bool{}
	for {
		fresh := false
		for _, p := range family(pid) {
			if !done[p] {
				done[p], fresh = true, true
				if !spare(p) {
					unix.Kill(p, sig)
				}
			}
		}
		if !fresh {
			return
		}
	}
}

// traced tells whether a process is held by ptrace(2). A SIGSTOP of it would go to
// its tracer, which may take it for its own tracee's fault (gVisor's sentry ends its
// sandbox then); it stands still when it next waits for its stopped tracer.
func traced(pid int) bool {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	_, tracer, found := strings.Cut(string(text), "\nTracerPid:\t")
	return found && !strings.HasPrefix(tracer, "0\n")
}

// none spares no process.
func none(int) bool { return false }
