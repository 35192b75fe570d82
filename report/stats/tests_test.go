package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestBinomialTail(t *testing.T) {
	for _, c := range []struct {
		n, k int64
		q    float64
		want float64
	}{
		{10, 8, 0.5, 56.0 / 1024}, // (45+10+1)/2¹⁰
		{10, 0, 0.5, 1},
		{10, 11, 0.5, 0},
		{10, 1, 0.5, 1023.0 / 1024},
		{3, 2, 0.25, 3*0.0625*0.75 + 0.015625},
		{0, 0, 0.5, 1},
		{5, 5, 1, 1},
		{5, 1, 0, 0},
	} {
		if got := BinomialTail(c.n, c.k, c.q); !near(got, c.want, 1e-12) {
			t.Errorf("P(B(%d, %v) >= %d) = %v, want %v", c.n, c.q, c.k, got, c.want)
		}
	}
}

// noisy returns lognormal samples around 100 ms.
func noisy(rng *rand.Rand, n int, factor float64) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(factor * math.Exp(0.2*rng.NormFloat64()) * 1e8)
	}
	return out
}

func pairUp(base, head []time.Duration) []Pair {
	out := make([]Pair, len(base))
	for i := range out {
		out[i] = Pair{base[i], head[i]}
	}
	return out
}

