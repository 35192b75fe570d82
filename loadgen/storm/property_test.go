package storm_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/workloads"
)

// every yields a schedule of each shape, and compositions of compositions.
func every(t *testing.T) map[string]storm.Schedule {
	t.Helper()
	all := map[string]storm.Schedule{}
	add := func(name string, st workloads.Storm) {
		sch, err := storm.Of(st, 7)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = sch
	}
	part := func(shape workloads.Shape, change func(*workloads.Storm)) workloads.Storm {
		st := sample(shape)
		change(&st)
		return st
	}
	same := func(*workloads.Storm) {}
	for _, shape := range shapes() {
		add(string(shape), sample(shape))
		if st := sample(shape); shape != workloads.ShapePoisson {
			st.Poisson = true
			add(string(shape)+" at random", st)
		}
	}
	of := func(parts ...workloads.Storm) func(*workloads.Storm) {
		return func(st *workloads.Storm) { st.Parts = parts }
	}
	ramp, burst, pause := part(workloads.ShapeRamp, same), part(workloads.ShapeBurst, same), part(workloads.ShapePause, same)
	chain := part(workloads.ShapeChain, of(ramp, burst, pause, part(workloads.ShapeOnOff, same), burst))
	overlay := part(workloads.ShapeOverlay, of(chain, part(workloads.ShapeConstant, same), part(workloads.ShapeCold, same), burst))
	zipf := part(workloads.ShapeZipf, of(overlay))
	add("chain of five", chain)
	add("overlay of a chain", overlay)
	add("functions of an overlay", zipf)
	add("thinned", part(workloads.ShapeScale, func(st *workloads.Storm) { st.Parts, st.Load = []workloads.Storm{zipf}, 0.3 }))
	add("multiplied", part(workloads.ShapeScale, func(st *workloads.Storm) { st.Parts, st.Load, st.Time = []workloads.Storm{zipf}, 2.5, 3 }))
	add("repeated and laid over", part(workloads.ShapeOverlay, of(part(workloads.ShapeRepeat, of(burst, burst)), part(workloads.ShapeRepeat, of(ramp)))))
	return all
}

func TestEverySchedulesTimesNeverDecreaseAndStayWithinItsDuration(t *testing.T) {
	for name, sch := range every(t) {
		last := time.Duration(0)
		for i := range sch.Len() {
			at, ok := sch.At(i)
			if !ok || at < last || at > sch.Duration() && !storm.Closed(sch) {
				t.Fatalf("%s: trigger %d of %d at %v (%t) after %v, within %v", name, i, sch.Len(), at, ok, last, sch.Duration())
			}
			last = at
		}
		for _, i := range []int{-1, sch.Len(), sch.Len() + 5000} {
			if at, ok := sch.At(i); ok {
				t.Errorf("%s: trigger %d of %d at %v", name, i, sch.Len(), at)
			}
		}
	}
}

func TestEveryScheduleIsAFunctionOfTheIndexAlone(t *testing.T) {
	again := every(t)
	for name, sch := range every(t) {
		if a, b := storm.Hash(sch), storm.Hash(again[name]); a != b {
			t.Errorf("%s: the same seed hashes to %s and %s", name, a, b)
		}
		forth, marks := times(sch), []storm.Mark{}
		for i := range forth {
			marks = append(marks, storm.MarkOf(sch, i))
		}
		for i := range slices.Backward(forth) { // and from the end
			if at, _ := sch.At(i); at != forth[i] {
				t.Fatalf("%s: trigger %d at %v, and at %v when asked again", name, i, forth[i], at)
			}
			if m := storm.MarkOf(sch, i); m != marks[i] {
				t.Fatalf("%s: trigger %d marked %v, and %v when asked again", name, i, marks[i], m)
			}
			if m := marks[i]; m.Function < 0 || m.Function >= storm.Functions(sch) || m.Cold && !storm.Chilling(sch) {
				t.Fatalf("%s: trigger %d has mark %+v of %d functions", name, i, m, storm.Functions(sch))
			}
		}
	}
}

