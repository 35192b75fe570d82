package workloads

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// checkStorm holds a storm against its shape, the other storms and the
// function, and gives it its name.
func (s *Scenario) checkStorm(o object, st *Storm) error {
	if err := checkShape(o, st); err != nil {
		return err
	}
	if st.Shape == ShapePause {
		return o.problem("shape", "a pause is no storm", "it stands between the parts of a chain")
	}
	if st.Name == "" {
		st.Name = string(st.Shape)
	}
	if slices.ContainsFunc(s.Storms, func(other Storm) bool { return strings.EqualFold(other.Name, st.Name) }) {
		// A series is a file of the run's folder, and some file systems
		// don't tell A from a.
		return o.problem("name", fmt.Sprintf("two storms are named %s", st.Name), "give each a name of its own")
	}
	if f, ok := o.fields["payloads"]; ok {
		entries, _ := f.list("payloads")
		for i, e := range entries {
			if err := s.known(e, st.Payloads[i]); err != nil {
				return err
			}
		}
	}
	if err := s.checkTrigger(o, *st); err != nil {
		return err
	}
	return s.checkWarm(o, *st)
}

// checkWarm refuses more warm environments than the concurrency allows, and
// warm ones that are reclaimed at once.
func (s *Scenario) checkWarm(o object, st Storm) error {
	limit, keep := s.Function.Concurrency, s.Function.KeepAlive
	if st.Concurrency != nil {
		limit = *st.Concurrency
	}
	if st.KeepAlive != nil {
		keep = *st.KeepAlive
	}
	if st.Has(ShapeCold) {
		if err := checkCold(o, st, keep); err != nil {
			return err
		}
	}
	if st.Warm == 0 {
		return nil
	}
	if limit > 0 && st.Warm > limit {
		return o.problem("warm", fmt.Sprintf("%d warm environments are more than the concurrency of %d", st.Warm, limit), "")
	}
	if keep == 0 {
		return o.problem("warm", "warm environments with a keep_alive of 0, which reclaims each at once", "")
	}
	return nil
}

// checkCold refuses a share of cold starts where all would be cold.
func checkCold(o object, st Storm, keep time.Duration) error {
	if keep == 0 {
		return o.problem("keep_alive", "a share of cold starts with a keep_alive of 0, which makes every start cold", "give a keep_alive longer than the storm's gaps")
	}
	if st.Warm == 0 && st.partlyCold() {
		return o.problem("shape", "a share of cold starts without warm environments: those that are to be warm would start cold too", "add warm: 4, or as many as may be busy at once")
	}
	return nil
}

// partlyCold reports whether some triggers of a share of cold starts are to be
// warm.
func (st Storm) partlyCold() bool {
	if st.Shape == ShapeCold && st.Share < 1 {
		return true
	}
	return slices.ContainsFunc(st.Parts, Storm.partlyCold)
}
