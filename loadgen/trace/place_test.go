package trace

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/workloads"
)

// counted is an Azure trace of functions that have the same counts.
func counted(t *testing.T, functions int, perMinute ...int) *Trace {
	t.Helper()
	var b strings.Builder
	b.WriteString("HashOwner,HashApp,HashFunction,Trigger")
	for m := range perMinute {
		fmt.Fprintf(&b, ",%d", m+1)
	}
	b.WriteByte('\n')
	for f := range functions {
		fmt.Fprintf(&b, "o,a,f%d,http", f)
		for _, n := range perMinute {
			fmt.Fprintf(&b, ",%d", n)
		}
		b.WriteByte('\n')
	}
	return read(t, "", b.String())
}

func TestFunctionsDontFireTogetherAtTheStartOfAMinute(t *testing.T) {
	const functions, minutes = 1000, 5
	tr := counted(t, functions, slices.Repeat([]int{1}, minutes)...)
	for _, place := range Placements {
		r, err := tr.Schedule(Plan{Place: place, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		// One of 60 seconds is to have about 1/60 of 5,000: 83, with a deviation of 9.
		// Of 300 such seconds, four deviations are exceeded once in 50 sets; six never.
		seconds := make([]int, 60*minutes)
		for i := range r.Len() {
			at, _ := r.At(i)
			seconds[at/time.Second]++
		}
		mean := float64(functions) / 60
		for s, n := range seconds {
			if math.Abs(float64(n)-mean) > 6*math.Sqrt(mean) {
				t.Errorf("%s: %d arrivals in second %d, want about %.1f", place, n, s, mean)
			}
		}
	}
}

// kolmogorov is the largest distance between the distribution of xs, in 0..1, and the
// uniform one.
func kolmogorov(xs []float64) float64 {
	slices.Sort(xs)
	d := 0.0
	for i, x := range xs {
		d = max(d, math.Abs(x-float64(i)/float64(len(xs))), math.Abs(x-float64(i+1)/float64(len(xs))))
	}
	return d
}

// atLevel is the distance that n uniform values exceed once in a thousand
// (Kolmogorov's limit: 1.949 / sqrt n).
func atLevel(n int) float64 { return 1.949 / math.Sqrt(float64(n)) }

func TestUniformPlacementIsUniformWithinTheMinute(t *testing.T) {
	tr := counted(t, 1, slices.Repeat([]int{50}, 200)...)
	var within []float64
	for _, at := range drawAll(t, tr, &tr.Functions[0], Window{}, Uniform, 3) {
		within = append(within, float64(at%time.Minute)/float64(time.Minute))
	}
	if d := kolmogorov(within); d > atLevel(len(within)) {
		t.Errorf("Kolmogorov distance %.4f of %d, at most %.4f", d, len(within), atLevel(len(within)))
	}
}

func TestPoissonPlacementDrawsTheCountToo(t *testing.T) {
	const mean, minutes = 20, 2000
	tr := counted(t, 1, slices.Repeat([]int{mean}, minutes)...)
	all := drawAll(t, tr, &tr.Functions[0], Window{}, Poisson, 3)
	per := make([]float64, minutes)
	for _, at := range all {
		per[at/time.Minute]++
	}
	sum, squares := 0.0, 0.0
	for _, n := range per {
		sum += n
		squares += (n - mean) * (n - mean)
	}
	// The sum of 2,000 Poisson counts of 20 deviates by 200; their index of dispersion
	// by sqrt(2/2000) = 0.032. 3.29 deviations are exceeded once in a thousand.
	if math.Abs(sum-mean*minutes) > 3.29*math.Sqrt(mean*minutes) {
		t.Errorf("%v arrivals, want about %d", sum, mean*minutes)
	}
	if dispersion := squares / minutes / mean; math.Abs(dispersion-1) > 3.29*math.Sqrt(2.0/minutes) {
		t.Errorf("index of dispersion %.3f, want 1", dispersion)
	}
	var gaps []float64
	for i := 1; i < len(all); i++ {
		gaps = append(gaps, 1-math.Exp(-(all[i]-all[i-1]).Seconds()*mean/60))
	}
	if d := kolmogorov(gaps); d > atLevel(len(gaps)) {
		t.Errorf("gaps are not exponential: distance %.4f, at most %.4f", d, atLevel(len(gaps)))
	}
}

func TestEvenPlacementKeepsItsDistanceFromMinuteToMinute(t *testing.T) {
	tr := counted(t, 3, 6, 6, 6)
	var phases []time.Duration
	for i := range tr.Functions {
		all := drawAll(t, tr, &tr.Functions[i], Window{}, Even, 9)
		for j := 1; j < len(all); j++ {
			if gap := all[j] - all[j-1]; (gap - 10*time.Second).Abs() > time.Microsecond {
				t.Errorf("function %d: %v from arrival %d to the next", i, gap, j-1)
			}
		}
		phases = append(phases, all[0])
	}
	if phases[0] == phases[1] || phases[1] == phases[2] {
		t.Errorf("functions share a phase: %v", phases)
	}
}

func TestAWindowIsThePartOfTheTraceThatItNames(t *testing.T) {
	tr := counted(t, 4, 3, 0, 5, 7, 2)
	for _, place := range []Placement{Uniform, Even} {
		for i := range tr.Functions {
			f := &tr.Functions[i]
			whole := drawAll(t, tr, f, Window{}, place, 5)
			for _, w := range []Window{{From: 90 * time.Second}, {For: time.Minute}, {From: 2 * time.Minute, For: 61 * time.Second}, {From: 299 * time.Second, For: time.Hour}} {
				var want []time.Duration
				for _, at := range whole {
					if at >= w.From && (w.For == 0 || at < w.From+w.For) {
						want = append(want, at-w.From)
					}
				}
				if place == Uniform && w.From > 0 {
					// What is skipped is not drawn: the same counts, other places.
					if got := drawAll(t, tr, f, Window{From: 2 * time.Minute, For: time.Minute}, place, 5); len(got) != 5 {
						t.Errorf("%d arrivals in the third minute, want 5", len(got))
					}
					continue
				}
				if got := drawAll(t, tr, f, w, place, 5); !slices.Equal(got, want) {
					t.Errorf("%s, %+v: %v, want %v", place, w, got, want)
				}
			}
		}
	}
}

func TestTheSameSeedDrawsTheSameArrivals(t *testing.T) {
	tr := counted(t, 20, 3, 1, 4, 1, 5, 9)
	hash := map[string]string{
		// Recorded, to hold them on every machine.
		"uniform": "0c93463ccfdb", "even": "3d518912aa63", "poisson": "63dff95510f2",
	}
	for _, place := range Placements {
		a, err := tr.Schedule(Plan{Place: place, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		b, _ := tr.Schedule(Plan{Place: place, Seed: 7})
		c, _ := tr.Schedule(Plan{Place: place, Seed: 8})
		if storm.Hash(a) != storm.Hash(b) || storm.Hash(a) == storm.Hash(c) {
			t.Errorf("%s: the seed does not decide", place)
		}
		if got := storm.Hash(a)[:12]; got != hash[string(place)] {
			t.Errorf("%s: hash %s, want %s", place, got, hash[string(place)])
		}
	}
}

func TestFunctionsAreIndependentOfEachOther(t *testing.T) {
	two, ten := counted(t, 2, 5, 5), counted(t, 10, 5, 5)
	a := drawAll(t, two, &two.Functions[1], Window{}, Uniform, 1)
	b := drawAll(t, ten, &ten.Functions[1], Window{}, Uniform, 1)
	if !slices.Equal(a, b) {
		t.Error("a function's arrivals depend on the others")
	}
	if c := drawAll(t, ten, &ten.Functions[2], Window{}, Uniform, 1); slices.Equal(b, c) {
		t.Error("two functions arrive together")
	}
}

func TestAReplayIsInOrderAndMarked(t *testing.T) {
	tr := counted(t, 5, 4, 4)
	r, err := tr.Schedule(Plan{Apart: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]int, 5)
	for i := range r.Len() {
		at, ok := r.At(i)
		if before, _ := r.At(i - 1); !ok || i > 0 && at < before {
			t.Fatalf("trigger %d at %v, %v", i, at, ok)
		}
		seen[storm.MarkOf(r, i).Function]++
	}
	if storm.Functions(r) != 5 || !slices.Equal(seen, []int{8, 8, 8, 8, 8}) {
		t.Errorf("%d functions with %v", storm.Functions(r), seen)
	}
	if _, ok := r.At(r.Len()); ok {
		t.Error("there is a trigger after the last")
	}
	if whole, _ := tr.Schedule(Plan{Seed: 1}); storm.Functions(whole) != 1 || storm.Hash(whole) == storm.Hash(r) {
		t.Error("one function is not told from several")
	}
	if _, err := tr.Schedule(Plan{Window: Window{From: time.Hour}}); err == nil {
		t.Error("a window beyond the trace was taken")
	}
}

func TestASampleIsTheNearestOfMany(t *testing.T) {
	var b strings.Builder
	b.WriteString("HashOwner,HashApp,HashFunction,Trigger,1\n")
	for i := range 500 {
		fmt.Fprintf(&b, "o,a,f%d,http,%d\n", i, int(math.Pow(10, float64(i%50)/10)))
	}
	b.WriteString("o,a,never,http,0\n")
	tr := read(t, "", b.String())
	s, d, err := tr.Sample(50, 1)
	if err != nil || len(s.Functions) != 50 {
		t.Fatalf("%d functions, %v", len(s.Functions), err)
	}
	if got := Distance(tr, s); math.Abs(got-d) > 1e-12 || d > 0.15 {
		t.Errorf("distance %.3f decades, said to be %.3f", got, d)
	}
	again, _, _ := tr.Sample(50, 1)
	other, _, _ := tr.Sample(50, 2)
	names := func(t *Trace) (out []string) {
		for _, f := range t.Functions {
			out = append(out, f.Name)
		}
		return out
	}
	if !slices.Equal(names(s), names(again)) || slices.Equal(names(s), names(other)) {
		t.Error("the seed does not decide the sample")
	}
	if whole, d, _ := tr.Sample(1000, 1); len(whole.Functions) != 500 || d != 0 {
		t.Errorf("%d functions at %v", len(whole.Functions), d)
	}
	if _, _, err := tr.Sample(0, 1); err == nil {
		t.Error("a sample of none")
	}
}

func TestWassersteinIsTheMeanDistanceOfQuantiles(t *testing.T) {
	for _, c := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{0, 1}, []float64{0, 1}, 0},
		{[]float64{0, 0}, []float64{3, 3, 3}, 3},
		{[]float64{0, 1, 2}, []float64{1, 2, 3}, 1},
		{[]float64{0}, []float64{0, 1}, 0.5},
		{[]float64{0, 2}, []float64{1}, 1},
		{nil, []float64{1}, 0},
	} {
		if got := wasserstein(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v and %v: %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestAStormOfATraceIsScaledAsItSays(t *testing.T) {
	dir := func(name string) string { return "testdata/" + name }
	st := workloads.Storm{Name: "t", Shape: workloads.ShapeTrace, File: "invocations.csv", For: 10 * time.Minute}
	plain, err := Of(st, dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	st.Time, st.Load = 0.1, 2
	scaled, err := Of(st, dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	if scaled.Duration() != time.Minute || scaled.Len() != 2*plain.Len() {
		t.Errorf("%d triggers over %v from %d over %v", scaled.Len(), scaled.Duration(), plain.Len(), plain.Duration())
	}
	st.Functions = 2
	if s, err := Of(st, dir, 1); err != nil || !strings.Contains(s.String(), "sampled of 4") {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := Of(workloads.Storm{Shape: "tape"}, dir, 1); err == nil {
		t.Error("another shape was taken for a trace")
	}
}
