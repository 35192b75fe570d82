package storm

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"
)

// Every draw of this package is the same on every machine, to the last bit:
// integers come from generators whose algorithm is fixed, and what is worked out
// of them uses nothing but operations that IEEE 754 rounds in one way. Two things
// of Go's would break that: the functions of package math, which are assembly on
// some processors, and x*y + z, which arm64 rounds once instead of twice. So
// here logarithms are our own (exact.go), and each product that a sum follows
// stands in a float64(), which the language promises not to fuse.

// stream is a sequence of random bits: the permuted congruential generator of
// math/rand/v2, as a value, so that a copy of it goes on from the same place.
type stream struct{ rand.PCG }

// newStream returns the stream of a name under a seed. Streams of another seed
// or another name have nothing in common with it.
func newStream(seed int64, name string) stream {
	sum := digest(seed, name)
	return stream{*rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:]))}
}

// Derive returns the seed of what is called name within what seed is the seed
// of: hashed, so that parts of a storm are independent of each other.
func Derive(seed int64, name string) int64 {
	sum := digest(seed, name)
	return int64(binary.LittleEndian.Uint64(sum[:]))
}

func digest(seed int64, name string) [sha256.Size]byte {
	return sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, uint64(seed)), name...))
}

// unit draws from (0, 1].
func (s *stream) unit() float64 { return unit(s.Uint64()) }

// exponential draws from the exponential distribution of mean 1.
func (s *stream) exponential() float64 { return -ln(s.unit()) }

// unit makes a number in (0, 1] of random bits, one of 2^53.
func unit(bits uint64) float64 { return float64(bits>>11+1) / (1 << 53) }

// exponential makes a draw of mean 1 of random bits.
func exponential(bits uint64) float64 { return -ln(unit(bits)) }

// indexed returns random bits number i of a key, without those before: output i
// of Steele, Lea and Flood's SplitMix64.
func indexed(key uint64, i int) uint64 {
	z := key + (uint64(i)+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// scaled returns x times d, to the nanosecond.
func scaled(x float64, d time.Duration) time.Duration {
	return time.Duration(math.Round(x * float64(d)))
}
