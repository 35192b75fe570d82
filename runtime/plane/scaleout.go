package plane

import (
	"sync"
	"time"
)

// ScaleOut bounds the new environments of one function, whose versions have a plane each
// and share it (AWS documentation: "Lambda scaling behavior": the rate is each function's,
// not each version's). Unlike a plane it may be asked from several goroutines, and keeps
// no order between them.
type ScaleOut struct {
	mu     sync.Mutex
	bucket bucket
}

// NewScaleOut is a full bucket of burst environments that refills by rate a second. A
// burst that isn't positive is no bound.
func NewScaleOut(burst, rate float64) *ScaleOut {
	if burst <= 0 {
		return &ScaleOut{}
	}
	return &ScaleOut{bucket: newBucket(burst, max(rate, 0))}
}

// take lets one environment start at time at of its plane's, which began at since.
func (s *ScaleOut) take(since, at time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bucket.take(max(since+at, s.bucket.at)) // another plane's event may have been later
}