func TestManyMayReadAScheduleAtOnce(t *testing.T) {
	sch := storm.Poisson{Rate: 10_000, For: 2 * s, Seed: 1}.Draw()
	want := times(sch)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for j := range want {
				i := (j*(2*k+1) + k*997) % len(want)
				if at, _ := sch.At(i); at != want[i] {
					t.Errorf("trigger %d at %v, want %v", i, at, want[i])
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestRandomStormsDifferBySeedAndName(t *testing.T) {
	seen := map[string]string{}
	for _, st := range []workloads.Storm{
		sample(workloads.ShapePoisson), sample(workloads.ShapeOnOff), sample(workloads.ShapePareto), sample(workloads.ShapeLoop),
		sample(workloads.ShapeZipf), sample(workloads.ShapeCold), sample(workloads.ShapeScale),
	} {
		for seed := range int64(3) {
			for _, name := range []string{"a", "b"} {
				st.Name = name
				sch, err := storm.Of(st, seed)
				if err != nil {
					t.Fatal(err)
				}
				id := fmt.Sprint(st.Shape, name, seed)
				if other, ok := seen[storm.Hash(sch)]; ok {
					t.Errorf("%s is the same storm as %s", id, other)
				}
				seen[storm.Hash(sch)] = id
			}
		}
	}
}

func TestALeafMakesTheShapesThatStormDoesNot(t *testing.T) {
	var seeds []int64
	leaf := func(part workloads.Storm, seed int64) (storm.Schedule, error) {
		seeds = append(seeds, seed)
		if part.N == 13 {
			return nil, fmt.Errorf("no luck")
		}
		return storm.Burst{N: part.N}, nil
	}
	trace := func(n int) workloads.Storm { return workloads.Storm{Shape: "elsewhere", N: n} }
	got, err := storm.With(workloads.Storm{Name: "x", Shape: workloads.ShapeChain, Parts: []workloads.Storm{trace(2), trace(3)}}, 1, leaf)
	if err != nil || got.Len() != 5 {
		t.Errorf("%v, error %v", got, err)
	}
	if len(seeds) != 2 || seeds[0] == seeds[1] {
		t.Errorf("seeds %v, want two", seeds)
	}
	if _, err := storm.With(trace(13), 1, leaf); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("error %v, want the leaf's", err)
	}
	if _, err := storm.Of(trace(2), 1); err == nil || !strings.Contains(err.Error(), `unknown shape "elsewhere"`) {
		t.Errorf("error %v without a leaf", err)
	}
}

func TestMarksStayWithTheirTriggers(t *testing.T) {
	cold := storm.Chill(storm.List{5}, 1, 1)
	spread := storm.Spread(storm.Burst{N: 50}, 3, 0, 1)
	overlay := storm.Overlay(storm.List{1, 9}, cold)
	for i, want := range []bool{false, true, false} {
		if got := storm.MarkOf(overlay, i).Cold; got != want {
			t.Errorf("trigger %d of the overlay is cold: %t", i, got)
		}
	}
	chain := storm.Chain(storm.Burst{N: 2}, spread, storm.Pause(s), cold)
	twice := storm.Stretch(storm.Repeat(chain, 2, 0), 2)
	doubled := storm.Load(twice, 2, 1)
	if storm.Functions(doubled) != 3 || !storm.Chilling(doubled) || storm.Functions(overlay) != 1 || storm.Chilling(spread) {
		t.Error("functions or cold starts miscounted")
	}
	for i := range doubled.Len() {
		want := storm.MarkOf(chain, i/2%chain.Len())
		if got := storm.MarkOf(doubled, i); got != want {
			t.Fatalf("trigger %d has mark %+v, want %+v", i, got, want)
		}
	}
	for _, i := range []int{-1, 1000} {
		for _, sch := range []storm.Schedule{chain, overlay, twice, doubled} {
			if m := storm.MarkOf(sch, i); m != (storm.Mark{}) {
				t.Errorf("%s: trigger %d, which is none, has mark %+v", sch, i, m)
			}
		}
	}
}

func TestCopiesAreAsManyAsColdStartsFallIntoACooldown(t *testing.T) {
	cold := storm.Chill(storm.List{0, 1, 2, 10, 11, 12, 13}, 1, 1)
	for cooldown, want := range map[time.Duration]int{0: 1, 1: 2, 3: 4, 100: 7} {
		if got := storm.Copies(cold, cooldown); got != want {
			t.Errorf("%d copies at a cooldown of %d, want %d", got, cooldown, want)
		}
	}
	if got := storm.Copies(storm.Burst{N: 5}, s); got != 0 {
		t.Errorf("%d copies for a storm without cold starts", got)
	}
}

func TestClosedLoopsHashByTheirClientsAndThinking(t *testing.T) {
	seen := map[string]bool{}
	for _, sch := range []storm.Schedule{
		storm.Sequence{N: 9}, storm.Loop{N: 9}, storm.Loop{N: 9, Callers: 2}, storm.Loop{N: 9, Callers: 2, Pause: s}, storm.Loop{N: 9, Callers: 2, Pause: s, Drawn: true},
	} {
		seen[storm.Hash(sch)] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d hashes of five loops", len(seen))
	}
}
