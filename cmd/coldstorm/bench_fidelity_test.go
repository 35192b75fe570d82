package main

import (
	"strings"
	"testing"

	"coldstorm/workloads"
)

func TestStormsOfFidelityAreDrawnAfreshAndCanBeSimulated(t *testing.T) {
	shapes := map[workloads.Shape]bool{}
	for seed := range uint64(40) {
		sc, err := fidelityScenario(seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		again, err := fidelityScenario(seed)
		if err != nil {
			t.Fatal(err)
		}
		drawn := 0
		for i, st := range sc.Storms {
			if !strings.HasPrefix(st.Name, "drawn-") {
				continue
			}
			drawn++
			shapes[st.Shape] = true
			if !projected(st) || st.KeepAlive == nil || st.Shape != again.Storms[i].Shape {
				t.Errorf("seed %d: %+v", seed, st)
			}
		}
		if drawn != fidelityStorms {
			t.Errorf("seed %d: %d storms", seed, drawn)
		}
	}
	if len(shapes) != 5 {
		t.Errorf("40 seeds draw %v", shapes)
	}
}
