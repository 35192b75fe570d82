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
			if err := l.deploy(st); err != nil {
				return err
			}
			m, err := l.fire(ctx, st)
			if err != nil || ctx.Err() != nil { // the bursts before it are kept
				l.point(n, rec, ready)
				return errors.Join(err, context.Cause(ctx))
			}
			for _, x := range m.samples {
				rec.Add(x)
			}
			l.swept = append(l.swept, m.samples...)
			ready = append(ready, m.Took)
		}
		l.point(n, rec, ready)
	}
	return nil
}

// point keeps the bursts of one size, as many as there were.
func (l *liveTarget) point(n int, rec *record.Recorder, ready []time.Duration) {
	if len(ready) == 0 {
		return
	}
	s := rec.Series()
	l.run.Sweep = append(l.run.Sweep, results.SweepPoint{
		N: n, Repeats: len(ready), Counts: s.Counts, Cold: s.Latency[results.StartCold],
		Ready: medianBy(ready, func(d time.Duration) time.Duration { return d }),
	})
}
