package storm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
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
// the word closed, as its times alone say too little; of several clients, or of
// any that think, their number and their thinking times follow. Of a schedule
// that marks its triggers the marks follow too.
func Hash(s Schedule) string {
	h := numbers{Hash: sha256.New()}
	if Closed(s) {
		h.Write([]byte("closed"))
	}
	for i := range s.Len() {
		at, _ := s.At(i)
		h.add(uint64(at))
	}
	if _, ok := s.(looper); ok {
		h.add(uint64(Clients(s)))
		for i := range s.Len() {
			h.add(uint64(Think(s, i)))
		}
	}
	if Functions(s) > 1 || Chilling(s) {
		for i := range s.Len() {
			h.add(MarkOf(s, i).number())
		}
	}
	h.Write(h.buf)
	return hex.EncodeToString(h.Sum(nil))
}

// numbers hashes numbers, many at a time.
type numbers struct {
	hash.Hash
	buf []byte
}

func (h *numbers) add(n uint64) {
	h.buf = binary.LittleEndian.AppendUint64(h.buf, n)
	if len(h.buf) == 8*512 {
		h.Write(h.buf)
		h.buf = h.buf[:0]
	}
}

// Peak returns the largest number of triggers that fall within any window of
// the given length. A closed schedule has one for each client.
func Peak(s Schedule, window time.Duration) int {
	if Closed(s) {
		return min(Clients(s), s.Len())
	}
	most, first := 0, 0
	from, _ := s.At(0)
	for i := range s.Len() {
		at, _ := s.At(i)
		for at-from > window {
			first++
			from, _ = s.At(first)
		}
		most = max(most, i-first+1)
	}
	return most
}
