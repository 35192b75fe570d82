package results

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// samples.csv is a tidy table: a row is a trigger, a column a variable, the
// unit in the column's name. Times count from the first intended send of the
// row's series. What did not happen is an empty cell: no lag_ns for what was
// never sent, no latency_ns for what was never answered. A phase that did not
// happen is 0.
//
// The columns at_ask_ns to at_ready_ns hold the moments of a cold start, from the send of
// its trigger. The last columns hold the way of an event, of storms that come by an event
// source: at_publish_ns, at_poll_ns, at_invoke_ns and at_handler_ns from its send, as
// total_ns, which is when it was done, and attempts, how often it was handed to the
// function. They are empty of requests. Runs from before there were such columns have none
// of them.
//
// A sample reads back as it was, but for its stamps, which keep their
// differences only, for Received and Responded, of which the phases tell what
// there is to know, and for control characters in words, which become spaces.

// column is one column of samples.csv: how it is written and read.
type column struct {
	name  string
	write func(b []byte, r row) []byte
	read  func(r *row, cell string) error
}

// row is a sample with the stamp that its series counts from.
type row struct {
	*Sample
	base           Stamp
	total, latency int64 // as read; none where the cell is empty
}

const none = math.MinInt64

// mostBilled is what fits a time.Duration, in milliseconds.
const mostBilled = math.MaxInt64 / int64(time.Millisecond)

// farthest bounds times: beyond any run, and far from overflow in sums of them.
const farthest = int64(1) << 55 // a year

// zero is what the first intended send of a series is read as. It leaves room
// for a send before it, as 0 is the stamp of what did not happen.
const zero = Stamp(farthest + 1)

var columns = slices.Concat([]column{
	words("series", func(s *Sample) *string { return &s.Series }),
	{"seq", func(b []byte, r row) []byte { return strconv.AppendUint(b, r.Seq, 10) }, func(r *row, cell string) (err error) {
		r.Seq, err = strconv.ParseUint(cell, 10, 64)
		return err
	}},
	words("payload", func(s *Sample) *string { return &s.Payload }),
	{"t_offset_ns", func(b []byte, r row) []byte { return span(b, r.Intended, r.base) }, func(r *row, cell string) error {
		n, err := optional(cell)
		if n != none {
			r.Intended = zero.Add(time.Duration(n))
		}
		if err == nil && n != none && n < 0 {
			err = fmt.Errorf("%d is before the series' first", n)
		}
		return err
	}},
	{"lag_ns", func(b []byte, r row) []byte { return span(b, r.Sent, r.Intended) }, func(r *row, cell string) error {
		n, err := optional(cell)
		if n != none {
			r.Sent = r.Intended.Add(time.Duration(n))
		}
		return err
	}},
	{"total_ns", func(b []byte, r row) []byte { return span(b, r.Done, r.Sent) }, func(r *row, cell string) (err error) {
		r.total, err = optional(cell)
		return err
	}},
	{"latency_ns", func(b []byte, r row) []byte { return span(b, r.Done, r.Intended) }, func(r *row, cell string) (err error) {
		r.latency, err = optional(cell)
		if err != nil {
			return err
		}
		return r.done()
	}},
	oneOf("outcome", func(s *Sample) *Outcome { return &s.Outcome }, Outcomes),
	words("reason", func(s *Sample) *string { return &s.Reason }),
	integer("status", func(s *Sample) *int { return &s.Status }),
	integer("bytes", func(s *Sample) *int64 { return &s.Bytes }),
	oneOf("start", func(s *Sample) *Start { return &s.Start }, starts),
	words("cause", func(s *Sample) *Cause { return &s.Cause }),
	words("environment", func(s *Sample) *string { return &s.Environment }),
	integer("served", func(s *Sample) *int { return &s.Served }),
	words("mode", func(s *Sample) *string { return &s.Mode }),
}, phaseColumns(), []column{
	{"billed_ms", func(b []byte, r row) []byte {
		ms := int64(r.Billed / time.Millisecond)
		if r.Billed%time.Millisecond > 0 {
			ms++ // as AWS bills
		}
		return strconv.AppendInt(b, min(ms, mostBilled), 10)
	}, func(r *row, cell string) error {
		n, err := number(cell, -mostBilled, mostBilled)
		r.Billed = time.Duration(n) * time.Millisecond
		return err
	}},
	integer("max_memory_bytes", func(s *Sample) *int64 { return &s.MaxMemory }),
	integer("cpu_ns", func(s *Sample) *time.Duration { return &s.CPU }),
}, momentColumns(), []column{phaseColumn(PhaseRestore)}, wayColumns)

var starts = []Start{StartCold, StartWarm, StartProvisioned, StartRestored, StartUnknown}

