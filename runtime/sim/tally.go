package sim

import (
	"math/bits"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally counts latencies in the buckets of an hdrhistogram of the range shortest
// to longest, in three digits: recording into the histogram itself takes four
// times as long. The zero value is empty.
type tally struct {
	counts []int64 // by bucket, as far as there was one
	used   uint64  // a bit for each octave that counts something
	n      int64
}

// The geometry of that histogram: buckets are 512 ns wide (the power of two
// below shortest) up to 1,024 of them, and then twice as wide in each octave of
// 1,024 that follows.
const (
	unitBits   = 9
	octaveBits = 10
	octave     = 1 << octaveBits
)

// bucketOf is the number of v's bucket.
func bucketOf(v int64) int {
	b := bits.Len64(uint64(v)>>unitBits|(2*octave-1)) - (octaveBits + 1)
	return b<<octaveBits + int(v>>(b+unitBits))
}

// lowestOf is the lowest value in a bucket.
func lowestOf(bucket int) int64 {
	b := max(bucket>>octaveBits-1, 0)
	return int64(bucket-b<<octaveBits) << (b + unitBits)
}

// add counts a latency from 0 on; what is above longest counts as longest.
func (t *tally) add(v int64) {
	i := bucketOf(min(v, longest))
	if i >= len(t.counts) {
		t.reach(i)
	}
	t.counts[i]++
	t.used |= 1 << (i >> octaveBits)
	t.n++
}

// reach makes room for bucket i.
func (t *tally) reach(i int) {
	counts := make([]int64, (i>>octaveBits+1)<<octaveBits)
	copy(counts, t.counts)
	t.counts = counts
}

// octaves yields the counts of each octave in use, and its first bucket.
func (t *tally) octaves(yield func(first int, counts []int64) bool) {
	for used := t.used; used != 0; used &= used - 1 {
		first := bits.TrailingZeros64(used) << octaveBits
		if !yield(first, t.counts[first:first+octave]) {
			return
		}
	}
}

// merge adds what another tally counted.
func (t *tally) merge(o *tally) {
	if len(o.counts) > len(t.counts) {
		t.reach(len(o.counts) - 1)
	}
	for first, counts := range o.octaves {
		for i, c := range counts {
			t.counts[first+i] += c
		}
	}
	t.used |= o.used
	t.n += o.n
}

// clear makes the tally empty, which keeps its memory.
func (t *tally) clear() {
	for _, counts := range t.octaves {
		clear(counts)
	}
	t.used, t.n = 0, 0
}

// histogram is the tally as a histogram.
func (t *tally) histogram() *hdrhistogram.Histogram {
	h := hdrhistogram.New(shortest, longest, digits)
	for first, counts := range t.octaves {
		for i, c := range counts {
			if c > 0 {
				_ = h.RecordValues(lowestOf(first+i), c) // within its range
			}
		}
	}
	return h
}
