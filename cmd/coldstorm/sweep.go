package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldstorm/loadgen/record"
	"coldstorm/results"
	"coldstorm/workloads"
)

// sweep fires bursts of growing size, each on a fresh deployment.
func (l *liveTarget) sweep(ctx context.Context) error {
	sw := l.scenario.Sweep
	for _, n := range sw.Burst {
		rec := &record.Recorder{}
		var ready []time.Duration
		for i := range sw.Repeats {
			st := workloads.Storm{Name: fmt.Sprintf("sweep %d #%d", n, i+1), Shape: workloads.ShapeBurst, N: n, Fresh: true}
			if sw.Payload != "" {
				st.Payloads = []string{sw.Payload}
			}
			m, err := l.burst(ctx, st)
			if err != nil || ctx.Err() != nil { // the bursts before it are kept
				l.point(n, rec, ready)
				return errors.Join(err, context.Cause(ctx))
			}
			for x := range m.recorder.Samples() {
				rec.Add(x)
			}
			ready = append(ready, m.Took)
		}
		l.point(n, rec, ready)
	}
	return nil
}

// burst fires st at a fresh deployment.
func (l *liveTarget) burst(ctx context.Context, st workloads.Storm) (measured, error) {
	if err := l.deploy(st); err != nil {
		return measured{}, err
	}
	return l.fire(ctx, st)
}

// point keeps the bursts of one size, as many as there were.
func (l *liveTarget) point(n int, rec *record.Recorder, ready []time.Duration) {
	if len(ready) == 0 {
		return
	}
	l.swept = append(l.swept, rec)
	s := rec.Series()
	l.run.Sweep = append(l.run.Sweep, results.SweepPoint{
		N: n, Repeats: len(ready), Counts: s.Counts, Cold: s.Latency[results.StartCold],
		Ready: medianBy(ready, func(d time.Duration) time.Duration { return d }),
	})
}
