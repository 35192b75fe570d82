package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

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
		return nil, badTrace(err)
	}
	return s, err
}

// checkTraces reads the traces of a scenario's storms: what is wrong with one is said
// before anything is fired, not after the storms before it.
func checkTraces(sc workloads.Scenario) error {
	for _, st := range sc.Storms {
		if !st.Has(workloads.ShapeTrace) {
			continue
		}
		if _, err := scheduleOf(sc, st); err != nil {
			return err
		}
	}
	return nil
}

// badTrace is the error of a trace that can't be read.
func badTrace(err error) error {
	hint := fmt.Sprintf("the formats of traces are %s; name one with format", strings.Trim(fmt.Sprint(replay.Formats), "[]"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "a path in a scenario counts from the scenario's folder"
	case errors.Is(err, fs.ErrPermission):
		hint = ""
	}
	return exitError{code: exitUsage, err: err, hint: hint}
}
