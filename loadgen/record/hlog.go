package record

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/results"
)

// Histograms hold 1 ns to 900 s, the longest that Lambda lets an invocation
// run, in three digits. The lowest value must be 1 ns: in units of 1,000 ns
// short times are off by percents.
const (
	lowest  = time.Nanosecond
	highest = 900 * time.Second
	digits  = 3
)

// logInterval is the time that one line of a histogram log covers.
const logInterval = time.Second

// WriteHlog writes the series as an HdrHistogram log, version 1.3, which
// HdrHistogram's own tools read. Each line holds the served triggers that were
// intended within one second and started alike: Tag=cold their latencies,
// Tag=cold-service the times of the handler alone. Values are nanoseconds;
// those above 900 s are logged as 900 s and their number in a comment.
func (r *Recorder) WriteHlog(w io.Writer) error {
	start, _ := r.extent()
	lines, clamped := r.histograms(start)
	out := hdrhistogram.NewHistogramLogWriter(w)
	wall := start.Time().Round(0).UnixMilli()
	if start == 0 {
		wall = 0
	}
	base := wall / 1000 * 1000 // the format has whole seconds
	out.SetBaseTime(base)
	steps := []func() error{
		func() error { return out.OutputComment("[coldstorm: series " + oneLine(r.Name) + ", values in ns]") },
		out.OutputLogFormatVersion,
		func() error { return out.OutputStartTime(base) },
		func() error { return out.OutputBaseTime(base) },
		func() error {
			return out.OutputComment(fmt.Sprintf("[above %v, logged as that: %d]", highest, clamped))
		},
		out.OutputLegend,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	for _, l := range lines {
		l.h.SetTag(l.tag)
		from := wall + int64(l.slot)*logInterval.Milliseconds()
		l.h.SetStartTimeMs(from)
		l.h.SetEndTimeMs(from + logInterval.Milliseconds())
		if err := out.OutputIntervalHistogram(l.h); err != nil {
			return err
		}
	}
	return nil
}

func oneLine(s string) string { return fmt.Sprintf("%q", s) }

// line is one histogram of the log.
type line struct {
	slot int // of logInterval, from the storm's start
	tag  string
	h    *hdrhistogram.Histogram
}

// histograms returns the lines in order and how many values were too long.
func (r *Recorder) histograms(start results.Stamp) (lines []line, clamped int) {
	type key struct {
		slot int
		tag  string
	}
	values := map[key][]int64{}
	put := func(k key, d time.Duration) {
		if d > highest {
			d, clamped = highest, clamped+1
		}
		values[k] = append(values[k], int64(max(d, lowest)))
	}
	for s := range r.Samples() {
		if s.Outcome != results.OutcomeServed {
			continue
		}
		slot := int(s.Intended.Sub(start) / logInterval)
		put(key{slot, string(s.Start)}, s.Latency())
		if d := service(s); d != 0 {
			put(key{slot, string(s.Start) + "-service"}, d)
		}
	}
	for k, set := range values {
		h := hdrhistogram.New(int64(lowest), int64(highest), digits)
		for _, v := range set {
			if h.RecordValue(v) != nil {
				clamped++ // can't be: v is within the range
			}
		}
		lines = append(lines, line{k.slot, k.tag, h})
	}
	slices.SortFunc(lines, func(a, b line) int {
		if a.slot != b.slot {
			return a.slot - b.slot
		}
		if a.tag < b.tag {
			return -1
		}
		return 1
	})
	return lines, clamped
}
