package trigger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/live"
)

// TriggerHeader carries the id of a published event.
const TriggerHeader = "Coldstorm-Trigger"

// Completion is what became of one event, with the stamps of its way: those that
// it did not reach are 0.
type Completion struct {
	Trigger  string          `json:"trigger"` // id, as its publisher was told
	Source   string          `json:"source"`  // such as queue orders
	Function string          `json:"function"`
	Outcome  results.Outcome `json:"outcome"`
	Reason   string          `json:"reason,omitempty"` // why it was not served; of a message that its mapping's filters kept from the function: ReasonFiltered
	Attempts int             `json:"attempts"`         // how often it was handed to the function
	Publish  results.Stamp   `json:"publish"`          // accepted by the source
	Poll     results.Stamp   `json:"poll"`             // taken from it
	Invoke   results.Stamp   `json:"invoke"`           // handed to the function, the last time
	Handler  results.Stamp   `json:"handler"`          // given to its runtime
	Done     results.Stamp   `json:"done"`             // answered
	Evidence string          `json:"evidence,omitempty"`

	start results.Start
}

// Reasons of messages beyond those of invocations.
const (
	ReasonFiltered = "filtered"          // it was deleted without an invocation
	ReasonReported = "BatchItemFailures" // the function said that it failed, or answered what can't be read
)

// complete takes the rest from a result.
func (c *Completion) complete(r live.Result) {
	c.Outcome, c.Reason, c.Invoke, c.Done = r.Outcome, r.Reason, r.Evidence.Received, r.Evidence.Responded
	c.Evidence, c.start = r.Evidence.String(), r.Evidence.Start
	if r.Evidence.Environment != "" {
		c.Handler = c.Done.Add(-r.Evidence.Phases.Invoke)
	}
}

// lost is what becomes of an event for which there is no function, or no room.
func (c Completion) lost(err error) Completion {
	c.Outcome, c.Reason, c.Done = results.OutcomeFailed, err.Error(), results.Now()
	return c
}

// Part is one part of an event's way.
type Part struct {
	Name string
	Took time.Duration
}

// Parts are those of the way, in order, and then all of it. A part whose end the
// event did not reach took no time.
func (c Completion) Parts() []Part {
	return []Part{
		{results.WayNames[1], c.Poll.Sub(c.Publish)},
		{results.WayNames[2], c.Invoke.Sub(c.Poll)},
		{results.WayNames[3], c.Handler.Sub(c.Invoke)},
		{results.WayNames[4], c.Done.Sub(c.Handler)},
		{"publish to done", c.Done.Sub(c.Publish)},
	}
}

// maxSamples bounds what is kept of a source and kind of start: the last ones.
const maxSamples = 100_000

// ledger keeps completions' durations, and passes completions on.
type ledger struct {
	mu        sync.Mutex
	samples   map[way]*samples
	listeners map[chan Completion]struct{}
	closed    bool
}

// way is what isn't averaged with another.
type way struct {
	source string
	start  results.Start
}

type samples struct {
	n     int
	names []string
	parts [][]time.Duration // by name
}

// add takes a completion in. What was not served is passed on alone.
func (l *ledger) add(c Completion) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for to := range l.listeners {
		select {
		case to <- c:
		default: // it reads too slowly: its stream ends
			delete(l.listeners, to)
			close(to)
		}
	}
	if c.Outcome != results.OutcomeServed {
		return
	}
	if l.samples == nil {
		l.samples = map[way]*samples{}
	}
	w := way{c.Source, c.start}
	s := l.samples[w]
	if s == nil {
		s = &samples{}
		for _, p := range c.Parts() {
			s.names, s.parts = append(s.names, p.Name), append(s.parts, nil)
		}
		l.samples[w] = s
	}
	for i, p := range c.Parts() {
		if s.n < maxSamples {
			s.parts[i] = append(s.parts[i], p.Took)
		} else {
			s.parts[i][s.n%maxSamples] = p.Took
		}
	}
	s.n++
}

// listen returns a channel of completions from now on, closed when the listener
// is too slow or the ledger ends, and what ends it before.
func (l *ledger) listen() (<-chan Completion, func()) {
	c := make(chan Completion, 65536)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		close(c)
		return c, func() {}
	}
	if l.listeners == nil {
		l.listeners = map[chan Completion]struct{}{}
	}
	l.listeners[c] = struct{}{}
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.listeners, c)
	}
}

func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for c := range l.listeners {
		close(c)
	}
	l.listeners = nil
}

// Latency writes a table of the ways so far, in milliseconds; nothing if nothing
// was delivered.
func (s *Sources) Latency(w io.Writer) error {
	var b strings.Builder
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	var ways []way
	for x := range s.ledger.samples {
		ways = append(ways, x)
	}
	slices.SortFunc(ways, func(a, b way) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.start, b.start))
	})
	for _, x := range ways {
		has := s.ledger.samples[x]
		fmt.Fprintf(&b, "%s, %s start, n %d:\n", x.source, x.start, has.n)
		for i, name := range has.names {
			sorted := slices.Clone(has.parts[i])
			slices.Sort(sorted)
			fmt.Fprintf(&b, "  %-18s p50 %10s ms   p99 %10s ms\n", name, quantile(sorted, 0.5), quantile(sorted, 0.99))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quantile is empty where so few samples can't carry it.
func quantile(sorted []time.Duration, q float64) string {
	if ok, _ := stats.Carries(q, int64(len(sorted))); !ok {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(stats.Quantile(sorted, q))/1e6)
}

// completions answers GET /coldstorm/completions. Its head is sent at once: an
// event that is published after it will be in the stream.
func (s *Sources) completions(w http.ResponseWriter, r *http.Request) {
	c, stop := s.ledger.listen()
	defer stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	flush.Flush()
	out := json.NewEncoder(w)
	for {
		select {
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		case x, more := <-c:
			if !more || out.Encode(x) != nil {
				return
			}
			if len(c) == 0 {
				flush.Flush()
			}
		}
	}
}
