package storm_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"coldstorm/loadgen/storm"
	"coldstorm/report/stats"
)

// Each random shape is held against its declared process. Seeds are fixed, so the
// outcome is; what a test allows is what the process itself exceeds once in a
// thousand seeds.
const (
	alpha = 0.001
	z     = 3.2905 // of alpha, both tails of a normal distribution
)

// gaps returns the times between arrivals, in seconds.
func gaps(sch storm.Schedule) []float64 {
	var all []float64
	last := time.Duration(0)
	for _, at := range times(sch) {
		all = append(all, (at - last).Seconds())
		last = at
	}
	return all
}

func holdKS(t *testing.T, what string, samples []float64, cdf func(float64) float64) {
	t.Helper()
	d, limit := stats.KS(samples, cdf), stats.KSLimit(float64(len(samples)), alpha)
	t.Logf("%s: KS distance %.5f of %d, at most %.5f", what, d, len(samples), limit)
	if d > limit || len(samples) < 1000 {
		t.Errorf("%s: KS distance %v of %d samples, want at most %v", what, d, len(samples), limit)
	}
}

func exponentialOf(rate float64) func(float64) float64 {
	return func(x float64) float64 { return 1 - math.Exp(-rate*x) }
}

// chiSquare holds x, of a chi-square distribution with n degrees of freedom,
// within both tails (Wilson and Hilferty's cube root).
func chiSquare(t *testing.T, what string, x, n float64) {
	t.Helper()
	v := 2 / (9 * n)
	if got := (math.Cbrt(x/n) - 1 + v) / math.Sqrt(v); math.Abs(got) > z {
		t.Errorf("%s: chi-square %v of %v degrees is %.2f standard deviations off", what, x, n, got)
	}
}

func TestGapsOfAPoissonProcessAreExponential(t *testing.T) {
	holdKS(t, "Poisson", gaps(storm.Poisson{Rate: 1000, For: 100 * s, Seed: 1}.Draw()), exponentialOf(1000))
}

func TestCountsOfAPoissonProcessAreAsDispersedAsTheirMean(t *testing.T) {
	p := storm.Poisson{Rate: 1000, For: 200 * s, Seed: 2}
	all := times(p.Draw())
	for _, window := range []time.Duration{10 * ms, 100 * ms, s} {
		counts := make([]float64, p.For/window)
		for _, at := range all {
			counts[at/window]++
		}
		mean, variance := moments(counts)
		t.Logf("index of dispersion over %v: %.4f", window, variance/mean)
		n := float64(len(counts) - 1)
		chiSquare(t, fmt.Sprint("dispersion over ", window), n*variance/mean, n)
	}
}

func moments(x []float64) (mean, variance float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / (n - 1)
	}
	return mean, variance
}

// rate is what a curve offers at a time, written out apart from the code.
type rate func(at float64) float64

// curves are one of each, with their rates.
func curves() map[string]struct {
	curve storm.Curve
	rate  rate
} {
	type both = struct {
		curve storm.Curve
		rate  rate
	}
	day := func(x float64) float64 { return 260 - 240*math.Cos(2*math.Pi*(x/30-4.0/24)) }
	return map[string]both{
		"constant": {storm.Constant{Rate: 100, For: 60 * s}, func(float64) float64 { return 100 }},
		"ramp":     {storm.Ramp{From: 20, To: 400, For: 60 * s}, func(x float64) float64 { return 20 + 380*x/60 }},
		"steps":    {storm.Steps{From: 10, To: 310, N: 4, For: 60 * s}, func(x float64) float64 { return 10 + 100*math.Floor(x/15) }},
		"spikes": {storm.Spikes{Rate: 10, Peak: 2000, Every: 10 * s, Width: s, For: 57 * s}, func(x float64) float64 {
			if y := math.Mod(x, 10); y >= 4.5 && y < 5.5 {
				return 2000
			}
			return 10
		}},
		"spikes out of nothing": {storm.Spikes{Peak: 2000, Every: 10 * s, Width: s, For: 57 * s}, func(x float64) float64 {
			if y := math.Mod(x, 10); y >= 4.5 && y < 5.5 {
				return 2000
			}
			return 0
		}},
		"wave": {storm.Wave{Rate: 100, Swing: 100, Period: 20 * s, Phase: 0.1, For: 55 * s}, func(x float64) float64 {
			return 100 + 100*math.Sin(2*math.Pi*(x/20+0.1))
		}},
		"days": {storm.Days{Low: 20, High: 500, Day: 30 * s, For: 70 * s}, day},
	}
}

