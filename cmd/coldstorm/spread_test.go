package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coldstorm/runtime/sim"
)

// A storm meets as many copies here as in its simulation, whatever makes them.
func TestCopiesAreThoseOfTheSchedule(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace.csv")
	rows := "HashOwner,HashApp,HashFunction,Trigger,1,2\no,a,f,http,3,1\no,a,g,http,0,2\no,b,h,http,1,1\n"
	if err := os.WriteFile(trace, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, storm string
		warm, cold  int
	}{
		{"one function", "{shape: burst, n: 9}", 1, 0},
		{"several", "{shape: zipf, functions: 3, of: {shape: burst, n: 9}}", 3, 0},
		{"several in a part", "{shape: overlay, parts: [{shape: burst, n: 1}, {shape: zipf, functions: 4, of: {shape: burst, n: 9}}]}", 4, 0},
		{"a share cold", "{shape: cold, warm: 9, share: 50%, of: {shape: burst, n: 9}}", 1, 1},
		{"both", "{shape: cold, warm: 9, share: 50%, of: {shape: zipf, functions: 3, of: {shape: burst, n: 9}}}", 3, 3},
		{"a trace as one", "{shape: trace, file: " + trace + "}", 1, 0},
		{"a trace whose functions are apart", "{shape: trace, apart: true, file: " + trace + "}", 3, 0},
	} {
		sc := triggered(t, "storms: ["+test.storm+"]").scenario
		s, err := scheduleOf(sc, sc.Storms[0])
		if err != nil {
			t.Fatalf("%s: %v", test.what, err)
		}
		live, simulated := copiesFor("f", s), simulatedCopies(s, 1)
		if len(live.warm) != test.warm || len(live.cold) != test.cold {
			t.Errorf("%s: copies %v and %v, want %d and %d", test.what, live.warm, live.cold, test.warm, test.cold)
		}
		if (simulated != nil) != live.several() {
			t.Fatalf("%s: simulated as %+v", test.what, simulated)
		}
		if simulated != nil && (simulated.Functions != test.warm || simulated.Chilling != (test.cold > 0)) {
			t.Errorf("%s: simulated as %+v", test.what, simulated)
		}
	}
}

func TestTriggersOfAScaledStormGoWhereTheirsDoes(t *testing.T) {
	sc := triggered(t, "storms: [{shape: cold, warm: 9, share: 20%, of: {shape: zipf, functions: 3, of: {shape: burst, n: 1000}}}]").scenario
	s, err := scheduleOf(sc, sc.Storms[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []float64{1, 4, 0.5} {
		c, n, cold := simulatedCopies(s, scale), int(1000*scale), 0
		for i := range n {
			m := c.Mark(i)
			if m.Cold {
				cold++
			}
			if m.Function < 0 || m.Function >= 3 {
				t.Fatalf("scale %v: trigger %d goes at function %d of 3", scale, i, m.Function)
			}
		}
		if share := float64(cold) / float64(n); share < 0.15 || share > 0.25 || scale >= 1 && share != 0.2 {
			t.Errorf("scale %v: %v of the triggers are to start cold, want 0.2", scale, share)
		}
	}
}

func TestContainersMeetNoStormAtCopies(t *testing.T) {
	l := triggered(t, "storms: [{name: one, shape: burst, n: 9}, {name: popular, shape: zipf, functions: 3, of: {shape: burst, n: 9}}]\nlive: [ec2]")
	l.run.Host.Cores = 2
	storms := l.containedStorms(sim.Profile{})
	if len(storms) != 1 || storms[0].Name != "one" {
		t.Errorf("containers are to serve %+v", storms)
	}
	if n := l.run.Notes; len(n) != 1 || n[0].About != "popular" || !strings.HasPrefix(n[0].Text, "not fired at ec2: ") {
		t.Errorf("notes %+v", n)
	}
}

func TestWhatCopiesHaveAndShareIsSaid(t *testing.T) {
	c := &sim.Copies{Functions: 4}
	if got := copiesWords(c, 2, 300); !strings.Contains(got, "4 functions, each with environments of its own, 2 of them idle at first") || !strings.Contains(got, "each has 300 at once reserved") {
		t.Error(got)
	}
	if got := copiesWords(c, 0, 0); !strings.Contains(got, "1,000 at once are shared by all") || strings.Contains(got, "idle") {
		t.Error(got)
	}
}
