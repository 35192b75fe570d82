package storm

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestElementaryFunctionsAreThoseOfTheTextbook(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	// Adding a quarter turn rounds by up to 2e-16 turns, 1.4e-15 of angle; the
	// reference rounds its own angle, of up to 2π, by as much.
	near := func(what string, x, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 4e-15*max(1, math.Abs(want)) {
			t.Fatalf("%s(%v) = %v, want %v", what, x, got, want)
		}
	}
	for range 100_000 {
		x := math.Exp(rng.NormFloat64() * 20)
		near("ln", x, ln(x), math.Log(x))
		y := rng.Float64()*60 - 30
		near("exp", y, exp(y)/math.Exp(y), 1)
		near("sin", y, sinTurn(y/10), math.Sin(2*math.Pi*(y/10-math.Floor(y/10))))
		near("cos", y, cosTurn(y/10), math.Cos(2*math.Pi*(y/10-math.Floor(y/10))))
	}
	for x, want := range map[float64]float64{0: 0, .25: 1, .5: 0, .75: -1, 1: 0, -0.25: -1} {
		near("sin", x, sinTurn(x), want)
	}
	for x, want := range map[float64]float64{1: 0, math.SmallestNonzeroFloat64: -1074 * math.Ln2, 1.0 / (1 << 53): -53 * math.Ln2} {
		near("ln", x, ln(x), want)
	}
}

func TestUnitIsNeverZero(t *testing.T) {
	if lo, hi := unit(0), unit(math.MaxUint64); lo != 1.0/(1<<53) || hi != 1 {
		t.Errorf("units from %v to %v", lo, hi)
	}
}

func TestACopyOfAStreamGoesOnFromTheSamePlace(t *testing.T) {
	a := newStream(1, "x")
	a.unit()
	b := a
	if x, y := a.unit(), b.unit(); x != y {
		t.Errorf("%v and %v", x, y)
	}
}

func TestStreamsOfOtherSeedsAndNamesDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for seed := range int64(100) {
		for _, name := range []string{"", "a", "b", "a/0", "a/1"} {
			s := newStream(seed-50, name)
			first := s.Uint64()
			if other, ok := seen[first]; ok {
				t.Errorf("seed %d name %q begins like %s", seed, name, other)
			}
			seen[first] = name
		}
	}
}

func TestLoopThinksAsItSays(t *testing.T) {
	fixed := Loop{N: 10, Callers: 3, Pause: time.Second}
	drawn := Loop{N: 100_000, Callers: 3, Pause: time.Second, Drawn: true, Seed: 5}
	if Clients(fixed) != 3 || Clients(Loop{N: 2, Callers: 9}) != 2 || Clients(Sequence{N: 4}) != 1 || Clients(Burst{N: 1}) != 0 {
		t.Error("clients miscounted")
	}
	if d := Think(fixed, 7); d != time.Second {
		t.Errorf("thinks %v", d)
	}
	if d := Think(Sequence{N: 1}, 0); d != 0 {
		t.Errorf("a sequence thinks %v", d)
	}
	sum := 0.0
	for i := range drawn.N {
		sum += Think(drawn, i).Seconds()
	}
	// The mean of n exponentials of mean 1 is off by 1/sqrt(n); 3.29 of those once in a thousand.
	if mean := sum / float64(drawn.N); math.Abs(mean-1) > 3.29/math.Sqrt(float64(drawn.N)) {
		t.Errorf("thinks %v s on average", mean)
	}
	first := Think(drawn, 1)
	if Think(drawn, 2) == first || Think(drawn, 1) != first {
		t.Error("draws are not those of the index")
	}
}