// due integrates a rate up to each of the times, which ascend, in steps of at most
// a quarter of a millisecond.
func due(r rate, all []time.Duration) []float64 {
	const step = 0.00025
	sum, last := 0.0, 0.0
	var out []float64
	for _, at := range all {
		for x := at.Seconds(); last < x; {
			h := min(step, x-last)
			sum += h * r(last+h/2)
			last += h
		}
		out = append(out, sum)
	}
	return out
}

func TestTriggerOfACurveIsSentWhenItsNumberIsDue(t *testing.T) {
	for name, c := range curves() {
		all := times(c.curve)
		for i, n := range due(c.rate, all) {
			// The integral steps over a jump of 1,990/s within one step: a quarter of
			// a trigger at each of up to twelve.
			if math.Abs(n-float64(i)) > 3 {
				t.Fatalf("%s: at %v, time of trigger %d, %v are due", name, all[i], i, n)
			}
		}
		end := due(c.rate, []time.Duration{c.curve.Duration()})[0]
		if n := float64(len(all)); math.Abs(n-end) > 3 {
			t.Errorf("%s: %v triggers of %v", name, n, end)
		}
	}
}

func TestArrivalsAlongACurveArePoissonInItsTime(t *testing.T) {
	for name, c := range curves() {
		drawn := storm.Varying{Along: c.curve, Seed: 3}.Draw()
		var rescaled []float64
		last := 0.0
		for _, n := range due(c.rate, times(drawn)) {
			rescaled = append(rescaled, n-last)
			last = n
		}
		holdKS(t, name, rescaled, exponentialOf(1))
		// The number is Poisson: its deviation is the root of its mean.
		area := due(c.rate, []time.Duration{c.curve.Duration()})[0]
		if n := float64(drawn.Len()); math.Abs(n-area) > z*math.Sqrt(area) {
			t.Errorf("%s: %v arrivals, want %v", name, n, area)
		}
	}
}

func TestThinnedPoissonArrivalsRemainPoisson(t *testing.T) {
	of := storm.Poisson{Rate: 1000, For: 100 * s, Seed: 4}.Draw()
	holdKS(t, "thinned", gaps(storm.Load(of, 0.3, 5)), exponentialOf(300))
}

// Gaps of a process that is silent while off are independent, and two
// exponentials mixed (Kuczura, "The interrupted Poisson process as an overflow
// process", 1973).
func TestGapsOfAnOnOffProcessAreHyperexponential(t *testing.T) {
	o := storm.OnOff{High: 100, HighFor: 200 * ms, LowFor: 800 * ms, For: 4000 * s, Seed: 6}
	rate, leaves, comes := o.High, 1/o.HighFor.Seconds(), 1/o.LowFor.Seconds()
	sum := rate + leaves + comes
	root := math.Sqrt(sum*sum - 4*rate*comes)
	fast, slow := (sum+root)/2, (sum-root)/2
	p := (rate - slow) / (fast - slow)
	holdKS(t, "on-off", gaps(o.Draw())[1:], func(x float64) float64 {
		return 1 - p*math.Exp(-fast*x) - (1-p)*math.Exp(-slow*x)
	})
}

// replicas counts the arrivals within each window from the start, of many draws,
// each under a seed of its own.
func replicas(n int, windows []time.Duration, draw func(seed int64) *storm.Drawn) [][]float64 {
	counts := make([][]float64, len(windows))
	for seed := range int64(n) {
		all := times(draw(seed))
		for k, w := range windows {
			count := 0
			for _, at := range all {
				if at >= w {
					break
				}
				count++
			}
			counts[k] = append(counts[k], float64(count))
		}
	}
	return counts
}

// holdCounts holds the mean and the index of dispersion of independent counts
// against what is declared. The standard error of a variance is that of its
// fourth moment.
func holdCounts(t *testing.T, what string, counts []float64, mean, idc float64) {
	t.Helper()
	n := float64(len(counts))
	m, v := moments(counts)
	fourth := 0.0
	for _, x := range counts {
		fourth += math.Pow(x-m, 4) / n
	}
	off, offV := (m-mean)/math.Sqrt(v/n), (v-idc*mean)/math.Sqrt((fourth-v*v)/n)
	t.Logf("%s: mean %.4g of %.4g (%+.2f sd), index of dispersion %.4g of %.4g (%+.2f sd)", what, m, mean, off, v/mean, idc, offV)
	if math.Abs(off) > z || math.Abs(offV) > z {
		t.Errorf("%s: mean %v, want %v (%+.2f sd); index of dispersion %v, want %v (%+.2f sd)", what, m, mean, off, v/mean, idc, offV)
	}
}

