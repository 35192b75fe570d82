package main

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/runtime/engine"
)

// stormView is what the live view shows of one storm, from counters that are
// written as samples end and read when the view is drawn.
type stormView struct {
	name     string
	schedule storm.Schedule
	began    time.Time

	ended, throttled, failed atomic.Int64
	latest                   atomic.Pointer[record.Census]
	first, last              atomic.Pointer[engine.Census]

	mu         sync.Mutex
	counts     []record.Census
	cold, warm []time.Duration // the latest ones, for the view alone
	unknown    []time.Duration // of an endpoint that doesn't tell
}

// viewSamples is how many latencies the view's medians are of.
const viewSamples = 512

func newStormView(name string, s storm.Schedule) *stormView {
	return &stormView{name: name, schedule: s, began: time.Now()}
}

// census takes a count of environments from the engine.
func (v *stormView) census(c engine.Census) {
	kept := record.Census{At: c.At, Starting: c.Starting, Idle: c.Idle, Busy: c.Busy}
	v.latest.Store(&kept)
	v.first.CompareAndSwap(nil, &c)
	v.last.Store(&c)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counts = append(v.counts, kept)
}

func (v *stormView) censuses() []record.Census {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.counts)
}

// sample counts a trigger that has ended.
func (v *stormView) sample(x results.Sample) {
	v.ended.Add(1)
	switch x.Outcome {
	case results.OutcomeServed:
		v.mu.Lock()
		defer v.mu.Unlock()
		switch x.Start {
		case results.StartCold:
			v.cold = push(v.cold, x.Latency())
		case results.StartUnknown:
			v.unknown = push(v.unknown, x.Latency())
		default:
			v.warm = push(v.warm, x.Latency())
		}
	case results.OutcomeThrottled:
		v.throttled.Add(1)
	case results.OutcomeFailed, results.OutcomeTimedOut:
		v.failed.Add(1)
	}
}

func push(list []time.Duration, d time.Duration) []time.Duration {
	if len(list) == viewSamples {
		list = list[:copy(list, list[1:])]
	}
	return append(list, d)
}

func (v *stormView) lines() []string {
	lines := []string{fmt.Sprintf("%-8s %s  %s  answered %s of %s",
		v.name, clock(time.Since(v.began)), v.schedule, thousands(int(v.ended.Load())), thousands(v.schedule.Len()))}
	if c := v.latest.Load(); c != nil {
		lines = append(lines, fmt.Sprintf("  env  starting %d  idle %d  busy %d   throttled %d  failed %d",
			c.Starting, c.Idle, c.Busy, v.throttled.Load(), v.failed.Load()))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.unknown) > 0 || len(v.cold)+len(v.warm) == 0 && v.latest.Load() == nil {
		lines = append(lines, fmt.Sprintf("  latency p50 %s (n=%d)   throttled %d  failed %d",
			median(v.unknown), len(v.unknown), v.throttled.Load(), v.failed.Load()))
	}
	if len(v.cold)+len(v.warm) == 0 && v.latest.Load() == nil {
		return lines
	}
	return append(lines, fmt.Sprintf("  cold p50 %s (n=%d)  warm p50 %s (n=%d)",
		median(v.cold), len(v.cold), median(v.warm), len(v.warm)))
}

func median(list []time.Duration) string {
	if len(list) == 0 {
		return "-"
	}
	return span(medianBy(list, func(d time.Duration) time.Duration { return d }))
}
