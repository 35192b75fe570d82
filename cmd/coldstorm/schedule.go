package main

import (
	"fmt"

	"coldstorm/loadgen/storm"
	replay "coldstorm/loadgen/trace"
	"coldstorm/workloads"
)

// scheduleOf makes the schedule of a storm of a scenario, in whose folder the traces
// lie that it replays.
func scheduleOf(sc workloads.Scenario, st workloads.Storm) (storm.Schedule, error) {
	s, err := storm.With(st, sc.Seed, func(part workloads.Storm, seed int64) (storm.Schedule, error) {
		return replay.Of(part, sc.Resolve, seed)
	})
	if err != nil && st.Has(workloads.ShapeTrace) {
		return nil, exitError{code: exitUsage, err: err, hint: traceHint}
	}
	return s, err
}

var traceHint = fmt.Sprintf("the formats of traces are %v; name one with format", replay.Formats)
