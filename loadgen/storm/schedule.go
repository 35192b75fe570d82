package storm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// Schedule says when the triggers of a storm are to be sent. Its zero values
// are empty storms.
type Schedule interface {
	// Len is the number of triggers.
	Len() int
	// At returns the time of trigger i from the storm's start, and whether there
	// is such a trigger. It never decreases from one trigger to the next.
	At(i int) (time.Duration, bool)
	// Duration is the time over which triggers are offered: how long a rate is
	// held, or the time of the last trigger where a shape has no rate.
	Duration() time.Duration
	// String describes the schedule in words, such as "burst of 1,000 at once".
	String() string
}

// Closed reports whether the schedule is a closed loop: the next trigger is
// sent when the last is answered, so that At is only the earliest time.
func Closed(s Schedule) bool {
	c, ok := s.(interface{ Closed() bool })
	return ok && c.Closed()
}

// Describe says in words what s is, such as "20/s for 10 s".
func Describe(s Schedule) string { return s.String() }

// Hash returns the sha256, in hexadecimal, of the arrival times in nanoseconds,
// as 64-bit little-endian numbers. What a closed schedule hashes begins with
// the word closed, as its times alone say too little.
func Hash(s Schedule) string {
	h := sha256.New()
	if Closed(s) {
		h.Write([]byte("closed"))
	}
	buf := make([]byte, 0, 8*512)
	for i := range s.Len() {
		at, _ := s.At(i)
		buf = binary.LittleEndian.AppendUint64(buf, uint64(at))
		if len(buf) == cap(buf) {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	h.Write(buf)
	return hex.EncodeToString(h.Sum(nil))
}

// Peak returns the largest number of triggers that fall within any window of
// the given length. A closed schedule has one at a time.
func Peak(s Schedule, window time.Duration) int {
	if Closed(s) {
		return min(1, s.Len())
	}
	most, first := 0, 0
	for i := range s.Len() {
		at, _ := s.At(i)
		for {
			if from, _ := s.At(first); at-from <= window {
				break
			}
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
