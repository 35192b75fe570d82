package main

import (
	"fmt"
	"strings"

	"coldstorm/loadgen/storm"
	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/sim"
	"coldstorm/workloads"
)

// Storms over several copies of the function, or with a share of cold starts, are
// simulated on the models that have copies. Of the others the run says why not.

// simulatedCopies are what a simulation is told of the copies that a schedule's
// triggers go to; nil of one function that they leave to start as it will. scale is
// how many triggers are simulated for one of the schedule's, which all go where it
// does.
func simulatedCopies(s storm.Schedule, scale float64) *sim.Copies {
	if storm.Functions(s) == 1 && !storm.Chilling(s) {
		return nil
	}
	return &sim.Copies{
		Functions: storm.Functions(s), Chilling: storm.Chilling(s),
		Mark: func(i int) storm.Mark {
			k, _ := placed(i, scale, s.Len())
			return storm.MarkOf(s, k)
		},
	}
}

// placed is which of n triggers simulated trigger i stands for, and how far it is
// on the way to the next, 0..1.
func placed(i int, scale float64, n int) (k int, on float64) {
	at := float64(i) / scale
	k = min(int(at), n-1)
	return k, at - float64(k)
}

// tellCopies notes how the wanted storms that meet copies were simulated, and on
// which models they were not.
func (r *runner) tellCopies(wanted func(workloads.Storm) bool) {
	for _, st := range r.scenario.Storms {
		if !wanted(st) || !st.Has(workloads.ShapeZipf, workloads.ShapeCold, workloads.ShapeTrace) {
			continue
		}
		schedule, err := scheduleOf(r.scenario, st)
		if err != nil { // each model has said so
			continue
		}
		if c := simulatedCopies(schedule, 1); c != nil {
			r.tellCopiesOf(st, c)
		}
	}
}

func (r *runner) tellCopiesOf(st workloads.Storm, c *sim.Copies) {
	var reasons []string
	without := map[string][]string{} // models, by reason
	on := 0
	for _, p := range r.run.Projections {
		if !p.Offered {
			continue
		}
		ok, why := sim.Copied(workloads.Model(p.Model), c)
		if ok {
			on++
			continue
		}
		if without[why] == nil {
			reasons = append(reasons, why)
		}
		without[why] = append(without[why], p.Model)
	}
	if on > 0 {
		r.note(results.LevelInfo, st.Name, "%s", copiesWords(c, st.Warm, stormFunction(r.scenario.Function, st).Concurrency))
	}
	for _, why := range reasons {
		r.note(results.LevelWarn, st.Name, "not projected on %s: %s", strings.Join(without[why], ", "), why)
	}
}

// copiesWords say how a storm is projected at copies, each with so many warm
// environments and as much concurrency reserved, if any.
func copiesWords(c *sim.Copies, warm, reserved int) string {
	var words []string
	own := "each with environments of its own"
	if warm > 0 {
		own += fmt.Sprintf(", %s of them idle at first", thousands(warm))
	}
	quota := fmt.Sprintf("an account's %s at once are shared by all", thousands(plane.DefaultConcurrency))
	if reserved > 0 {
		quota = fmt.Sprintf("each has %s at once reserved, which an account's quota is taken to allow", thousands(reserved))
	}
	if c.Functions > 1 {
		words = append(words, fmt.Sprintf("projected on %s functions, %s; %s", thousands(c.Functions), own, quota))
	}
	if c.Chilling {
		words = append(words, "a trigger that is to start cold has an environment started for it in the projection, which is not kept")
	}
	return strings.Join(words, "; ")
}
