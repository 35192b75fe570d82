package chart

import (
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func events(name string) results.Series {
	part := func(start results.Start, name string, n int, p50, p99 time.Duration) results.WayPart {
		return results.WayPart{Start: start, Part: name, Time: results.Quantiles{N: n, P50: p50, P99: p99}}
	}
	return results.Series{
		Name: name, Trigger: "queue, batches of up to 10", Invocations: 20, ColdStarts: 2, Counts: results.Counts{Offered: 150, Served: 140, Failed: 3, Unsent: 7},
		Way: []results.WayPart{
			part(results.StartCold, "publish to poll", 2, 3*time.Millisecond, 0), part(results.StartWarm, "publish to poll", 138, 200*time.Microsecond, 2*time.Millisecond),
		},
	}
}

// lines are a table's rows, their cells joined.
func lines(t Table) (rows []string) {
	for _, r := range t.Rows {
		rows = append(rows, strings.Join(r, "|"))
	}
	return rows
}

func TestWayHasAQuantileWhereItsSamplesCarryOne(t *testing.T) {
	got := Way([]results.Series{{Name: "requests"}, events("messages")})
	want := []string{
		"messages|cold|publish to poll|2|3.00 ms|n too small",
		"messages|warm|publish to poll|138|200 µs|2.00 ms",
	}
	if rows := lines(got); !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
}

func TestProjectedWayHasARowForEachModel(t *testing.T) {
	storm := func(name string) results.ProjectedStorm {
		return results.ProjectedStorm{Name: name, Way: events(name).Way[1:]}
	}
	got := ProjectedWay([]results.Projection{
		{Model: "lambda", Storms: []results.ProjectedStorm{{Name: "requests"}, storm("messages"), storm("files")}},
		{Model: "lambda-snapstart", Storms: []results.ProjectedStorm{storm("messages")}},
		{Model: "ec2"},
	})
	want := []string{
		"files|lambda|warm|publish to poll|138|200 µs|2.00 ms",
		"messages|lambda|warm|publish to poll|138|200 µs|2.00 ms",
		"messages|lambda-snapstart|warm|publish to poll|138|200 µs|2.00 ms",
	}
	if rows := lines(got); !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
}

func TestSourcedSaysWhatFiguresAreOf(t *testing.T) {
	one, some := events("a"), events("a")
	one.Invocations = 143
	some.Invocations = 140 // three never reached the function
	for s, want := range map[string]string{
		Sourced(results.Series{Name: "requests"}): "",
		Sourced(events("a")):                      "queue, batches of up to 10; 143 events in 20 invocations, 2 of them cold (cold and warm are counts of events); measured here",
		Sourced(some):                             "queue, batches of up to 10; measured here",
		Sourced(one):                              "queue, batches of up to 10; measured here",
	} {
		if s != want {
			t.Errorf("%q, want %q", s, want)
		}
	}
}

func TestForemostPrefersRequests(t *testing.T) {
	many := map[results.Start]results.Quantiles{results.StartCold: {N: 100}}
	few := map[results.Start]results.Quantiles{results.StartCold: {N: 1}}
	messages := results.Series{Name: "messages", Trigger: "queue", Latency: many}
	limited := results.Series{Name: "limited", Latency: few, Generator: results.Generator{Limited: true}}
	if s, _ := Foremost([]results.Series{messages, limited}, results.StartCold); s.Name != "limited" {
		t.Errorf("%s was chosen before a storm of requests", s.Name)
	}
	if s, _ := Foremost([]results.Series{messages}, results.StartCold); s.Name != "messages" {
		t.Error("no storm was chosen")
	}
}