func phaseColumns() []column {
	var all []column
	for _, p := range PhaseNames {
		if p != PhaseRestore { // last of all, where older runs have nothing
			all = append(all, phaseColumn(p))
		}
	}
	return all
}

func phaseColumn(p Phase) column {
	return integer(string(p)+"_ns", func(s *Sample) *time.Duration { return s.Phases.at(p) })
}

func momentColumns() []column {
	var all []column
	for m := range moments {
		all = append(all, stampColumn(m.String(), func(s *Sample) *Stamp { return &s.Moments[m] }))
	}
	return all
}

// wayColumns are those of events.
var wayColumns = []column{
	stampColumn("publish", func(s *Sample) *Stamp { return &s.Way.Publish }),
	stampColumn("poll", func(s *Sample) *Stamp { return &s.Way.Poll }),
	stampColumn("invoke", func(s *Sample) *Stamp { return &s.Way.Invoke }),
	stampColumn("handler", func(s *Sample) *Stamp { return &s.Way.Handler }),
	{"attempts", func(b []byte, r row) []byte {
		if r.Way.Attempts == 0 {
			return b
		}
		return strconv.AppendInt(b, int64(r.Way.Attempts), 10)
	}, func(r *row, cell string) error {
		n, err := optional(cell)
		if n != none {
			r.Way.Attempts = int(n)
		}
		return err
	}},
}

// stampColumn is a column of a stamp, from the send of its trigger.
func stampColumn(name string, at func(*Sample) *Stamp) column {
	return column{
		"at_" + name + "_ns",
		func(b []byte, r row) []byte {
			stamp := *at(r.Sample)
			if d := time.Duration(stamp - r.Sent); stamp < 0 || int64(d.Abs()) > farthest {
				return b // an odd claim of an endpoint
			}
			return span(b, stamp, r.Sent)
		},
		func(r *row, cell string) error {
			n, err := optional(cell)
			if n == none || err != nil {
				return err
			}
			if r.Sent == 0 {
				return fmt.Errorf("there without lag_ns")
			}
			*at(r.Sample) = r.Sent.Add(time.Duration(n))
			return nil
		},
	}
}

// words is a column of free text.
func words[T ~string](name string, at func(*Sample) *T) column {
	return column{
		name,
		func(b []byte, r row) []byte { return quote(b, string(*at(r.Sample))) },
		func(r *row, cell string) error { *at(r.Sample) = T(cell); return nil },
	}
}

// oneOf is a column of the words of a set.
func oneOf[T ~string](name string, at func(*Sample) *T, set []T) column {
	return column{
		name,
		func(b []byte, r row) []byte { return quote(b, string(*at(r.Sample))) },
		func(r *row, cell string) error {
			for _, w := range set {
				if cell == string(w) {
					*at(r.Sample) = w
					return nil
				}
			}
			return fmt.Errorf("unknown word %q", cell)
		},
	}
}

// integer is a column of whole numbers. Any are taken: they are what an
// endpoint claimed.
func integer[T ~int | ~int64](name string, at func(*Sample) *T) column {
	return column{
		name,
		func(b []byte, r row) []byte { return strconv.AppendInt(b, int64(*at(r.Sample)), 10) },
		func(r *row, cell string) error {
			n, err := number(cell, math.MinInt64, math.MaxInt64)
			*at(r.Sample) = T(n)
			return err
		},
	}
}

// done works out when the trigger was answered, of which total and latency tell
// twice.
func (r *row) done() error {
	switch {
	case r.Intended == 0 && (r.Sent != 0 || r.latency != none):
		return fmt.Errorf("there without t_offset_ns")
	case r.latency == none && r.total == none:
		return nil
	case r.latency == none:
		return fmt.Errorf("empty beside total_ns %d", r.total)
	case (r.total == none) != (r.Sent == 0):
		return fmt.Errorf("total_ns and lag_ns have to be both there or both empty")
	}
	r.Done = r.Intended.Add(time.Duration(r.latency))
	if r.Sent != 0 && int64(r.Done.Sub(r.Sent)) != r.total {
		return fmt.Errorf("%d is not lag_ns + total_ns, %d", r.latency, int64(r.Sent.Sub(r.Intended))+r.total)
	}
	return nil
}

// span appends t - from, or nothing if either did not happen.
func span(b []byte, t, from Stamp) []byte {
	if t == 0 || from == 0 {
		return b
	}
	return strconv.AppendInt(b, int64(t-from), 10)
}

func number(cell string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", cell)
	}
	if n < low || n > high {
		return 0, fmt.Errorf("%d is not in %d..%d", n, low, high)
	}
	return n, nil
}

func optional(cell string) (int64, error) {
	if cell == "" {
		return none, nil
	}
	return number(cell, -farthest, farthest)
}
