package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// tries is how many samples are drawn, of which the most representative is taken.
const tries = 200

// Sample returns a trace of n functions of t, and how far they are from representing
// all of it: see Distance. Of many random samples, drawn of the seed, the nearest is
// taken, as InVitro's sampler does (Ustiugov and others, WORDS'23). Functions that
// were never invoked are left out; if there are no more than n others, all of them
// are taken and the distance is 0.
func (t *Trace) Sample(n int, seed int64) (*Trace, float64, error) {
	if n < 1 {
		return nil, 0, fmt.Errorf("a sample of %d functions", n)
	}
	var invoked []int
	for i := range t.Functions {
		if t.Functions[i].Invocations() > 0 {
			invoked = append(invoked, i)
		}
	}
	if len(invoked) <= n {
		return t.only(invoked), 0, nil
	}
	all := t.logRates(invoked)
	rng := rand.New(rand.NewPCG(uint64(seed), 0x7361_6d70_6c65)) // "sample"
	best, nearest := []int(nil), math.Inf(1)
	for range tries {
		picked := slices.Clone(invoked)
		for i := range n { // the head of Fisher and Yates' shuffle
			j := i + rng.IntN(len(picked)-i)
			picked[i], picked[j] = picked[j], picked[i]
		}
		picked = picked[:n]
		if d := wasserstein(all, t.logRates(picked)); d < nearest {
			best, nearest = slices.Clone(picked), d
		}
	}
	slices.Sort(best)
	return t.only(best), nearest, nil
}

func (t *Trace) only(which []int) *Trace {
	out := &Trace{Format: t.Format, Span: t.Span}
	for _, i := range which {
		out.Functions = append(out.Functions, t.Functions[i])
	}
	return out
}

// Distance is how far apart the rates of two traces' functions are: the Wasserstein
// distance of the distributions of the decimal logarithm of their invocations a
// minute. Its unit is decades: 0 is the same distribution, 0.3 is a function being off
// by a factor of two on average. Logarithms, since rates lie over eight decades, and
// of the rates themselves the few largest would decide alone.
func Distance(a, b *Trace) float64 {
	return wasserstein(a.logRates(a.invoked()), b.logRates(b.invoked()))
}

func (t *Trace) invoked() []int {
	var out []int
	for i := range t.Functions {
		if t.Functions[i].Invocations() > 0 {
			out = append(out, i)
		}
	}
	return out
}

// logRates are the logarithms of rates, in ascending order.
func (t *Trace) logRates(which []int) []float64 {
	minutes := max(t.Span.Minutes(), 1e-9)
	out := make([]float64, 0, len(which))
	for _, i := range which {
		out = append(out, math.Log10(float64(t.Functions[i].Invocations())/minutes))
	}
	slices.Sort(out)
	return out
}

// wasserstein is the area between the distribution functions of two sorted sets: the
// mean distance between their quantiles. 0 if either is empty.
func wasserstein(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	i, j, sum, done := 0, 0, 0.0, 0.0
	for i < len(a) && j < len(b) {
		next := min(float64(i+1)/float64(len(a)), float64(j+1)/float64(len(b)))
		sum += (next - done) * math.Abs(a[i]-b[j])
		done = next
		// Compare as whole numbers: two equal shares are one step.
		left, right := (i+1)*len(b), (j+1)*len(a)
		if left <= right {
			i++
		}
		if right <= left {
			j++
		}
	}
	return sum
}
