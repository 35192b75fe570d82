package chart

import (
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/report/chart/random"
	"coldstorm/results"
)

func TestForemostStorm(t *testing.T) {
	storm := func(name string, limited bool, cold int) results.Series {
		return results.Series{
			Name: name, Generator: results.Generator{Limited: limited},
			Latency: map[results.Start]results.Quantiles{results.StartCold: {N: cold}},
		}
	}
	for _, c := range []struct {
		rule   string
		series []results.Series
		want   string
	}{
		{"none has a cold start", []results.Series{storm("a", false, 0)}, ""},
		{"the most samples", []results.Series{storm("idle", false, 4), storm("sequence", false, 120), storm("ramp", false, 2)}, "sequence"},
		{"the first of equals", []results.Series{storm("a", false, 5), storm("b", false, 5)}, "a"},
		{"an unlimited one before a larger limited one", []results.Series{storm("burst", true, 1000), storm("idle", false, 4)}, "idle"},
		{"a limited one if there is no other", []results.Series{storm("burst", true, 1000), storm("warm", false, 0)}, "burst"},
	} {
		got, ok := Foremost(c.series, results.StartCold)
		if got.Name != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %t, want %q", c.rule, got.Name, ok, c.want)
		}
	}
}

func TestColdAgainstWarmSaysWhereEachIsFrom(t *testing.T) {
	run, _, _ := random.Run(1)
	c := ColdAgainstWarm(run)
	cold, _ := Foremost(run.Series, results.StartCold)
	for _, want := range []string{"cold from “" + cold.Name + "” (" + cold.Shape + ")", "warm from “"} {
		if !strings.Contains(c.Note, want) {
			t.Errorf("the note %q doesn't say %q", c.Note, want)
		}
	}
	for i := range run.Series {
		run.Series[i].Generator.Limited = true
	}
	if c := ColdAgainstWarm(run); !strings.Contains(c.Note, "which this machine limited") {
		t.Errorf("the note %q hides that the machine was the limit", c.Note)
	}
	if c := ColdAgainstWarm(results.Run{}); c.Empty == "" {
		t.Error("a run without storms is drawn")
	}
}

func TestCurvesThatCoincideAreDrawnInTurns(t *testing.T) {
	curve := func(label string, value time.Duration) percentiles {
		p := percentiles{label: label, q: results.Quantiles{N: 100}}
		p.set(results.Spectrum{{Q: 0, Value: value, Count: 1}, {Q: 0.9, Value: 2 * value, Count: 90}})
		return p
	}
	curves := []percentiles{curve("a", 1000), curve("b", 2000), curve("c", 1004), curve("d", 1020)}
	if got := coinciding(curves); got != "a, c" {
		t.Errorf("coinciding: %q, want those within a line's width, a, c", got)
	}
	out := striped(curves)
	if out[0].style.DashOffs == out[2].style.DashOffs || len(out[0].style.Dashes) == 0 || len(out[2].style.Dashes) == 0 {
		t.Errorf("a and c are drawn with %v and %v: one hides the other", out[0].style, out[2].style)
	}
	if len(out[1].style.Dashes)+len(out[3].style.Dashes)+len(curves[0].style.Dashes) > 0 {
		t.Error("a curve that stands alone was changed, or the curves given")
	}
	if got := coinciding(curves[:2]); got != "" {
		t.Errorf("coinciding: %q of curves that don't", got)
	}
}

func TestObjectiveStretchesTheAxisOnlyALittle(t *testing.T) {
	run, _, _ := random.Run(1)
	s := run.Series[0]
	far := string(Spectrum(s, time.Hour).SVG())
	if !strings.Contains(far, "objective 1 h, above this chart") || strings.Contains(far, ">1 h<") {
		t.Error("an objective far above the latencies stretches the axis, or isn't told of")
	}
	if low := string(Spectrum(s, time.Nanosecond).SVG()); !strings.Contains(low, "objective 1 ns, below this chart") {
		t.Error("an objective far below the latencies isn't told of")
	}
	if near := string(Spectrum(s, s.Latency[results.StartWarm].Max).SVG()); strings.Contains(near, "this chart<") {
		t.Error("an objective among the latencies is said to be elsewhere")
	}
}

func TestQuantilesAreShownAsDurations(t *testing.T) {
	c := Fidelity([]results.Fidelity{
		{Series: "s", Model: "lambda", Metric: "cold_p50", Live: 75_609_543, Sim: 73_465_855, Error: -0.028},
		{Series: "s", Model: "lambda", Metric: "p99", Live: 2e6, Sim: 2e6},
		{Series: "s", Model: "lambda", Metric: "cold_starts", Live: 4, Sim: 4},
	})
	for i, want := range [][]string{{"75.6 ms", "73.5 ms"}, {"2.00 ms", "2.00 ms"}, {"4", "4"}} {
		if got := c.Table.Rows[i][3:5]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.Table.Rows[i][2], got, want)
		}
	}
}
