package html_test

import (
	"strings"
	"testing"
	"time"

	"coldstorm/report/chart/random"
	"coldstorm/results"
)

func TestThePageHasTheTimeInEachStateMeasuredAndProjected(t *testing.T) {
	run, samples, m := random.Run(1)
	const rows = "Tasks, pods and instances in each state"
	if page := write(t, run, samples, m); strings.Contains(page, rows) {
		t.Error("a run of environments alone speaks of tasks")
	}
	pending := func(d time.Duration) []results.StateTime {
		return []results.StateTime{{Of: "task", State: "PENDING", Units: 7, Still: 2, Time: results.Quantiles{N: 5, P50: d, Max: d}}}
	}
	run.Series[1].States = pending(123 * time.Millisecond)
	run.Projections[3].Storms[0].States = pending(23 * time.Second)
	page := write(t, run, samples, m)
	here, there, _ := strings.Cut(page, `<section id="models">`)
	for _, c := range []struct{ where, in, want string }{
		{"measured", here, rows},
		{"measured", here, `<th scope="row">burst</th><td>task</td><td>PENDING</td><td>7</td><td>2</td><td>123 ms</td>`},
		{"projected", there, "“burst”: tasks, pods and instances in each state (stops take none unless stop_time says so) under each model"},
		{"projected", there, `<th scope="row">ecs-fargate</th><td>task</td><td>PENDING</td><td>7</td><td>2</td><td>23.0 s</td>`},
	} {
		if !strings.Contains(c.in, c.want) {
			t.Errorf("what was %s lacks %s", c.where, c.want)
		}
	}
}
