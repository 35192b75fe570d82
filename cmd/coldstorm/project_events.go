package main

import (
	"strings"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// pollerRules are those of a storm's queue.
func pollerRules(t workloads.Trigger) plane.PollerRules {
	return plane.PollerRules{BatchSize: t.Batch, Window: t.Window, Concurrency: t.Concurrency}
}

// eventSource is that of a storm in virtual time, by the rules that it has here; nil of
// requests. Objects and rules that are due are asynchronous invocations.
func eventSource(t workloads.Trigger, seed int64) *sim.Source {
	switch {
	case t.Direct():
		return nil
	case t.Kind == workloads.TriggerQueue:
		rules := pollerRules(t)
		return &sim.Source{Poller: &rules, Visibility: t.Visibility}
	}
	return &sim.Source{Async: asyncRules(t, seed)}
}

// tellSources notes how the wanted storms that come by event sources were simulated, and
// on which models they were not.
func (r *runner) tellSources(wanted func(workloads.Storm) bool) {
	for _, st := range r.scenario.Storms {
		source := eventSource(st.Trigger, r.scenario.Seed)
		if source == nil || !wanted(st) {
			continue
		}
		var without []string
		on, why := 0, ""
		for _, p := range r.run.Projections {
			if ok, reason := sim.Sourced(workloads.Model(p.Model)); p.Offered && !ok {
				without, why = append(without, p.Model), reason
			} else if p.Offered {
				on++
			}
		}
		if on > 0 {
			r.note(results.LevelInfo, st.Name, "%s", source.Words())
		}
		if len(without) > 0 {
			r.note(results.LevelWarn, st.Name, "not projected on %s: %s", strings.Join(without, ", "), why)
		}
	}
}
