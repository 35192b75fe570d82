package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func TestASimulationSaysHowLongUnitsWereInEachState(t *testing.T) {
	row := func(model string, states ...results.StateTime) results.Projection {
		return results.Projection{Model: model, Offered: true, Storms: []results.ProjectedStorm{{Name: "rush", States: states}}}
	}
	run := results.Run{Projections: []results.Projection{
		row("lambda"),
		row("ecs-fargate", results.StateTime{Of: "task", State: "PENDING", Units: 9, Time: results.Quantiles{N: 9, P50: 15 * time.Second}}),
		row("ec2", results.StateTime{Of: "instance", State: "running", Units: 1, Still: 1}), // nothing left it
	}}
	var out bytes.Buffer
	if err := printProjections(&out, run); err != nil {
		t.Fatal(err)
	}
	want := "median time in each state, projected on AWS (stops take none unless stop_time says so)\n\n  ecs-fargate: task PENDING 15.0 s (n=9)\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("%s\nwant %s", out.String(), want)
	}
}

func TestASimulationSaysWhereStartsFindTheImage(t *testing.T) {
	var out bytes.Buffer
	printImages(&out, []results.Projection{
		{Model: "lambda", Image: "caches of its own"}, {Model: "ecs-ec2", Image: "cold"}, {Model: "lambda-snapstart"}, {Model: "eks-ec2", Image: "cold"},
	})
	if want := "\nimage or package at a start, as projected\n\n  lambda: caches of its own\n  ecs-ec2, eks-ec2: cold\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	out.Reset()
	if printImages(&out, nil); out.Len() > 0 {
		t.Errorf("%q of no models", out.String())
	}
}