// The closed form of Heffes and Lucantoni, "A Markov modulated characterization
// of packetized voice and data traffic", 1986.
func TestCountsOfAnOnOffProcessAreAsDispersedAsTheClosedForm(t *testing.T) {
	o := storm.OnOff{High: 200, Low: 10, HighFor: 250 * ms, LowFor: 750 * ms, For: 10 * s}
	windows := []time.Duration{20 * ms, 200 * ms, 2 * s, 10 * s}
	counts := replicas(4000, windows, func(seed int64) *storm.Drawn { o.Seed = seed; return o.Draw() })
	leaves, comes := 1/o.HighFor.Seconds(), 1/o.LowFor.Seconds()
	both := leaves + comes
	rate := (o.High*comes + o.Low*leaves) / both
	for k, w := range windows {
		x := w.Seconds()
		idc := 1 + 2*math.Pow(o.High-o.Low, 2)*leaves*comes/(both*both*(o.High*comes+o.Low*leaves))*
			(1-(1-math.Exp(-both*x))/(both*x))
		holdCounts(t, fmt.Sprint("on-off over ", w), counts[k], rate*x, idc)
	}
}

func TestCountsOfASelfSimilarProcessGrowAsItsHurstParameterSays(t *testing.T) {
	p := storm.SelfSimilar{Rate: 100, Sources: 4, Hurst: 0.8, HighFor: 200 * ms, LowFor: 600 * ms, For: 20 * s}
	windows := []time.Duration{50 * ms, 500 * ms, 5 * s, 20 * s}
	counts := replicas(4000, windows, func(seed int64) *storm.Drawn { p.Seed = seed; return p.Draw() })
	declared := dispersion(p, 0.01, 2000)
	for k, w := range windows {
		holdCounts(t, fmt.Sprint("self-similar over ", w), counts[k], p.Rate*w.Seconds(), declared(w.Seconds()))
	}
	// And the declared one grows as t to the 2H - 1 in the end, to which its
	// slope, from one time to the fourfold, falls.
	declared = dispersion(p, 0.05, 4000)
	end := 2*p.Hurst - 1
	last := 1.0
	for _, x := range []float64{8, 32, 128, 200} {
		slope := math.Log((declared(x)-1)/(declared(x/4)-1)) / math.Log(4)
		t.Logf("slope up to %v s: %.3f, in the end %.3f", x, slope, end)
		if slope >= last || slope < end {
			t.Errorf("up to %v s the index of dispersion grows as t to the %v, after the %v", x, slope, last)
		}
		last = slope
	}
	if last > end+0.05 {
		t.Errorf("the index of dispersion grows as t to the %v, want %v in the end", last, end)
	}
}

