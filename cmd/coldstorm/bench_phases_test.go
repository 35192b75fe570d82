package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/launch"
)

// TestPhasesOfStarts says that the left-over is what is left, on given stamps.
func TestPhasesOfStarts(t *testing.T) {
	const us = time.Microsecond
	at := func(n int) results.Stamp { return results.Stamp(1e9).Add(time.Duration(n) * us) }
	start := func(slow int) traced {
		return traced{
			stamps: launch.Stamps{Ask: at(0), Received: at(10), Cloned: at(30 + slow), Rootfs: at(90 + slow), Exec: at(100 + slow), Answered: at(140 + slow)},
			first:  at(170 + slow), read: at(200 + slow), outside: time.Duration(207+slow) * us,
		}
	}
	early := start(0)
	early.first = at(40) // before its execve
	s := summarise("x", []traced{start(0), start(2), early})
	want := map[results.Part]time.Duration{
		results.PartHandOver: 10 * us, results.PartClone: 20 * us, results.PartRootfs: 60 * us, results.PartSecurity: 10 * us,
		results.PartRuntimeInit: 70 * us, partRead: 30 * us,
	}
	for _, p := range s.Parts {
		if p.Time.P50 != want[p.Part] || p.Time.N != 3 {
			t.Errorf("%s: %+v, want a median of %v of 3", p.Part, p.Time, want[p.Part])
		}
		delete(want, p.Part)
	}
	if len(want) > 0 {
		t.Errorf("no row for %v", want)
	}
	if s.Sum.P50 != 200*us || s.Outside.P50 != 207*us || s.Left.Min != 7*us || s.Left.Max != 7*us || s.Answered.P50 != 40*us {
		t.Errorf("sum %v, left %v to %v, outside %v, answered %v", s.Sum.P50, s.Left.Min, s.Left.Max, s.Outside.P50, s.Answered.P50)
	}
	if s.Sound != 2 {
		t.Errorf("%d sound, want all but the one whose first instruction is before its execve", s.Sound)
	}
	var b bytes.Buffer
	printStarts(&b, []benchStart{s})
	for _, line := range []string{"hand over ", "left over ", "within what was measured outside: 2 of 3 starts"} {
		if !strings.Contains(b.String(), line) {
			t.Errorf("no %q in\n%s", line, b.String())
		}
	}
}