func TestTwoProportions(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, n, b, m int64
		want       float64
	}{
		// Fisher's lady: 4 cups of 8, all four guessed: 1/70.
		{"all of head and none of base", 0, 4, 4, 4, 1.0 / 70},
		{"three of four", 1, 4, 3, 4, 17.0 / 70},
		{"none at all", 0, 10, 0, 10, 1},
		{"no samples", 0, 0, 0, 0, 1},
		{"all the same", 5, 5, 5, 5, 1},
		{"counts that can't be", 6, 5, 5, 5, 1},
	} {
		if got := TwoProportions(c.a, c.n, c.b, c.m); !near(got, c.want, 1e-9) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDifferenceInterval(t *testing.T) {
	// Newcombe 1998, table II, example (a): 56/70 and 48/80, 0.0524 to 0.3339.
	i := DifferenceInterval(48, 80, 56, 70)
	if !near(i.Low, 0.0524, 1e-4) || !near(i.High, 0.3339, 1e-4) {
		t.Errorf("%+v", i)
	}
	if i := DifferenceInterval(0, 0, 1, 2); i.Known() {
		t.Errorf("no samples: %+v", i)
	}
}

func TestSignTest(t *testing.T) {
	s := SignTest([]Pair{{1, 2}, {1, 2}, {1, 2}, {2, 1}, {5, 5}})
	if s.Slower != 3 || s.Faster != 1 || s.Ties != 1 {
		t.Errorf("counts %+v", s)
	}
	if !near(s.P.Slower, 5.0/16, 1e-12) || !near(s.P.Faster, 15.0/16, 1e-12) {
		t.Errorf("p %+v, want 5/16 and 15/16", s.P)
	}
	if s := SignTest(nil); s.P != (P{1, 1}) {
		t.Errorf("no pairs: %+v", s)
	}
}

func TestMedianRatio(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []Pair
		want  float64
	}{
		{"no pairs", nil, 0},
		{"a pair that has no time counts for nothing", []Pair{{0, 5}, {5, 0}, {-1, 2}, {2, 4}}, 2},
		{"an even number takes both middle ones", []Pair{{1, 1}, {1, 4}}, 2},
		{"swapped labels give the inverse", []Pair{{1, 1}, {4, 1}}, 0.5},
	} {
		if got := MedianRatio(c.pairs); !near(got, c.want, 1e-12) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestMedianRatioInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	pairs := pairUp(noisy(rng, 200, 1), noisy(rng, 200, 1.3))
	i := MedianRatioInterval(pairs, Resampling{Seed: 1})
	if m := MedianRatio(pairs); !(i.Low < m && m < i.High) || i.Level != Level || i.HalfWidth() > 0.1 {
		t.Errorf("interval %+v of %v", i, m)
	}
	if again := MedianRatioInterval(pairs, Resampling{Seed: 1}); again != i {
		t.Errorf("the same seed gives %+v and %+v", i, again)
	}
	if i := MedianRatioInterval(pairs[:9], Resampling{}); i.Known() {
		t.Errorf("nine pairs have an interval: %+v", i)
	}
}

func TestSwapIsExactForFewUnits(t *testing.T) {
	// Differences 1, 2, 4: every labelling has a sum of its own, the observed
	// one is the largest of 8.
	diffs := []float64{1, 2, 4}
	p := Swap(3, func(swapped []bool) float64 {
		sum := 0.0
		for i, s := range swapped {
			if s {
				sum -= diffs[i]
			} else {
				sum += diffs[i]
			}
		}
		return sum
	}, Resampling{})
	if p != (P{Slower: 1.0 / 8, Faster: 1}) {
		t.Errorf("p %+v, want 1/8 and 1", p)
	}
	if p := Swap(0, nil, Resampling{}); p != (P{1, 1}) {
		t.Errorf("no units: %+v", p)
	}
	nan := Swap(20, func([]bool) float64 { return math.NaN() }, Resampling{Repeats: 99})
	if nan != (P{1, 1}) {
		t.Errorf("a statistic that is no number is a finding: %+v", nan)
	}
}

func TestPoolQuantile(t *testing.T) {
	units := [][]time.Duration{{3, 1}, {2}, {}, {10, 20, 30}}
	p := NewPool(units)
	for _, times := range [][]int{{1, 1, 1, 1}, {0, 0, 0, 0}, {2, 0, 5, 1}, {0, 3, 0, 2}, {0, 0, 1, 0}} {
		var all []time.Duration
		for u, k := range times {
			for range k {
				all = append(all, units[u]...)
			}
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 1} {
			if got, want := p.Quantile(times, q), Quantile(all, q); got != want {
				t.Errorf("times %v q %v: %v, want %v", times, q, got, want)
			}
		}
	}
}

func TestPoolQuantileOfManyUnits(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 13))
	units := make([][]time.Duration, 30)
	times := make([]int, len(units))
	for range 20 {
		var all []time.Duration
		for u := range units {
			units[u] = noisy(rng, rng.IntN(60), 1)
			times[u] = rng.IntN(3)
			for range times[u] {
				all = append(all, units[u]...)
			}
		}
		slices.Sort(all)
		p := NewPool(units)
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			if got, want := p.Quantile(times, q), Quantile(all, q); got != want {
				t.Fatalf("q %v: %v, want %v", q, got, want)
			}
		}
	}
}

// rounds cuts both arms into n rounds.
func rounds(base, head []time.Duration, n int) []Round {
	out := make([]Round, n)
	for i := range out {
		a, b := i*len(base)/n, (i+1)*len(base)/n
		out[i] = Round{Base: base[a:b], Head: head[a:b]}
	}
	return out
}

