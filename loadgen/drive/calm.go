package drive

import (
	"context"
	"runtime"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// Calibration is what a host tells of time while nothing is fired: no figure of a storm
// is finer.
type Calibration struct {
	// Hiccups are by how much sleeps of a millisecond, of a thread that wakes as the sender
	// does, ended late: what scheduler, hypervisor and interrupts add to whoever waits.
	Hiccups results.Quantiles
	// Clock is the mean time of one reading of the clock.
	Clock time.Duration
	// Others is the share of all cores that others used meanwhile, 0..1.
	Others float64
}

// The size of a calibration: some 600 ms.
const (
	calmSleep    = time.Millisecond
	calmSleeps   = 500
	clockReading = 10_000
)

// Calibrate measures the host. It ends early, with what it has, when ctx does.
func Calibrate(ctx context.Context) Calibration {
	done := make(chan Calibration)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends, sharpened as it is
		sharpen()
		var c Calibration
		begin := results.Now()
		for range clockReading {
			results.Now()
		}
		c.Clock = results.Now().Sub(begin) / clockReading
		before := readUsage()
		var b bell
		late := make([]time.Duration, 0, calmSleeps)
		for len(late) < calmSleeps && ctx.Err() == nil {
			until := results.Now().Add(calmSleep)
			for results.Now() < until {
				b.wait(0, until)
			}
			late = append(late, results.Now().Sub(until))
		}
		use := readUsage().since(before)
		c.Others = max(0, use.host-use.process/float64(runtime.NumCPU()))
		c.Hiccups = stats.Summarise(late)
		done <- c
	}()
	return <-done
}
