package main

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"coldstorm/loadgen/drive"
	"coldstorm/results"
)

// describeHost fills in what the kernel says of this machine. What the launcher
// found out about limits is added by the caller.
func describeHost() results.Host {
	return results.Host{
		Kernel:      kernelRelease(),
		CPU:         field("/proc/cpuinfo", "model name"),
		Cores:       runtime.NumCPU(),
		MemoryBytes: memoryBytes(),
		ClockSource: firstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
		Rootless:    os.Geteuid() != 0,
	}
}

// calibrate measures what the host adds to whoever waits, and says so where its clock is
// slow. Nothing else must run.
func calibrate(ctx context.Context, h *results.Host, note func(results.Level, string, string, ...any)) {
	c := drive.Calibrate(ctx)
	h.Hiccups, h.ClockCost, h.Others = c.Hiccups, c.Clock, c.Others
	if f := clockFinding(h.ClockSource); f.State == stateWarn {
		note(results.LevelWarn, "", "the clock is %s: %s (%v measured); %s", f.Value, f.Means, c.Clock, f.Do)
	}
}

func kernelRelease() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}

func memoryBytes() int64 {
	kb, _, _ := strings.Cut(field("/proc/meminfo", "MemTotal"), " ")
	n, err := strconv.ParseInt(kb, 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// field returns the value of the first line "key : value" of a file of /proc,
// or "unknown".
func field(path, key string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// availableMemory is what the kernel says can be used without swapping, in
// bytes; half of all memory where it doesn't say.
func availableMemory() int64 {
	kb, _, _ := strings.Cut(field("/proc/meminfo", "MemAvailable"), " ")
	n, err := strconv.ParseInt(kb, 10, 64)
	if err != nil {
		return memoryBytes() / 2
	}
	return n << 10
}

// openFiles is how many files a process of ours may have open: the hard limit,
// to which Go raises the soft one.
func openFiles() int {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 1024 // what every Linux allows
	}
	return int(min(l.Max, 1<<30))
}
