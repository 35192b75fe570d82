package gate

import (
	"slices"
	"strings"
	"testing"

	"coldstorm/results"
)

func TestTheFigureOfTheOneSideThatHasIt(t *testing.T) {
	warm := synthetic{seed: 1, warm: 200}
	row := find(Compare(warm.arm("a"), full(1).arm("b"), quick), ColdP50)
	if row.Base != 0 || row.Head <= 0 || row.Verdict != Inconclusive {
		t.Errorf("base %v, head %v, %s", row.Base, row.Head, row.Verdict)
	}
	if got := row.figure(row.Base, row.BaseN); got != "–" {
		t.Errorf("base is shown as %s", got)
	}
}

func TestWarningsOfSamples(t *testing.T) {
	warned := func(a Arm, text string) bool {
		return slices.ContainsFunc(Compare(a, full(2).arm("b"), quick).Warnings, func(s string) bool { return strings.Contains(s, text) })
	}
	add := func(a Arm, storm string) Arm {
		s := a.Samples[0]
		s.Series = storm
		a.Samples = append(a.Samples, s)
		return a
	}
	const unnamed, untold = "does not name: ", "how any of its triggers started"
	swept := add(full(1).arm("a"), "sweep 8 #2")
	if !warned(swept, unnamed+"sweep 8 #2") {
		t.Error("no warning of a sweep that the result does not have")
	}
	swept.Run.Sweep = []results.SweepPoint{{N: 8, Repeats: 3}}
	if warned(swept, unnamed) {
		t.Error("the sweep's own samples are warned of")
	}
	if !warned(add(add(full(1).arm("a"), "x"), "y"), unnamed+"x, y") {
		t.Error("not one warning of both")
	}
	told := full(1).arm("a")
	if warned(told, untold) {
		t.Error("starts that are known are called unknown")
	}
	for i := range told.Samples {
		told.Samples[i].Start = results.StartUnknown
	}
	if !warned(told, untold) {
		t.Error("no warning of starts that nobody told")
	}
}
