package main

import (
	"fmt"
	"strings"

	"coldstorm/runtime/trigger"
	"coldstorm/workloads"
)

// maxBody is the size in bytes of a payload that a kind of trigger can carry.
func maxBody(k workloads.TriggerKind) int {
	switch k {
	case workloads.TriggerAsync, workloads.TriggerQueue:
		return workloads.MaxEvent
	case workloads.TriggerBucket:
		return trigger.MaxContent
	}
	return workloads.MaxPayload
}

// checkTriggers refuses what the event sources of storms would.
func (r *runner) checkTriggers() error {
	for _, st := range r.scenario.Storms {
		t := st.Trigger
		if t.Visibility > 0 && t.Visibility < r.scenario.Function.Timeout {
			return usageError("raise visibility, or lower the timeout", "storm %s: messages are visible again after %v, before the function's timeout of %v", st.Name, t.Visibility, r.scenario.Function.Timeout)
		}
		for _, p := range chosen(r.payloads, st.Payloads) {
			if most := maxBody(t.Kind); len(p.Body) > most {
				return usageError("give the storm smaller payloads, or leave its trigger out", "storm %s: payload %s has %s bytes, and %s carries %s", st.Name, p.Name, thousands(len(p.Body)), t.Kind, thousands(most))
			}
		}
	}
	return nil
}

// directStorms are those whose triggers are requests, and the names of the others.
func directStorms(all []workloads.Storm) (direct []workloads.Storm, others []string) {
	for _, st := range all {
		if st.Trigger.Direct() {
			direct = append(direct, st)
		} else {
			others = append(others, st.Name)
		}
	}
	return direct, others
}

// sourced says of storms by event sources why they are left out.
func sourced(names []string, why string) string {
	if len(names) == 1 {
		return fmt.Sprintf("storm %s comes by an event source, %s", names[0], why)
	}
	return fmt.Sprintf("storms %s come by event sources, %s", strings.Join(names, ", "), why)
}
