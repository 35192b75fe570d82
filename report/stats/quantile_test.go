package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"coldstorm/results"
)

// upTo returns 1, 2 … n milliseconds, so that a quantile is its own rank.
func upTo(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(i+1) * time.Millisecond
	}
	return out
}

func histogram(samples []time.Duration) *hdrhistogram.Histogram {
	h := hdrhistogram.New(1, int64(time.Hour), 3)
	for _, d := range samples {
		if err := h.RecordValue(int64(d)); err != nil {
			panic(err)
		}
	}
	return h
}

func TestRank(t *testing.T) {
	for _, c := range []struct {
		name string
		q    float64
		n    int64
		want int64
	}{
		{"no samples have no rank", 0.5, 0, 0},
		{"the median of two is the lower", 0.5, 2, 1},
		{"the median of three is the middle", 0.5, 3, 2},
		{"a fraction of a rank is the next one", 0.99, 101, 100},
		{"a product that rounds up stays where it is", 0.07, 100, 7},
		{"q 0 is the first", 0, 10, 1},
		{"q 1 is the last", 1, 10, 10},
		{"q beyond 1 is held", 7, 10, 10},
		{"NaN is held", math.NaN(), 10, 1},
	} {
		if got := Rank(c.q, c.n); got != c.want {
			t.Errorf("%s: Rank(%v, %d) = %d, want %d", c.name, c.q, c.n, got, c.want)
		}
	}
}

func TestSummariseShowsWhatSamplesCarry(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name string
		n    int
		want results.Quantiles
	}{
		{"none", 0, results.Quantiles{}},
		{
			"one has a median and no interval", 1,
			results.Quantiles{N: 1, Min: ms, P50: ms, Max: ms, Mean: ms},
		},
		{
			"nine have no p90", 9,
			results.Quantiles{N: 9, Min: ms, P50: 5 * ms, Max: 9 * ms, Mean: 5 * ms, P50Low: 2 * ms, P50High: 8 * ms},
		},
		{
			"ten have a thin p90", 10,
			results.Quantiles{
				N: 10, Min: ms, P50: 5 * ms, P90: 9 * ms, Max: 10 * ms, Mean: 5500 * time.Microsecond,
				P50Low: 2 * ms, P50High: 9 * ms, Thin: true,
			},
		},
		{
			"99 have a thin p90 and no p99", 99,
			results.Quantiles{
				N: 99, Min: ms, P50: 50 * ms, P90: 90 * ms, Max: 99 * ms, Mean: 50 * ms,
				P50Low: 40 * ms, P50High: 60 * ms, Thin: true,
			},
		},
		{
			"100 have a thin p99", 100,
			results.Quantiles{
				N: 100, Min: ms, P50: 50 * ms, P90: 90 * ms, P99: 99 * ms, Max: 100 * ms, Mean: 50500 * time.Microsecond,
				P50Low: 40 * ms, P50High: 61 * ms, Thin: true,
			},
		},
		{
			"1,000 have all", 1000,
			results.Quantiles{
				N: 1000, Min: ms, P50: 500 * ms, P90: 900 * ms, P99: 990 * ms, Max: 1000 * ms, Mean: 500500 * time.Microsecond,
				P50Low: 469 * ms, P50High: 532 * ms, P99Low: 983 * ms, P99High: 997 * ms,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			samples := upTo(c.n)
			slices.Reverse(samples)
			first := slices.Clone(samples)
			if diff := cmp.Diff(c.want, Summarise(samples)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if !slices.Equal(first, samples) {
				t.Error("the samples were reordered")
			}
		})
	}
}

func TestHistogramAgreesWithSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 9, 10, 99, 100, 367, 368, 1005, 1060, 20000} {
		samples := make([]time.Duration, n)
		for i := range samples {
			samples[i] = time.Duration(math.Exp(rng.NormFloat64()) * 1e7)
		}
		h := histogram(samples)
		a, b := Summarise(samples), FromHistogram(h)
		if a.N != b.N || a.Thin != b.Thin {
			t.Errorf("n=%d: %+v and %+v differ in what they show", n, a, b)
		}
		for _, v := range [][2]time.Duration{
			{a.Min, b.Min},
			{a.P50, b.P50},
			{a.P90, b.P90},
			{a.P99, b.P99},
			{a.Max, b.Max},
			{a.Mean, b.Mean},
			{a.P50Low, b.P50Low},
			{a.P50High, b.P50High},
			{a.P99Low, b.P99Low},
			{a.P99High, b.P99High},
		} {
			if math.Abs(float64(v[0]-v[1])) > 1e-3*float64(v[0]) {
				t.Errorf("n=%d: %v of samples is %v in the histogram", n, v[0], v[1])
			}
		}
		sa, sb := Spectrum(samples), SpectrumFromHistogram(h)
		if len(sa) != len(sb) {
			t.Fatalf("n=%d: spectra of %d and %d points", n, len(sa), len(sb))
		}
		for i := range sa {
			if sa[i].Q != sb[i].Q || sa[i].Count > sb[i].Count || !h.ValuesAreEquivalent(int64(sa[i].Value), int64(sb[i].Value)) {
				t.Errorf("n=%d: point %d is %+v and %+v", n, i, sa[i], sb[i])
			}
		}
	}
	if got := FromHistogram(nil); got != (results.Quantiles{}) {
		t.Errorf("nil histogram: %+v", got)
	}
	if got := SpectrumFromHistogram(nil); got != nil {
		t.Errorf("nil histogram: %+v", got)
	}
}

