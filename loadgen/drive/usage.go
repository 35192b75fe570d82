package drive

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// usage is processor time: of this process in cores, and of the host as the
// share of all its cores that was busy. A reading has sums in it, a difference
// shares.
type usage struct {
	at            time.Time
	self          time.Duration
	busy, total   float64 // clock ticks of all cores
	waited        float64 // seconds for which something waited for a core; negative: not told
	process, host float64
	pressure      *float64 // share of the time; nil: not told
}

func readUsage() usage {
	u := usage{at: time.Now()}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) == nil {
		u.self = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	stat, _ := os.ReadFile("/proc/stat")
	u.busy, u.total = parseStat(stat)
	pressure, _ := os.ReadFile("/proc/pressure/cpu")
	u.waited = parsePressure(pressure)
	return u
}

// parsePressure reads for how many seconds some task has waited for a core (kernel
// documentation: "PSI - Pressure Stall Information"); -1 if the kernel doesn't tell.
func parsePressure(text []byte) float64 {
	for line := range bytes.Lines(text) {
		_, total, ok := bytes.Cut(bytes.TrimSpace(line), []byte("total="))
		if us, err := strconv.ParseUint(string(total), 10, 64); ok && err == nil && bytes.HasPrefix(line, []byte("some ")) {
			return float64(us) / 1e6
		}
	}
	return -1
}

// parseStat reads the first line of /proc/stat (proc_stat(5)): ticks in user,
// nice, system, idle, iowait, irq, softirq and steal. Guests' time is within
// user's. What it can't read counts as nothing.
func parseStat(stat []byte) (busy, total float64) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, 0
	}
	for i, field := range fields[1:9] {
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil {
			return 0, 0
		}
		total += float64(n)
		if i != 3 && i != 4 { // idle, iowait
			busy += float64(n)
		}
	}
	return busy, total
}

func (u usage) since(v usage) usage {
	if d := u.at.Sub(v.at); d > 0 {
		u.process = float64(u.self-v.self) / float64(d)
		if u.waited >= v.waited && v.waited >= 0 {
			share := min(1, (u.waited-v.waited)/d.Seconds())
			u.pressure = &share
		}
	}
	if u.total > v.total {
		u.host = (u.busy - v.busy) / (u.total - v.total)
	}
	return u
}

// used returns the usage since the storm began, none if it did not.
func (f *fire) used() usage {
	if !f.hasBegun() {
		return usage{}
	}
	return readUsage().since(f.before)
}
