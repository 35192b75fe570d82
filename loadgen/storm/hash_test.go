package storm_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"coldstorm/loadgen/storm"
)

var update = flag.Bool("update", false, "rewrite golden files")

// testdata/arrivals.sha256 was written on amd64. The test passes on arm64, under
// emulation too, because no arithmetic of this package depends on the processor.
func TestArrivalsAreTheRecordedOnesOnAnyMachine(t *testing.T) {
	const file = "testdata/arrivals.sha256"
	all := every(t)
	for name, c := range curves() {
		all["varying "+name] = storm.Varying{Along: c.curve, Seed: 11}.Draw()
	}
	var got strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&got, "%s  %s\n", storm.Hash(all[name]), name)
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	recorded := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(recorded) || line != recorded[i] {
			t.Errorf("%s is not recorded; if the storm was meant to change, write it with -update", line)
		}
	}
}
