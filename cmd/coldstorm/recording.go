package main

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/loadgen/record"
	"coldstorm/results"
)

// useEvery is how often the generator's processor time is read during a storm.
const useEvery = 100 * time.Millisecond

// watchUse reads the processor time of this process, which is the generator, until
// stop is called; that returns the readings.
func watchUse() (stop func() []record.Use) {
	var use []record.Use
	read := func() {
		var ru unix.Rusage
		if unix.Getrusage(unix.RUSAGE_SELF, &ru) == nil {
			use = append(use, record.Use{At: results.Now(), CPU: time.Duration(ru.Utime.Nano() + ru.Stime.Nano())})
		}
	}
	read()
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(useEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				read()
			}
		}
	})
	return func() []record.Use {
		close(done)
		wg.Wait()
		read()
		return slices.Clip(use)
	}
}

// recorded notes what a reader must know of how a storm's figures were gathered.
func (r *runner) recorded(rec *record.Recorder) {
	if rec.Rounded() {
		r.note(results.LevelInfo, rec.Name, "its quantiles come from histograms of three digits, at most 0.1 %% above what was measured, as it has more than 100,000 triggers; counts, extremes and means are exact, and samples.csv has every trigger")
	}
}
