package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"coldstorm/loadgen/drive"
	"coldstorm/results"
	"coldstorm/workloads"
)

// reach is how a payload reaches the function: within events of the sources of these
// storms, one of each kind, and whether also as it is.
func (l *liveTarget) reach(p payload) (wrapped []workloads.Storm, plain bool) {
	seen := map[workloads.TriggerKind]bool{}
	for _, st := range l.scenario.Storms {
		if len(st.Payloads) > 0 && !slices.Contains(st.Payloads, p.Name) {
			continue
		}
		if k := st.Trigger.Kind; !st.Trigger.Wrapped() {
			plain = true
		} else if !seen[k] {
			seen[k] = true
			wrapped = append(wrapped, workloads.Storm{Payloads: []string{p.Name}, Trigger: st.Trigger})
		}
	}
	swept := len(l.scenario.Sweep.Burst) > 0 && l.scenario.Sweep.Payload == p.Name || l.options.curves != nil
	return wrapped, plain || swept || len(wrapped) == 0
}

// trial is an event that the function is tried with before the storms.
type trial struct {
	what    string
	payload payload
	event   *drive.Payload // in the place of the payload, as its source makes it
}

// trials are the payloads, each in every form in which storms have it reach the function.
func (l *liveTarget) trials() (all []trial) {
	for _, p := range l.payloads {
		wrapped, plain := l.reach(p)
		if plain {
			all = append(all, trial{what: "payload " + p.Name, payload: p})
		}
		for _, st := range wrapped {
			all = append(all, trial{what: fmt.Sprintf("payload %s by %s", p.Name, st.Trigger.Kind), payload: p, event: &l.events(st)[0]})
		}
	}
	return all
}

// check tries the function with each event that it will get, and checks the answers of a
// bundled one to its payloads against what is expected: a storm at a function that
// doesn't work measures nothing.
func (l *liveTarget) check(ctx context.Context) error {
	checked := false
	for _, t := range l.trials() {
		p := t.payload
		st := workloads.Storm{Name: "check " + t.what, Shape: workloads.ShapeSequence, N: 1, Fresh: true, Payloads: []string{p.Name}}
		if err := l.deploy(st); err != nil {
			return err
		}
		var answer []byte // of a failure; written before Fire returns
		m, err := l.fire(ctx, st, func(a *drive.Attack) {
			a.Check, a.Refused = p.check, func(body []byte) { answer = bytes.Clone(body) }
			if t.event != nil {
				a.Check, a.Payloads = nil, []drive.Payload{*t.event}
			}
		})
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		x := firstOf(m.recorder.Samples())
		l.peak[p.Name] = max(l.peak[p.Name], x.MaxMemory)
		if x.Outcome != results.OutcomeServed {
			l.series = append(l.series, m)
			return fmt.Errorf("the function failed its first invocation, with %s: %s: %s", t.what, x.Outcome, failure(x, answer, l.log))
		}
		checked = checked || t.event == nil && p.check != nil
	}
	if checked {
		l.note(results.LevelInfo, "", "each payload's answer was checked against the expected output before the storms")
	}
	return nil
}

// failure says why an invocation failed, with the last that the function wrote.
func failure(x results.Sample, answer []byte, log string) string {
	why := x.Reason
	if why == "" {
		why = fmt.Sprintf("HTTP status %d", x.Status)
	}
	var body struct{ ErrorMessage string }
	if json.Unmarshal(answer, &body) == nil && body.ErrorMessage != "" {
		why += ": " + body.ErrorMessage
	}
	if said := lastLines(log, 3); said != "" {
		why += "\n" + said
	}
	return why
}