// dispersion works out the index of dispersion of a self-similar process from
// renewal theory alone: the chance that a source is on at t if it was at 0, on a
// grid of n steps.
func dispersion(p storm.SelfSimilar, step float64, n int) func(x float64) float64 {
	a := 3 - 2*p.Hurst
	on, off := p.HighFor.Seconds(), p.LowFor.Seconds()
	outlasts := func(mean, x float64) float64 { // P(T > x)
		m := mean * (a - 1) / a
		if x <= m {
			return 1
		}
		return math.Pow(m/x, a)
	}
	rests := func(mean, x float64) float64 { // P(rest > x): the integral of outlasts beyond x, over its mean
		m := mean * (a - 1) / a
		if x <= m {
			return 1 - x/mean
		}
		return math.Pow(m/x, a-1) * m / (a - 1) / mean
	}
	x := func(i int) float64 { return float64(i) * step }
	mass := func(survives func(mean, x float64) float64, mean float64) []float64 { // of each step
		f := make([]float64, n)
		for i := range f {
			f[i] = survives(mean, x(i)) - survives(mean, x(i+1))
		}
		return f
	}
	ons, offs, rest := mass(outlasts, on), mass(outlasts, off), mass(rests, on)
	// What begins within step j has run, at the start of step i, for between i-j-1
	// and i-j steps. No state is as short as a step.
	sum := func(f, g []float64, i int) float64 {
		total := 0.0
		for j := 0; j < i; j++ {
			total += f[j] * (g[i-j] + g[i-j-1]) / 2
		}
		return total
	}
	fromOn, fromOff := make([]float64, n), make([]float64, n) // P(on at t) after a state began at 0
	for i := range n {
		fromOn[i] = outlasts(on, x(i)) + sum(ons, fromOff, i)
		fromOff[i] = sum(offs, fromOn, i)
	}
	share := on / (on + off)
	rate := p.Rate / share / float64(p.Sources)
	stays := make([]float64, n)
	for i := range n {
		stays[i] = share*(rests(on, x(i))+sum(rest, fromOff, i)) - share*share
	}
	return func(t float64) float64 {
		integral := 0.0
		for i := 0; x(i) < t && i < n; i++ {
			integral += 2 * (t - x(i)) * stays[i] * step
		}
		integral -= t * stays[0] * step // the trapezium's first half
		return 1 + float64(p.Sources)*rate*rate*integral/(p.Rate*t)
	}
}

func TestPopularityFollowsZipfsLaw(t *testing.T) {
	const n, functions, exponent = 100_000, 20, 1.1
	sch := storm.Spread(storm.Burst{N: n}, functions, exponent, 8)
	counts, total := make([]float64, functions), 0.0
	for i := range n {
		counts[storm.MarkOf(sch, i).Function]++
	}
	for k := range counts {
		total += math.Pow(float64(k+1), -exponent)
	}
	x := 0.0
	for k, c := range counts {
		want := n * math.Pow(float64(k+1), -exponent) / total
		x += (c - want) * (c - want) / want
	}
	chiSquare(t, "popularity", x, functions-1)
}

func TestAShareOfColdStartsIsKeptToTheTrigger(t *testing.T) {
	for _, share := range []float64{0.01, 0.07, 0.1, 0.2, 1.0 / 3, 0.5, 0.66, 0.9, 0.999, 1} {
		for _, n := range []int{1, 7, 10, 60, 1000, 12345} {
			sch := storm.Chill(storm.Burst{N: n}, share, int64(n))
			cold := 0
			for i := range n {
				if storm.MarkOf(sch, i).Cold {
					cold++
				}
			}
			if math.Abs(float64(cold)-share*float64(n)) >= 1 {
				t.Errorf("%d of %d are cold, of %v", cold, n, share)
			}
		}
	}
	const n = 100_000
	sch, places := storm.Chill(storm.Burst{N: n}, 0.1, 9), make([]float64, 10)
	for i := range n {
		if storm.MarkOf(sch, i).Cold {
			places[i%10]++
		}
	}
	x := 0.0
	for _, c := range places {
		x += (c - n/100) * (c - n/100) / (n / 100)
	}
	chiSquare(t, "places of cold starts", x, 9)
}

func TestThinkingIsExponential(t *testing.T) {
	l := storm.Loop{N: 20_000, Callers: 2, Pause: s, Drawn: true, Seed: 10}
	var pauses []float64
	for i := range l.N {
		pauses = append(pauses, storm.Think(l, i).Seconds())
	}
	holdKS(t, "thinking", pauses, exponentialOf(1))
}

func TestStormsOfOtherSeedsAreIndependent(t *testing.T) {
	counts := func(seed int64) []float64 {
		c := make([]float64, 10_000)
		for _, at := range times(storm.Poisson{Rate: 1000, For: 100 * s, Seed: seed}.Draw()) {
			c[at/(10*ms)]++
		}
		return c
	}
	for _, pair := range [][2]int64{{1, 2}, {0, 1 << 40}, {-1, 1}, {7, storm.Derive(7, "0")}} {
		a, b := counts(pair[0]), counts(pair[1])
		meanA, varA := moments(a)
		meanB, varB := moments(b)
		r := 0.0
		for i := range a {
			r += (a[i] - meanA) * (b[i] - meanB) / float64(len(a)-1)
		}
		if r /= math.Sqrt(varA * varB); math.Abs(r) > z/math.Sqrt(float64(len(a))) {
			t.Errorf("seeds %v correlate by %v", pair, r)
		}
	}
}