func TestSpectrum(t *testing.T) {
	s := Spectrum(upTo(100_000))
	at := map[float64]results.SpectrumPoint{}
	for i, p := range s {
		at[p.Q] = p
		if i > 0 && (p.Q <= s[i-1].Q || p.Value <= s[i-1].Value || p.Count <= s[i-1].Count) {
			t.Errorf("point %d, %+v, does not follow %+v", i, p, s[i-1])
		}
		if want := int64(p.Value / time.Millisecond); p.Count != want {
			t.Errorf("Q %v: count %d, want %d", p.Q, p.Count, want)
		}
	}
	for q, want := range map[float64]int64{0.5: 50_000, 0.9: 90_000, 0.99: 99_000, 0.999: 99_900, 0.9999: 99_990} {
		if at[q].Count != want {
			t.Errorf("Q %v: %+v, want count %d", q, at[q], want)
		}
	}
	nine := 0
	for _, p := range s {
		if p.Q > 0.9 && p.Q <= 0.99 {
			nine++
		}
	}
	if nine != pointsPerNine {
		t.Errorf("%d points in the second nine", nine)
	}
	if last := s[len(s)-1]; last.Count != 99_999 {
		t.Errorf("the last point %+v has not exactly one sample beyond it", last)
	}
	if got := Spectrum(nil); got != nil {
		t.Errorf("no samples: %v", got)
	}
	same := Spectrum([]time.Duration{5, 5, 5, 5})
	for _, p := range same {
		if p.Value != 5 || p.Count != 4 {
			t.Errorf("ties: %+v, want all four samples counted", p)
		}
	}
}

func TestIntervalRanks(t *testing.T) {
	for _, c := range []struct {
		name      string
		n         int64
		q         float64
		low, high int64
		ok        bool
	}{
		// Tables of the sign test: Conover, Practical Nonparametric Statistics.
		{"five are too few for a median", 5, 0.5, 0, 6, false},
		{"six bound it by their extremes", 6, 0.5, 1, 6, true},
		{"ten", 10, 0.5, 2, 9, true},
		{"20", 20, 0.5, 6, 15, true},
		{"100", 100, 0.5, 40, 61, true},
		{"367 have no upper end for p99", 367, 0.99, 358, 368, false},
		{"368 have", 368, 0.99, 360, 368, true},
	} {
		low, high, ok := IntervalRanks(c.n, c.q, 0.95)
		if ok != c.ok || (ok && (low != c.low || high != c.high)) {
			t.Errorf("%s: %d..%d %v, want %d..%d %v", c.name, low, high, ok, c.low, c.high, c.ok)
		}
	}
	for _, q := range []float64{0, 1, math.NaN(), -1} {
		if _, _, ok := IntervalRanks(100, q, 0.95); ok {
			t.Errorf("q %v has an interval", q)
		}
	}
	// Ten million: near the normal approximation, and quick.
	low, high, _ := IntervalRanks(10_000_000, 0.5, 0.95)
	if math.Abs(float64(low)-(5e6-1.95996*1581.14)) > 2 || low+high != 10_000_001 {
		t.Errorf("n=10⁷: %d..%d", low, high)
	}
}

func TestIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const runs, n, q = 2000, 400, 0.9
	low, high, _ := IntervalRanks(n, q, 0.95)
	covered := 0
	for range runs {
		x := make([]float64, n)
		for i := range x {
			x[i] = rng.Float64()
		}
		slices.Sort(x)
		if x[low-1] <= q && q < x[high-1] {
			covered++
		}
	}
	// At least 95 %; three standard errors of 2,000 runs are 1.5 %.
	if share := float64(covered) / runs; share < 0.935 || share > 0.985 {
		t.Errorf("the 95 %% interval covers %.1f %%", 100*share)
	}
}
