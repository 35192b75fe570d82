package engine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ownCPU is this process's processor time.
func ownCPU() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// processCPU is another process's (clock_getcpuclockid(3)), or 0.
func processCPU(pid int) time.Duration {
	var ts unix.Timespec
	if pid <= 0 || unix.ClockGettime(int32(^pid<<3|2), &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// onlyChild is the pid of this process's child, or 0 if it hasn't exactly one
// or the kernel doesn't tell (proc(5), children).
func onlyChild() int {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0
	}
	var all []string
	for _, t := range threads {
		b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%s/children", t.Name()))
		if err == nil {
			all = append(all, strings.Fields(string(b))...)
		}
	}
	if len(all) != 1 {
		return 0
	}
	pid, err := strconv.Atoi(all[0])
	if err != nil {
		return 0
	}
	return pid
}
