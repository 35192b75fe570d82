package stats_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coldstorm/report/stats"
)

// mixtures are latencies whose quantiles digests get wrong: where warm starts end
// and cold ones begin, and far out in a tail.
var mixtures = map[string]func(r *rand.Rand) float64{
	"1 % cold":      bimodal(0.01),
	"10 % cold":     bimodal(0.10),
	"lognormal":     func(r *rand.Rand) float64 { return 2e6 * math.Exp(r.NormFloat64()) },
	"Pareto of 1.2": func(r *rand.Rand) float64 { return 1e6 * math.Pow(1-r.Float64(), -1/1.2) },
}

// bimodal is warm starts of about 2 ms and a share of cold ones of about 180 ms.
func bimodal(cold float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 {
		if r.Float64() < cold {
			return 180e6 * math.Exp(0.2*r.NormFloat64())
		}
		return 2e6 * math.Exp(0.3*r.NormFloat64())
	}
}

func draw(name string, n int) []time.Duration {
	r := rand.New(rand.NewPCG(7, uint64(len(name))))
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = min(time.Duration(mixtures[name](r)), stats.Highest)
	}
	return all
}

func TestQuantilesOfMixturesAreWithinAThousandth(t *testing.T) {
	for name := range mixtures {
		all := draw(name, 300_000)
		var s stats.Set
		for _, d := range all {
			s.Add(d)
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.95, 0.98, 0.985, 0.99, 0.995, 0.999, 0.9999} {
			want := stats.Quantile(all, q)
			got, ok := s.Quantile(q)
			if off := float64(got)/float64(want) - 1; !ok || math.Abs(off) > 0.001 {
				t.Errorf("%s: quantile %v is %v, exactly %v: off by %.4f %%", name, q, got, want, 100*off)
			}
		}
		if s.Clamped != 0 {
			t.Errorf("%s: %d clamped", name, s.Clamped)
		}
	}
}

func TestASetOfFewIsExact(t *testing.T) {
	all := draw("10 % cold", stats.Exact)
	var s stats.Set
	for _, d := range all {
		s.Add(d)
	}
	if diff := cmp.Diff(stats.Summarise(all), s.Summarise()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(stats.Spectrum(all), s.Spectrum()); diff != "" {
		t.Error(diff)
	}
}

func TestMergedShardsAreTheWhole(t *testing.T) {
	for _, n := range []int{0, 1, 900, stats.Exact + 5000, 3 * stats.Exact} {
		all := draw("1 % cold", n)
		var whole, merged stats.Set
		shards := make([]stats.Set, 3)
		for i, d := range all {
			whole.Add(d)
			shards[i%3].Add(d)
		}
		for i := range shards {
			merged.Merge(&shards[i])
		}
		got, want := merged.Summarise(), whole.Summarise()
		if d := got.Mean - want.Mean; d < -1 || d > 1 { // sums of floats, in another order
			t.Errorf("%d: mean %v, want %v", n, got.Mean, want.Mean)
		}
		got.Mean = want.Mean
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: %s", n, diff)
		}
	}
}

func TestWhatIsOutOfRangeIsClampedAndCounted(t *testing.T) {
	var s stats.Set
	for range stats.Exact {
		s.Add(time.Millisecond)
	}
	for range stats.Exact / 10 {
		s.Add(2000 * time.Second)
	}
	s.Add(-time.Second)
	if s.Clamped != stats.Exact/10+1 {
		t.Errorf("%d were clamped", s.Clamped)
	}
	p99, _ := s.Quantile(0.99)
	if p99 < stats.Highest || p99 > stats.Highest+stats.Highest/1000 {
		t.Errorf("p99 is %v, want the top of the range", p99)
	}
	if s.Max() != 2000*time.Second || s.Min() != -time.Second {
		t.Errorf("extremes %v and %v are not those that were added", s.Min(), s.Max())
	}
}

func TestASetPrintsNoQuantileThatItCannotCarry(t *testing.T) {
	var s stats.Set
	if _, ok := s.Quantile(0.5); ok {
		t.Error("an empty set has a median")
	}
	for range 99 {
		s.Add(time.Second)
	}
	if _, ok := s.Quantile(0.99); ok {
		t.Error("99 samples carry a p99")
	}
	if d, ok := s.Quantile(0.9); !ok || d != time.Second {
		t.Errorf("p90 of 99 samples: %v, %v", d, ok)
	}
	if s.Summarise().P99 != 0 {
		t.Error("a summary shows a p99 of 99 samples")
	}
}
