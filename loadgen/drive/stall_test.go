package drive_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// An endpoint that stalls must be charged for every trigger that was due while
// it did, though ten connections let no more than ten be sent. Generators that
// count from the actual send report ten slow requests here, whatever the stall.
func TestAStallIsChargedFromTheIntendedSend(t *testing.T) {
	const connections, during = 10, 200 * time.Millisecond
	stalled := make(chan struct{}) // closed when the stall ends
	var released results.Stamp
	var mu sync.Mutex
	arrived := 0
	end := func() {
		mu.Lock()
		released = results.Now()
		mu.Unlock()
		close(stalled)
	}
	srv := serve(t, func(http.ResponseWriter, *http.Request) {
		mu.Lock()
		if arrived++; arrived == 1 {
			time.AfterFunc(during, end) // however long it took to get here, so many more are due by then
		}
		mu.Unlock()
		<-stalled
	})
	sch := storm.Constant{Rate: 1000, For: 300 * time.Millisecond}
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: sch, Connections: connections})
	due, sentLate := 0, 0
	for _, s := range all {
		if s.Outcome != results.OutcomeServed {
			t.Fatalf("trigger %d: %s %q", s.Seq, s.Outcome, s.Reason)
		}
		if s.Intended >= released {
			continue
		}
		due++
		if owed := released.Sub(s.Intended); s.Latency() < owed {
			t.Errorf("trigger %d: latency %v, though the stall lasted %v from its intended send", s.Seq, s.Latency(), owed)
		}
		if s.Sent > released {
			sentLate++
		}
	}
	if arrived != len(all) || due < 200 {
		t.Fatalf("%d arrived of %d, %d due during the stall, want at least 200", arrived, len(all), due)
	}
	if sentLate < due-connections {
		t.Errorf("%d of %d due during the stall were sent after it, want all but %d", sentLate, due, connections)
	}
	if rep.Waits < sentLate || !rep.Generator.Limited {
		t.Errorf("%d waits for a connection reported, %d happened; limited: %v", rep.Waits, sentLate, rep.Generator.Limited)
	}
}
