package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"coldstorm/report/stats"
	"coldstorm/results"
	"coldstorm/runtime/snapshot"
	"coldstorm/workloads"
)

// restored fires the storms of cold starts once more, at the function restored from a
// snapshot of its init. A function that can't be restored here is no error: the run says
// why, and goes on.
func (l *liveTarget) restored(ctx context.Context) error {
	l.snapStart = true
	defer func() { l.snapStart = false }()
	for _, st := range coldStorms(l.scenario.Storms) {
		like := st.Name
		st.Name += "-restored"
		l.progress.Say("SnapStart: storm %s", st.Name)
		if err := l.deploy(st); err != nil {
			why := strings.TrimPrefix(errors.Unwrap(err).Error(), "SnapStart: ")
			l.note(results.LevelWarn, "", "SnapStart: the function is not restored here: %s", why)
			l.progress.Say("  not restored: %s", why)
			break
		}
		m, err := l.fire(ctx, st)
		if err != nil {
			return err
		}
		m.restored = true
		l.series = append(l.series, m)
		l.judge(m)
		l.compare(m, like)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// coldStorms are those of which every start is cold; one of our own if there are none.
func coldStorms(list []workloads.Storm) (cold []workloads.Storm) {
	for _, st := range list {
		if st.Shape == workloads.ShapeSequence && st.KeepAlive != nil && *st.KeepAlive == 0 {
			cold = append(cold, st)
		}
	}
	if len(cold) == 0 {
		return []workloads.Storm{{Name: "starts", Shape: workloads.ShapeSequence, N: 20, KeepAlive: new(time.Duration)}}
	}
	return cold
}

// compare notes how restores went, beside the cold starts of the same function.
func (l *liveTarget) compare(m measured, like string) {
	s := l.engine.Snapshot()
	text := fmt.Sprintf("SnapStart, restored by %s: init ran once, in %s, and left %s of memory in %d mappings; restore %s",
		snapshot.Mechanism, span(s.Init), size(s.Bytes), s.Regions, quantiles(m, results.StartRestored, results.Phases.RestoreDuration))
	for _, other := range l.series {
		if other.Name == like {
			text += fmt.Sprintf(", beside init of storm %s %s", like, quantiles(other, results.StartCold, results.Phases.InitDuration))
		}
	}
	l.note(results.LevelInfo, m.Name, "%s", text)
	l.progress.Say("  %s", text)
}

// quantiles says how long a part of starts of one kind took.
func quantiles(m measured, start results.Start, of func(results.Phases) time.Duration) string {
	var list []time.Duration
	for x := range m.recorder.Samples() {
		if x.Outcome == results.OutcomeServed && x.Start == start {
			list = append(list, of(x.Phases))
		}
	}
	q := stats.Summarise(list)
	text := "p50 " + span(q.P50)
	if q.P99 > 0 {
		text += ", p99 " + span(q.P99)
	} else if q.P90 > 0 {
		text += ", p90 " + span(q.P90) + " (too few for a p99)"
	}
	return fmt.Sprintf("%s (n = %d)", text, len(list))
}
