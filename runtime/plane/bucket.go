package plane

import "time"

// bucket is a token bucket that refills continuously. Its zero value never
// refuses.
type bucket struct {
	size   float64 // 0: no limit
	rate   float64 // tokens a second
	tokens float64
	at     time.Duration
}

func newBucket(size, rate float64) bucket { return bucket{size: size, rate: rate, tokens: size} }

// take removes one token at time at, if there is one.
func (b *bucket) take(at time.Duration) bool {
	if b.size == 0 {
		return true
	}
	b.fill(at)
	if b.tokens < 1-1e-9 {
		return false
	}
	b.tokens--
	return true
}

func (b *bucket) fill(at time.Duration) {
	b.tokens = min(b.size, b.tokens+b.rate*(float64(at-b.at)/1e9)) // not Seconds: two divisions, and this is asked for every trigger
	b.at = at
}

// next says when a token will be there, at the earliest at.
func (b *bucket) next(at time.Duration) time.Duration {
	if b.size == 0 {
		return at
	}
	b.fill(at)
	if missing := 1 - b.tokens; missing > 1e-9 {
		return at + time.Duration(missing/b.rate*float64(time.Second)) + 1
	}
	return at
}
