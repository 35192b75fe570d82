package stats

import (
	"math"
	"slices"
	"time"
)

// Pair is one sample of base and one of head, taken beside each other.
type Pair struct{ Base, Head time.Duration }

// MedianRatio returns the median over pairs of head/base, the effect that the
// gate of a cold median looks at: what made both samples of a pair slow cancels
// out. It is not the ratio of the medians. Pairs with a duration that is not
// positive are left out; 0 if none is left.
func MedianRatio(pairs []Pair) float64 {
	return medianRatio(logRatios(pairs))
}

// MedianRatioInterval returns the bootstrap interval of MedianRatio over pairs.
func MedianRatioInterval(pairs []Pair, r Resampling) Interval {
	logs := logRatios(pairs)
	slices.Sort(logs)
	return Bootstrap(len(logs), func(times []int) float64 {
		// The logs are sorted, so the median of a draw is a walk: the mean of
		// the two middle ones, or the middle one twice.
		return math.Exp((nth(logs, times, (len(logs)-1)/2) + nth(logs, times, len(logs)/2)) / 2)
	}, r)
}

// nth returns the element of index k, from 0, of sorted values taken so many
// times each.
func nth(sorted []float64, times []int, k int) float64 {
	for i, t := range times {
		if k -= t; k < 0 {
			return sorted[i]
		}
	}
	return math.NaN()
}

func logRatios(pairs []Pair) []float64 {
	logs := make([]float64, 0, len(pairs))
	for _, p := range pairs {
		if p.Base > 0 && p.Head > 0 {
			logs = append(logs, math.Log(float64(p.Head)/float64(p.Base)))
		}
	}
	return logs
}

func medianRatio(logs []float64) float64 {
	n := len(logs)
	if n == 0 {
		return 0
	}
	slices.Sort(logs)
	// The mean of both middle ones keeps it fair: type 1 would favour base.
	return math.Exp((logs[(n-1)/2] + logs[n/2]) / 2)
}

// Sign is the outcome of a sign test.
type Sign struct {
	Slower, Faster, Ties int // pairs in which head was so
	P                        // exact, of the pairs that are no ties; 1 without any
}

// SignTest asks whether head is slower in more pairs than chance would have.
func SignTest(pairs []Pair) Sign {
	var s Sign
	for _, p := range pairs {
		switch {
		case p.Head > p.Base:
			s.Slower++
		case p.Head < p.Base:
			s.Faster++
		default:
			s.Ties++
		}
	}
	n := int64(s.Slower + s.Faster)
	s.P = P{Slower: BinomialTail(n, int64(s.Slower), 0.5), Faster: BinomialTail(n, int64(s.Faster), 0.5)}
	return s
}
