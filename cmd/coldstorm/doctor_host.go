package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// hostFindings tells the machine and what the kernel grants to processes.
func hostFindings() []finding {
	h := describeHost()
	return []finding{
		{Name: "kernel", State: stateInfo, Value: "Linux " + h.Kernel},
		{Name: "processor", State: stateInfo, Value: fmt.Sprintf("%s, %d cores", h.CPU, h.Cores)},
		{Name: "memory", State: stateInfo, Value: fmt.Sprintf("%d MB, %d MB of it available", h.MemoryBytes>>20, availableMemory()>>20)},
		swapFinding(meminfoMB("SwapTotal"), meminfoMB("SwapFree")),
		clockFinding(h.ClockSource),
		filesFinding(openFiles()),
	}
}

// meminfoMB is a line of /proc/meminfo in MB, 0 if there is none.
func meminfoMB(key string) int64 {
	kb, _, _ := strings.Cut(field("/proc/meminfo", key), " ")
	n, _ := strconv.ParseInt(kb, 10, 64)
	return n >> 10
}

func swapFinding(total, free int64) finding {
	f := finding{Name: "swap", State: stateInfo, Value: "none"}
	if total > 0 {
		f.Value = fmt.Sprintf("%d of %d MB used", total-free, total)
	}
	if total > free {
		f.State, f.Means, f.Do = stateWarn, "a program that was swapped out starts slowly", "sudo swapoff -a, if memory is enough without"
	}
	return f
}

// slowClocks are read by a system call or a device, where a stamp should cost
// some 50 ns.
var slowClocks = []string{"hpet", "acpi_pm", "jiffies", "pit"}

func clockFinding(source string) finding {
	f := finding{Name: "clock", State: stateInfo, Value: source}
	if slices.Contains(slowClocks, source) {
		f.State, f.Means, f.Do = stateWarn, "every stamp takes a microsecond or more", "boot with clocksource=tsc tsc=reliable, where the processor's counter can be trusted"
	}
	return f
}

// filesPerEnvironment is what an environment takes of the engine's descriptors, its
// request's included.
const filesPerEnvironment = filesEach + 1

func filesFinding(n int) finding {
	f := finding{Name: "open files", State: stateInfo, Value: fmt.Sprintf("%d, for %d environments at once", n, n/filesPerEnvironment)}
	if n < 1000*filesPerEnvironment {
		f.State, f.Means, f.Do = stateWarn, "a storm of a thousand triggers at once doesn't fit", "raise the hard limit: ulimit -Hn 65536 as root, or LimitNOFILE=65536 (sudo systemctl edit user@.service)"
	}
	return f
}

// noiseTime is how long the processors are watched.
const noiseTime = 200 * time.Millisecond

// noiseFindings tells what else goes on.
func noiseFindings() []finding {
	before := parseTicks(firstLine("/proc/stat"))
	time.Sleep(noiseTime)
	now := parseTicks(firstLine("/proc/stat"))
	load, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	return []finding{
		noiseFinding(now.since(before)),
		{Name: "load", State: stateInfo, Value: load + ", mean of a minute"},
		governorFinding(firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
	}
}

// ticks are how long all processors did what, in 1/100 s as a rule (proc(5), stat).
type ticks struct{ all, idle, steal int64 }

// parseTicks reads the first line of /proc/stat. Guest time, at its end, is part
// of user time.
func parseTicks(line string) (t ticks) {
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return ticks{}
	}
	for i, s := range f[1:9] {
		n, _ := strconv.ParseInt(s, 10, 64)
		t.all += n
		switch i {
		case 3, 4: // idle, and idle while a disk is waited for
			t.idle += n
		case 7:
			t.steal = n
		}
	}
	return t
}

func (t ticks) since(u ticks) ticks { return ticks{t.all - u.all, t.idle - u.idle, t.steal - u.steal} }

func noiseFinding(t ticks) finding {
	f := finding{Name: "noise", State: stateInfo, Value: "unknown"}
	if t.all <= 0 {
		return f
	}
	busy, steal := 100*(t.all-t.idle-t.steal)/t.all, 100*t.steal/t.all
	f.Value = fmt.Sprintf("processors %d%% busy, %d%% taken by other virtual machines", busy, steal)
	switch {
	case steal > 2:
		f.State, f.Means, f.Do = stateWarn, "other virtual machines take processor time: figures vary", "a machine of its own, or more repetitions"
	case busy > 10:
		f.State, f.Means, f.Do = stateWarn, "other programs run: figures vary", "end them, or wait"
	}
	return f
}

func governorFinding(governor string) finding {
	f := finding{Name: "frequency", State: stateInfo, Value: "governor " + governor}
	switch governor {
	case "unknown":
		f.Value = "not for this kernel to choose"
	case "performance":
	default:
		f.State, f.Means, f.Do = stateWarn, "a processor that was idle is slow at first: latencies at a low rate are too high", "sudo cpupower frequency-set -g performance"
	}
	return f
}

// ociRuntimes are the programs that are looked for.
var ociRuntimes = []string{"runc", "crun", "runsc", "youki"}

// ociFindings tells which OCI runtimes are on PATH. None is needed.
func ociFindings(ctx context.Context) []finding {
	var list []finding
	for _, name := range ociRuntimes {
		if path, err := exec.LookPath(name); err == nil {
			list = append(list, finding{Name: "OCI runtime", State: stateInfo, Value: path + ": " + programVersion(ctx, path)})
		}
	}
	if len(list) == 0 {
		list = append(list, finding{Name: "OCI runtime", State: stateInfo, Value: "none of " + strings.Join(ociRuntimes, ", ") + " on PATH; none is needed"})
	}
	return list
}

// programVersion is the first line that a program says of its version.
func programVersion(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
