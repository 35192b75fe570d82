package chart_test

import (
	"slices"
	"testing"
	"time"

	"coldstorm/report/chart"
	"coldstorm/results"
)

var tasks = []results.StateTime{
	{Of: "task", State: "PENDING", Units: 120, Time: results.Quantiles{N: 120, P50: 2 * time.Second, P99: 5 * time.Second, Max: 6 * time.Second}},
	{Of: "task", State: "RUNNING", Units: 120, Still: 100, Time: results.Quantiles{N: 20, P50: time.Minute, Max: 90 * time.Second}},
	{Of: "task", State: "DEACTIVATING", Units: 20, Time: results.Quantiles{N: 20}},
	{Of: "task", State: "STOPPED", Units: 20, Still: 20},
}

var taskRows = [][]string{
	{"task", "PENDING", "120", "0", "2.00 s", "5.00 s", "6.00 s"},
	{"task", "RUNNING", "120", "100", "60.0 s", "n too small", "90.0 s"},
	{"task", "DEACTIVATING", "20", "0", "0 s", "n too small", "0 s"},
	{"task", "STOPPED", "20", "20", "none", "none", "none"},
}

// wantRows holds that t has the task's rows under a name.
func wantRows(t *testing.T, got chart.Table, name string) {
	t.Helper()
	for i, row := range taskRows {
		if want := append([]string{name}, row...); len(got.Rows) != len(taskRows) || !slices.Equal(got.Rows[i], want) {
			t.Fatalf("rows %q, want in place %d %q", got.Rows, i, want)
		}
	}
}

func TestATableOfStatesTellsNoTimeFromNoFigure(t *testing.T) {
	wantRows(t, chart.MeasuredStates([]results.Series{{Name: "burst"}, {Name: "burst on ecs-ec2", States: tasks}}), "burst on ecs-ec2")
}

func TestProjectedStatesAreThoseOfOneStorm(t *testing.T) {
	ps := []results.Projection{
		{Model: "lambda", Offered: true, Storms: []results.ProjectedStorm{{Name: "burst"}}},
		{Model: "ecs-ec2", Offered: true, Storms: []results.ProjectedStorm{{Name: "ramp", States: tasks[:1]}, {Name: "burst", States: tasks}}},
	}
	wantRows(t, chart.ProjectedStates(ps, "burst"), "ecs-ec2")
}

func TestASentenceOfStatesHasTheMediansOfThoseThatWereLeft(t *testing.T) {
	if got, want := chart.StatesSentence(tasks), "task PENDING 2.00 s (n=120), task RUNNING 60.0 s (n=20), task DEACTIVATING 0 s (n=20)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
