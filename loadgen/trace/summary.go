package trace

import (
	"slices"
	"time"
)

// Summary is what there is to say of a trace as a whole.
type Summary struct {
	Functions, Invoked int // in all, and of them those that were invoked
	Invocations        int64
	Span               time.Duration
	PeakMinute         int64   // most invocations of any minute; where times are known, of any from a whole minute on
	TopShare           float64 // of invocations, by the 1 % of functions that were invoked most, 0..1
}

// Summary reads all counts, and no arrival is drawn.
func (t *Trace) Summary() Summary {
	s := Summary{Functions: len(t.Functions), Span: t.Span}
	minutes := map[int64]int64{}
	var each []int64
	for i := range t.Functions {
		f := &t.Functions[i]
		n := f.Invocations()
		if n == 0 {
			continue
		}
		each = append(each, n)
		s.Invocations += n
		for _, at := range f.arrivals {
			minutes[int64(at/time.Minute)]++
		}
		for w := f.counts.walk(); ; {
			bucket, n, ok := w.bucket()
			if !ok {
				break
			}
			minutes[int64(time.Duration(bucket)*f.counts.every/time.Minute)] += n
		}
	}
	for _, n := range minutes {
		s.PeakMinute = max(s.PeakMinute, n)
	}
	s.Invoked = len(each)
	slices.Sort(each)
	slices.Reverse(each)
	var top int64
	for _, n := range each[:(len(each)+99)/100] {
		top += n
	}
	if s.Invocations > 0 {
		s.TopShare = float64(top) / float64(s.Invocations)
	}
	return s
}
