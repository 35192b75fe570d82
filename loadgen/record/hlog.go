package record

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/report/stats"
	"coldstorm/results"
)

// logInterval is the time that one line of a histogram log covers.
const logInterval = time.Second

// WriteHlog writes the series as an HdrHistogram log, version 1.3, which
// HdrHistogram's own tools read. Each line holds the served triggers that were
// intended within one second and started alike: Tag=cold their latencies,
// Tag=cold-service the times of the handler alone. Values are nanoseconds in three
// digits; those above 900 s are logged as 900 s and their number in a comment.
func (r *Recorder) WriteHlog(w io.Writer) error {
	var start results.Stamp
	for s := range r.Samples() {
		if s.Intended != 0 && (start == 0 || s.Intended < start) {
			start = s.Intended
		}
	}
	lines, clamped := r.lines(start)
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
			return out.OutputComment(fmt.Sprintf("[above %v, logged as that: %d]", stats.Highest, clamped))
		},
		out.OutputLegend,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	h := stats.NewHistogram()
	for _, k := range slices.SortedFunc(maps.Keys(lines), line.compare) {
		h.Reset()
		for v, n := range lines[k] {
			if err := h.RecordValues(v, n); err != nil {
				return err
			}
		}
		h.SetTag(k.tag)
		from := wall + int64(k.slot)*logInterval.Milliseconds()
		h.SetStartTimeMs(from)
		h.SetEndTimeMs(from + logInterval.Milliseconds())
		if err := out.OutputIntervalHistogram(h); err != nil {
			return err
		}
	}
	return nil
}

func oneLine(s string) string { return fmt.Sprintf("%q", s) }

// line names one histogram of the log.
type line struct {
	slot int // of logInterval, from the storm's start
	tag  string
}

func (l line) compare(o line) int {
	return cmp.Or(cmp.Compare(l.slot, o.slot), cmp.Compare(l.tag, o.tag))
}

// lines counts the values of each line by the bucket that a histogram of three
// digits has for them, of which a second has few; and how many were too long.
func (r *Recorder) lines(start results.Stamp) (lines map[line]map[int64]int64, clamped int) {
	lines = map[line]map[int64]int64{}
	put := func(k line, d time.Duration) {
		if d > stats.Highest {
			d, clamped = stats.Highest, clamped+1
		}
		if lines[k] == nil {
			lines[k] = map[int64]int64{}
		}
		lines[k][bucket(max(d, stats.Lowest))]++
	}
	tags := map[results.Start][2]string{}
	for s := range r.Samples() {
		if s.Outcome != results.OutcomeServed {
			continue
		}
		tag, ok := tags[s.Start]
		if !ok {
			tag = [2]string{string(s.Start), string(s.Start) + "-service"}
			tags[s.Start] = tag
		}
		slot := int(s.Intended.Sub(start) / logInterval)
		put(line{slot, tag[0]}, s.Latency())
		if d := service(&s); d != 0 {
			put(line{slot, tag[1]}, d)
		}
	}
	return lines, clamped
}

// bucket is the least value that a histogram of three digits holds as it holds d:
// its eleven leading bits.
func bucket(d time.Duration) int64 {
	shift := max(0, bits.Len64(uint64(d))-11)
	return int64(d) >> shift << shift
}