func TestCompareFindsADifferenceAndNoneWhereThereIsNone(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	base, same, slower := noisy(rng, 400, 1), noisy(rng, 400, 1), noisy(rng, 400, 1.3)
	blocks := func(s []time.Duration) (out [][]time.Duration) {
		for _, r := range rounds(s, s, 40) {
			out = append(out, r.Base)
		}
		return out
	}
	for _, q := range []float64{0.5, 0.9} {
		for name, compare := range map[string]func(head []time.Duration) Ratio{
			"rounds": func(h []time.Duration) Ratio {
				return CompareRounds(rounds(base, h, 40), q, Resampling{Seed: 1, Repeats: 999})
			},
			"blocks": func(h []time.Duration) Ratio {
				return CompareBlocks(blocks(base), blocks(h), q, Resampling{Seed: 1, Repeats: 999})
			},
		} {
			r := compare(slower)
			if r.P.Slower > 0.002 || r.P.Faster < 0.99 || r.Interval.Low < 1.1 || r.Interval.High > 1.6 {
				t.Errorf("%s q %v, 1.3 times slower: %+v", name, q, r)
			}
			if r := compare(same); r.P.Slower < 0.01 || r.Interval.Low > 1 || r.Interval.High < 1 {
				t.Errorf("%s q %v, the same: %+v", name, q, r)
			}
			if r := compare(base); r.Ratio != 1 || r.P.Slower < 0.4 {
				t.Errorf("%s q %v, itself: %+v", name, q, r)
			}
		}
	}
	if r := CompareRounds(nil, 0.5, Resampling{}); r != (Ratio{Q: 0.5, P: P{1, 1}}) {
		t.Errorf("no rounds: %+v", r)
	}
	if r := CompareBlocks(nil, nil, 0.5, Resampling{}); r != (Ratio{Q: 0.5, P: P{1, 1}}) {
		t.Errorf("no blocks: %+v", r)
	}
}

func TestSwapKeepsItsFalseAlarmRate(t *testing.T) {
	const runs, alpha = 400, 0.05
	alarms := 0
	for seed := range uint64(runs) {
		rng := rand.New(rand.NewPCG(seed, 9))
		r := CompareRounds(rounds(noisy(rng, 60, 1), noisy(rng, 60, 1), 20), 0.5,
			Resampling{Seed: int64(seed), Repeats: 199})
		if r.P.Slower <= alpha {
			alarms++
		}
	}
	// Three standard errors of 400 runs at 5 % are 3.3 %.
	if share := float64(alarms) / runs; share > alpha+0.033 {
		t.Errorf("%.1f %% false alarms at %.0f %%", 100*share, 100*alpha)
	}
}

func TestHolm(t *testing.T) {
	for _, c := range []struct {
		name    string
		p, want []float64
	}{
		{"none", nil, []float64{}},
		{"the smallest is taken times their number", []float64{0.04, 0.01, 0.03}, []float64{0.06, 0.03, 0.06}},
		{"nothing exceeds 1", []float64{0.9, 0.8}, []float64{1, 1}},
		{"NaN is no finding, and counts", []float64{math.NaN(), 0.01}, []float64{1, 0.02}},
	} {
		got := Holm(c.p)
		for i := range c.want {
			if !near(got[i], c.want[i], 1e-12) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}

func TestKS(t *testing.T) {
	uniform := func(x float64) float64 { return min(max(x, 0), 1) }
	if d := KS([]float64{0.5}, uniform); !near(d, 0.5, 1e-12) {
		t.Errorf("one sample in the middle: %v", d)
	}
	rng := rand.New(rand.NewPCG(10, 11))
	x, y := make([]float64, 5000), make([]float64, 5000)
	for i := range x {
		x[i], y[i] = rng.Float64(), math.Pow(rng.Float64(), 1.3)
	}
	limit := KSLimit(5000, 0.001)
	if d := KS(x, uniform); d > limit {
		t.Errorf("uniform samples are %v from uniform, limit %v", d, limit)
	}
	if d := KS(y, uniform); d < limit {
		t.Errorf("other samples are %v from uniform, limit %v", d, limit)
	}
	if d := KS2(x, y); d < KSLimit(2500, 0.001) {
		t.Errorf("two different sets are %v apart", d)
	}
	if d := KS2(x, x); d != 0 {
		t.Errorf("a set is %v from itself", d)
	}
	if d := KS2([]float64{1, 1, 2}, []float64{1, 2, 2}); !near(d, 1.0/3, 1e-12) {
		t.Errorf("ties: %v, want 1/3", d)
	}
	if KS(nil, uniform) != 0 || KS2(nil, x) != 0 || KS2([]float64{math.NaN()}, x) != 0 || KSLimit(0, 0.05) != 1 {
		t.Error("empty input is not zero")
	}
}
