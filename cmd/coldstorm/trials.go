package main

import (
	"fmt"
	"slices"

	"coldstorm/loadgen/drive"
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
