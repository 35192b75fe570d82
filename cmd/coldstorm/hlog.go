package main

import (
	"fmt"
	"io"

	"github.com/HdrHistogram/hdrhistogram-go"

	"coldstorm/results"
	"coldstorm/runtime/sim"
)

// hlog is the histogram log of a simulated storm on one model: a line for each kind
// of start, over the whole storm. Values are nanoseconds. Times start at 0, as
// virtual time does.
type hlog struct {
	name    string
	outcome sim.Outcome
}

func (l hlog) write(w io.Writer) error {
	out := hdrhistogram.NewHistogramLogWriter(w)
	for _, step := range []func() error{
		func() error {
			return out.OutputComment(fmt.Sprintf("[coldstorm: series %q, simulated, values in ns]", l.name))
		},
		out.OutputLogFormatVersion,
		func() error { return out.OutputStartTime(0) },
		func() error { return out.OutputBaseTime(0) },
		out.OutputLegend,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, start := range []results.Start{results.StartCold, results.StartWarm, results.StartProvisioned, results.StartRestored} {
		h := l.outcome.Histogram(start)
		if h == nil {
			continue
		}
		h.SetTag(string(start))
		h.SetStartTimeMs(0)
		h.SetEndTimeMs(max(1, l.outcome.Recover.Milliseconds()))
		if err := out.OutputIntervalHistogram(h); err != nil {
			return err
		}
	}
	return nil
}
