package html

import (
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func TestDurationsInTextsReadAsElsewhere(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"kept alive 5m0s idle", "kept alive 5 min idle"},
		{"1h30m0s, then 2m3.5s", "90 min, then 123.5 s"},
		{"c7i.large (2 vCPU, 4 GB), 10s and 250ms", "c7i.large (2 vCPU, 4 GB), 10s and 250ms"},
		{"m5.large, x3m0sy", "m5.large, x3m0sy"},
	} {
		if got := roundDurations(c.text); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.text, got, c.want)
		}
	}
}

func projection(model string, p99 time.Duration, cold float64) results.Projection {
	return results.Projection{Model: model, Offered: true, Steady: results.Steady{All: results.Quantiles{N: 1000, P99: p99}, ColdShare: cold}}
}

func TestAlikeExplainsOnlyWhatIsAlike(t *testing.T) {
	gone := projection("c", time.Second, 0)
	gone.Offered = false
	same := results.Run{Projections: []results.Projection{projection("a", time.Second, 0), projection("b", time.Second, 0.001), gone}}
	text := alike(same)
	for _, want := range []string{"a, b have the same p99 of 1.00 s", "no network time", "fewer than 1 %"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q doesn't say %q", text, want)
		}
	}
	same.Projections[1].Steady.ColdShare = 0.2
	if text := alike(same); strings.Contains(text, "fewer than 1 %") {
		t.Errorf("%q, where a fifth of the starts are cold", text)
	}
	same.Projections[1].Steady.All.P99++
	if text := alike(same); text != "" {
		t.Errorf("%q, where no two are the same", text)
	}
}

func TestAModelIsJudgedUnderTheStormToo(t *testing.T) {
	p := projection("ecs-fargate", 100*time.Millisecond, 0)
	p.Steady.Counts = results.Counts{Offered: 1000, Served: 1000, Warm: 1000}
	p.Storms = []results.ProjectedStorm{{
		Name: "crowd", All: results.Quantiles{N: 979, P99: 59 * time.Second},
		Counts: results.Counts{Offered: 1000, Served: 979, TimedOut: 21, Warm: 900, Ready: 79},
	}}
	got := cells(p, "crowd", results.Run{Objective: time.Second})
	for i, want := range map[int]cell{2: {"yes", ""}, 4: {"none", "79 ready"}, 6: {"no", "21 timed out"}} {
		if got[i] != want {
			t.Errorf("column %d holds %q, want %q", i, got[i], want)
		}
	}
	if n := len(cells(p, "another", results.Run{})); n != len(got) {
		t.Errorf("%d columns without the storm, %d with it", n, len(got))
	}
}

func TestReadyStartsHaveATile(t *testing.T) {
	s := results.Series{
		Name: "crowd", Counts: results.Counts{Offered: 40, Served: 40, Ready: 40},
		Latency: map[results.Start]results.Quantiles{results.StartRestored: {N: 40, P50: time.Second}},
	}
	var names, details []string
	for _, x := range tiles(results.Run{Series: []results.Series{s}}) {
		names, details = append(names, x.Name), append(details, x.Detail...)
	}
	if !strings.Contains(strings.Join(names, ";"), "restored start, p50") || !strings.Contains(strings.Join(details, ";"), "starts: 40 provisioned or restored") {
		t.Errorf("tiles %q with details %q don't tell of restored starts", names, details)
	}
}

func TestAStormThatServedNothingDeniesNoColdStart(t *testing.T) {
	failed := results.Series{Name: "check", Counts: results.Counts{Offered: 1, Failed: 1}}
	if got := noColdStart([]results.Series{failed}); got != "no trigger was served" {
		t.Errorf("%q, of a storm whose one trigger failed", got)
	}
	warm := results.Series{Name: "warm", Counts: results.Counts{Offered: 1, Served: 1, Warm: 1}}
	if got := noColdStart([]results.Series{failed, warm}); got != "no served trigger met a cold start" {
		t.Errorf("%q, of a run with a warm start", got)
	}
}

func TestTheMainStormIsOnEveryModelIfOneIs(t *testing.T) {
	storm := func(name string, triggers int) results.ProjectedStorm {
		return results.ProjectedStorm{Name: name, Counts: results.Counts{Offered: triggers}}
	}
	run := results.Run{Projections: []results.Projection{
		{Model: "lambda", Storms: []results.ProjectedStorm{storm("few", 10), storm("several functions", 900), storm("many", 20)}},
		{Model: "ec2", Storms: []results.ProjectedStorm{storm("few", 10), storm("many", 20)}},
	}}
	if got := mainStorm(run); got != "many" {
		t.Errorf("the main storm is %q, want the largest that both models have", got)
	}
	if got := mainStorm(results.Run{}); got != "" {
		t.Errorf("a run without projections has %q", got)
	}
}
