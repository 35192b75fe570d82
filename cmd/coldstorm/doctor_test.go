package main

import (
	"strings"
	"testing"
)

// TestHostFindings says what is worth a warning.
func TestHostFindings(t *testing.T) {
	for _, c := range []struct {
		rule string
		got  finding
		want string // state
		has  string // in its value
	}{
		{"no swap", swapFinding(0, 0), stateInfo, "none"},
		{"swap that isn't used", swapFinding(1024, 1024), stateInfo, "0 of 1024"},
		{"swap in use", swapFinding(1024, 24), stateWarn, "1000 of 1024"},
		{"a counter of the processor", clockFinding("tsc"), stateInfo, "tsc"},
		{"the hypervisor's", clockFinding("kvm-clock"), stateInfo, "kvm-clock"},
		{"a device", clockFinding("hpet"), stateWarn, "hpet"},
		{"files for a thousand environments", filesFinding(9000), stateInfo, "1000 environments"},
		{"files for fewer", filesFinding(4096), stateWarn, "455 environments"},
		{"an idle host", noiseFinding(ticks{all: 100, idle: 95}), stateInfo, "5% busy"},
		{"a busy one", noiseFinding(ticks{all: 100, idle: 50}), stateWarn, "50% busy"},
		{"one whose time is taken", noiseFinding(ticks{all: 100, idle: 90, steal: 10}), stateWarn, "10% taken"},
		{"no figures", noiseFinding(ticks{}), stateInfo, "unknown"},
		{"a fast processor", governorFinding("performance"), stateInfo, "performance"},
		{"a saving one", governorFinding("powersave"), stateWarn, "powersave"},
		{"a virtual one", governorFinding("unknown"), stateInfo, "not for this kernel"},
	} {
		if c.got.State != c.want || !strings.Contains(c.got.Value, c.has) {
			t.Errorf("%s: %+v, want %s with %q", c.rule, c.got, c.want, c.has)
		}
		if (c.got.State == stateWarn) != (c.got.Means != "" && c.got.Do != "") {
			t.Errorf("%s: %+v says nothing of what to do, or too much", c.rule, c.got)
		}
	}
}

func TestParseTicks(t *testing.T) {
	for line, want := range map[string]ticks{
		"cpu  28668 94478 84833 466174 2906 0 1058 6947 5 7": {all: 685064, idle: 469080, steal: 6947},
		"cpu 1 2 3":              {},
		"intr 1 2 3 4 5 6 7 8 9": {},
		"":                       {},
	} {
		if got := parseTicks(line); got != want {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
}

// TestDiagnosisSaysEachThingOnce says that parts for which the same is to be done
// stand together.
func TestDiagnosisSaysEachThingOnce(t *testing.T) {
	d := diagnosis{Runs: true, Findings: []finding{
		{Name: "a", State: stateNo, Means: "x", Do: "this"},
		{Name: "b", State: stateYes, Value: "well"},
		{Name: "c", State: stateNo, Means: "y", Do: "that"},
		{Name: "d", State: stateNo, Means: "z", Do: "this"},
	}}
	var b strings.Builder
	if err := d.print(&b); err != nil {
		t.Fatal(err)
	}
	want := `a                   NO   
b                   yes  well
c                   NO   
d                   NO   

a: x
d: z
    this

c: y
    that

coldstorm runs here without limits: figures say so, and projections that need limits are withheld.
`
	if b.String() != want {
		t.Errorf("\n%s, want\n%s", &b, want)
	}
}
