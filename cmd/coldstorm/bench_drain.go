package main

import (
	"os"
	"strings"
	"time"
)

// The kernel destroys network namespaces in one thread, by and by, long after the
// processes in them have ended. What is measured meanwhile shares the machine with that,
// and its memory is not free yet.

// drainLimit bounds how long the kernel is waited for.
const drainLimit = 10 * time.Second

// drain waits until the kernel has destroyed all that it is to, and returns how long that
// took. done is false if it was still at it in the end, or can't be watched.
func drain() (took time.Duration, done bool) {
	began := time.Now()
	for idle := 0; time.Since(began) < drainLimit; {
		if destroying() {
			idle, took = 0, time.Since(began)
		} else if idle++; idle > 5 { // it begins a moment after the last process was reaped
			return took, true
		}
		time.Sleep(2 * time.Millisecond)
	}
	return drainLimit, false
}

// destroying says whether the kernel's worker for network namespaces is at work: the name
// of a worker ends in that of its queue, after a plus sign while it is busy.
func destroying() bool {
	list, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	for _, p := range list {
		if c := p.Name()[0]; c < '0' || c > '9' {
			continue
		}
		name, err := os.ReadFile("/proc/" + p.Name() + "/comm")
		if err == nil && strings.HasPrefix(string(name), "kworker/") && strings.HasSuffix(strings.TrimSpace(string(name)), "+netns") {
			return true
		}
	}
	return false
}
