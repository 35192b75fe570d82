package drive

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// room is what storms change of the Go runtime while they last.
var room struct {
	sync.Mutex
	storms, processors, percent int
}

// makeRoom is called before a storm of n triggers.
//
// The threads of a sender and a receiver leave the Go scheduler while they sleep and
// must find a processor free when they come back: with all of them busy they would
// queue behind goroutines, for up to 10 ms. So each storm has two more than the program.
//
// The garbage collector stops all threads and then takes a core: at 10,000 triggers a
// second, five times a second, it made the p99 of lag three times as long. So it waits
// until there is more to collect, unless somebody has set GOGC.
func makeRoom(n int) {
	room.Lock()
	defer room.Unlock()
	if room.storms++; room.storms == 1 {
		room.processors = runtime.GOMAXPROCS(0)
		if room.percent = debug.SetGCPercent(defaultGC); room.percent == defaultGC {
			debug.SetGCPercent(storming(liveHeap(), n))
		} else {
			debug.SetGCPercent(room.percent)
		}
	}
	runtime.GOMAXPROCS(room.processors + 2*room.storms)
}

// leaveRoom is called after it.
func leaveRoom() {
	room.Lock()
	defer room.Unlock()
	if room.storms--; room.storms == 0 {
		debug.SetGCPercent(room.percent)
	}
	runtime.GOMAXPROCS(room.processors + 2*room.storms)
}

const (
	defaultGC = 100
	garbage   = 128 << 20 // bytes that may wait to be collected
	ofTrigger = 512       // bytes that a trigger's sample takes, about
)

// storming is the GOGC of a storm of n triggers: what is in use may grow to as much as
// they take, so that it never doubles the memory of a long one.
func storming(live uint64, n int) int {
	return max(defaultGC, int(defaultGC*garbage/(live+uint64(n)*ofTrigger+1<<20)))
}

// liveHeap is what the last collection left, in bytes.
func liveHeap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return s[0].Value.Uint64()
}
