package drive

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/report/stats"
	"coldstorm/results"
)

// Report says how well the generator kept to the schedule.
type Report struct {
	Start results.Stamp // of the storm; intended sends count from it. 0: it never began
	Took  time.Duration // from Start to the last answer, or to the end of Against

	Scheduled, Sent int
	Stopped         bool // the context ended before the storm did

	Lag  results.Quantiles // actual minus intended send
	Skew time.Duration     // of a burst: first to last send

	Waits       int // triggers that had to wait for a connection, as Connections were busy
	Dialled     int // connections made during the storm, beside those made before
	BadEvidence int // responses whose evidence could not be read
	Accuracy    Accuracy
	Direct      bool // fired without vegeta, beyond whose reach the storm was

	Generator results.Generator
}

// Accuracy is how near to the wire the stamps of sends are taken.
type Accuracy string

const (
	AccuracyWire Accuracy = "A" // just before the write to the socket
	AccuracyTLS  Accuracy = "B" // just before encryption: some 10 µs before the wire
	// Once the frame of the headers was written, by a goroutine that the sender woke.
	AccuracyHTTP2 Accuracy = "C"
)

// tally is what a report needs of samples.
type tally struct {
	lags, latencies []time.Duration // of those sent, and of those answered
	first, last     results.Stamp   // sends
	done            results.Stamp   // last answer
	unsent          int
}

func newTally(n int) *tally {
	return &tally{lags: make([]time.Duration, 0, n), latencies: make([]time.Duration, 0, n)}
}

func (t *tally) add(s results.Sample) {
	if s.Sent == 0 {
		if s.Outcome == results.OutcomeUnsent {
			t.unsent++
		}
		return
	}
	t.lags = append(t.lags, s.Lag())
	if t.first == 0 || s.Sent < t.first {
		t.first = s.Sent
	}
	t.last = max(t.last, s.Sent)
	if s.Status != 0 {
		t.latencies = append(t.latencies, s.Latency())
		t.done = max(t.done, s.Done)
	}
}

func (f *fire) report(t *tally, use usage) Report {
	waits, dialled, secure := f.hosts.sums()
	r := Report{
		Scheduled: f.Schedule.Len(), Sent: len(t.lags), Stopped: t.unsent > 0,
		Lag:   stats.Summarise(t.lags),
		Waits: waits, Dialled: dialled, BadEvidence: f.bad,
		Accuracy: AccuracyWire, Direct: f.bypass,
	}
	if f.hasBegun() {
		r.Start = f.start
	}
	if secure {
		r.Accuracy = AccuracyTLS
	}
	if f.HTTP2 {
		r.Accuracy = AccuracyHTTP2
	}
	if f.Schedule.Duration() == 0 && !f.closed {
		r.Skew = t.last.Sub(t.first)
	}
	r.Generator = results.Generator{
		Offered:      offered(f.Schedule),
		CPUShare:     use.process,
		HostCPUShare: use.host,
		CPUPressure:  use.pressure,
	}
	return r.Against(t.latencies, t.done)
}

// Against returns the report of triggers that ended with these latencies, which it sorts,
// the last of them at done. Fire's is of answers; events end later than those.
func (r Report) Against(latencies []time.Duration, done results.Stamp) Report {
	r.Took = 0
	if r.Start != 0 {
		r.Took = max(0, done.Sub(r.Start))
	}
	why := r.limits(latencies)
	r.Generator.Achieved = perSecond(len(latencies), r.Took)
	r.Generator.Limited, r.Generator.Why = len(why) > 0, strings.Join(why, "; ")
	return r
}

// offered is the schedule's mean rate, 0 where it has none: a burst, a closed
// loop.
func offered(s storm.Schedule) float64 { return perSecond(s.Len(), s.Duration()) }

func perSecond(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// What a generator may take of the figures before they are its own as much as
// the endpoint's.
const (
	lagFloor = 100 * time.Microsecond // below, lag is the host's noise
	lagShare = 0.05                   // of the latency at the same quantile
	cpuShare = 0.8                    // of one core
	hostFull = 0.95                   // of all cores
	pressed  = 0.75                   // of the time: something waited for a core
)

// limits says what of the storm's figures is owed to the generator or the host.
// Lag is part of every latency, as that counts from the intended send; it spoils
// a figure where it is a large part of it, so each quantile of lag is held
// against the same quantile of latency, if there is any.
func (r Report) limits(latencies []time.Duration) []string {
	if r.Sent == 0 {
		return nil
	}
	var why []string
	slices.Sort(latencies)
	latency := func(q float64) time.Duration { return stats.Quantile(latencies, q) }
	for _, c := range []struct {
		name string
		lag  time.Duration
		of   time.Duration
	}{{"p50", r.Lag.P50, latency(0.5)}, {"p99", r.Lag.P99, latency(0.99)}} {
		if c.of > 0 && c.lag > lagFloor && float64(c.lag) > lagShare*float64(c.of) {
			why = append(why, fmt.Sprintf("schedule lag %s of %.3g ms is %.0f %% of the latency",
				c.name, 1e3*c.lag.Seconds(), 100*float64(c.lag)/float64(c.of)))
		}
	}
	if r.Waits > 0 {
		why = append(why, fmt.Sprintf("%d triggers waited for one of the connections", r.Waits))
	}
	if r.Generator.CPUShare > cpuShare {
		why = append(why, fmt.Sprintf("the generator used %.0f %% of a core", 100*r.Generator.CPUShare))
	}
	if r.Generator.HostCPUShare > hostFull {
		why = append(why, fmt.Sprintf("the host's cores were %.0f %% busy", 100*r.Generator.HostCPUShare))
	}
	if p := r.Generator.CPUPressure; p != nil && *p > pressed {
		why = append(why, fmt.Sprintf("something waited for a core for %.0f %% of the time", 100**p))
	}
	return why
}
