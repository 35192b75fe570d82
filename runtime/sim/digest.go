package sim

import (
	"encoding/binary"
	"math"
	"time"
)

// Digest is a latency distribution of some ten to some hundred bytes, so that
// tens of thousands of functions can each have one: counts of buckets of which
// 32 make an octave (16 us wide each below a millisecond), as pairs of varints:
// how far on the next bucket is that counts something, and what. A quantile of it is
// off by 1.6 % at most, or by 8 us. The zero value is empty.
//
// Chosen: full resolution while a function is simulated, in memory that the next
// one uses again, and a digest of it afterwards. Turned down: a full histogram a
// function (240 KB), and t-digests, whose error is not bounded.
type Digest struct {
	N     int64
	pairs []byte
}

// digestBits makes a digest's bucket of a tally's: 32 in an octave of 1,024.
const digestBits = octaveBits - 5

// digest condenses what a tally counts.
func (t *tally) digest() Digest {
	if t.n == 0 {
		return Digest{}
	}
	pairs := make([]byte, 0, 256)
	last := 0
	for first, counts := range t.octaves {
		for i := 0; i < octave; i += 1 << digestBits {
			sum := int64(0)
			for _, c := range counts[i : i+1<<digestBits] {
				sum += c
			}
			if sum > 0 {
				bucket := (first + i) >> digestBits
				pairs = binary.AppendUvarint(pairs, uint64(bucket-last))
				pairs = binary.AppendUvarint(pairs, uint64(sum))
				last = bucket
			}
		}
	}
	return Digest{N: t.n, pairs: append([]byte(nil), pairs...)}
}

// Bytes is the memory that the distribution takes beside the Digest itself.
func (d Digest) Bytes() int { return cap(d.pairs) }

// buckets yields a duration in the middle of each bucket and its count.
func (d Digest) buckets(yield func(middle time.Duration, n int64) bool) {
	bucket := 0
	for rest := d.pairs; len(rest) > 0; {
		gap, n := binary.Uvarint(rest)
		count, k := binary.Uvarint(rest[n:])
		rest = rest[n+k:]
		bucket += int(gap)
		low, next := lowestOf(bucket<<digestBits), lowestOf((bucket+1)<<digestBits)
		if !yield(time.Duration((low+next)/2), int64(count)) {
			return
		}
	}
}

// Quantile is the duration that a share q, in 0..1, does not exceed; 0 of an
// empty digest.
func (d Digest) Quantile(q float64) time.Duration {
	rank := max(1, int64(math.Ceil(q*float64(d.N))))
	at := time.Duration(0)
	for middle, n := range d.buckets {
		at = middle
		if rank -= n; rank <= 0 {
			break
		}
	}
	return at
}
