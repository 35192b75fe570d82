package trace

import (
	"encoding/binary"
	"time"
)

// counts are the invocations in each of many buckets of time, of which most have
// none: pairs of varints, how many buckets after the last one that has any, and how
// many invocations. The zero value has none.
type counts struct {
	every  time.Duration // the length of a bucket
	pairs  []byte
	last   int64 // the last bucket that has any, from 0; valid with total > 0
	total  int64
	filled int // buckets that have any
}

// add counts n more in a bucket, which must be after all before it.
func (c *counts) add(bucket, n int64) {
	if n <= 0 {
		return
	}
	gap := bucket
	if c.total > 0 {
		gap = bucket - c.last - 1
	}
	c.pairs = binary.AppendUvarint(c.pairs, uint64(gap))
	c.pairs = binary.AppendUvarint(c.pairs, uint64(n))
	c.last, c.total, c.filled = bucket, c.total+n, c.filled+1
}

// end is the end of the last bucket that has any.
func (c *counts) end() time.Duration {
	if c.total == 0 {
		return 0
	}
	return time.Duration(c.last+1) * c.every
}

// walk goes through the buckets that have any.
type walk struct {
	pairs []byte
	next  int64
}

func (c *counts) walk() walk { return walk{pairs: c.pairs} }

// bucket returns the next one and its count; false after the last.
func (w *walk) bucket() (bucket, n int64, ok bool) {
	if len(w.pairs) == 0 {
		return 0, 0, false
	}
	gap, used := binary.Uvarint(w.pairs)
	w.pairs = w.pairs[used:]
	count, used := binary.Uvarint(w.pairs)
	w.pairs = w.pairs[used:]
	bucket = w.next + int64(gap)
	w.next = bucket + 1
	return bucket, int64(count), true
}
