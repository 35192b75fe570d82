package random_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"coldstorm/report/chart/random"
)

func Example() {
	run, samples, _ := random.Run(1)
	fmt.Println(run.Status, len(run.Series), "storms", len(run.Projections), "models", len(samples), "samples")
	// Output: complete 3 storms 8 models 3610 samples
}

func TestASeedMakesTheSameRun(t *testing.T) {
	encode := func(seed uint64) string {
		run, _, _ := random.Run(seed)
		b, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if once, again := encode(3), encode(3); once != again {
		t.Error("seed 3 made two different runs")
	}
	if encode(3) == encode(4) {
		t.Error("seeds 3 and 4 made the same run")
	}
}

func TestEveryTriggerIsAccountedFor(t *testing.T) {
	run, samples, _ := random.Run(2)
	total := 0
	for _, s := range run.Series {
		total += s.Counts.Offered
		if !s.Counts.Accounted() {
			t.Errorf("%s: %+v is not accounted for", s.Name, s.Counts)
		}
	}
	if total != len(samples) {
		t.Errorf("series offered %d triggers, there are %d samples", total, len(samples))
	}
	for _, p := range run.Projections {
		for _, s := range p.Storms {
			if !s.Counts.Accounted() {
				t.Errorf("%s: %+v is not accounted for", p.Model, s.Counts)
			}
		}
	}
}
