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
	process, host float64
}

func readUsage() usage {
	u := usage{at: time.Now()}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) == nil {
		u.self = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	stat, _ := os.ReadFile("/proc/stat")
	u.busy, u.total = parseStat(stat)
	return u
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
