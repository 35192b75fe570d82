package results

import (
	"time"

	"golang.org/x/sys/unix"
)

// Stamp is a reading of the kernel's CLOCK_MONOTONIC in nanoseconds. Stamps of
// different processes of one boot compare, which is what lets the generator's,
// the engine's and the launcher's times be laid side by side. The zero Stamp
// means that the thing did not happen.
type Stamp int64

// epoch ties Go's monotonic clock, which is the same kernel clock behind the
// vDSO, to its raw value, so that Now costs no system call.
var epoch, epochStamp = func() (time.Time, Stamp) {
	var ts unix.Timespec
	best, at, stamp := time.Duration(1<<62), time.Time{}, Stamp(0)
	for range 8 { // the tightest of a few readings
		before := time.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			panic("clock_gettime(CLOCK_MONOTONIC): " + err.Error())
		}
		if d := time.Since(before); d < best {
			best, at, stamp = d, before.Add(d/2), Stamp(ts.Nano())
		}
	}
	return at, stamp
}()

// Now reads the clock.
func Now() Stamp { return epochStamp + Stamp(time.Since(epoch)) }

// StampOf converts a time that carries a monotonic reading of this process.
func StampOf(t time.Time) Stamp { return epochStamp + Stamp(t.Sub(epoch)) }

// Time converts a stamp of this boot to a time of this process.
func (s Stamp) Time() time.Time { return epoch.Add(time.Duration(s - epochStamp)) }

// Sub returns s - t, or 0 if either did not happen.
func (s Stamp) Sub(t Stamp) time.Duration {
	if s == 0 || t == 0 {
		return 0
	}
	return time.Duration(s - t)
}

// Add returns s + d.
func (s Stamp) Add(d time.Duration) Stamp { return s + Stamp(d) }
