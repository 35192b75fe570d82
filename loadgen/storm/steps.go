package storm

import (
	"fmt"
	"math"
	"sort"
	"time"
)

// Steps is a rate that goes from one value to another in stairs of equal length
// and height, to see at which the endpoint stops keeping up.
//
//	rate
//	  To |               ____
//	     |          ____|    |
//	     |     ____|         |      triggers on the first k stairs:
//	From |____|              |        (k From + k (k-1) rise / 2) For/N
//	     |                   |
//	     +-------------------+-->  t
//	     0                  For
type Steps struct {
	From, To float64       // triggers a second, on the first and on the last stair
	N        int           // stairs; of fewer than two, the first alone
	For      time.Duration // how long all together are
}

// Len returns the area under the stairs, rounded up.
func (s Steps) Len() int { return triggers(s.area()) }

// At returns the time at which i triggers are due.
func (s Steps) At(i int) (time.Duration, bool) { return evenly(s, i) }

// Duration returns For.
func (s Steps) Duration() time.Duration { return s.For }

func (s Steps) stairs() int { return max(1, s.N) }

// rise is the height of a stair.
func (s Steps) rise() float64 {
	if s.N < 2 {
		return 0
	}
	return (s.To - s.From) / float64(s.N-1)
}

// each is the length of a stair, in seconds.
func (s Steps) each() float64 { return s.For.Seconds() / float64(s.stairs()) }

// before is the number of triggers on the first k stairs.
func (s Steps) before(k int) float64 {
	n := float64(k)
	return float64((float64(n*s.From) + float64(n*(n-1)/2*s.rise())) * s.each())
}

func (s Steps) area() float64 {
	if s.From < 0 || s.To < 0 || s.For <= 0 {
		return 0
	}
	return s.before(s.stairs())
}

func (s Steps) when(n float64) time.Duration {
	// The last stair before which no more than n are due.
	k := sort.Search(s.stairs()-1, func(k int) bool { return s.before(k+1) > n+slack(n) })
	rate := s.From + float64(float64(k)*s.rise())
	start := float64(float64(k) * s.each())
	if rest := n - s.before(k); rest > 0 && rate > 0 {
		start += min(s.each(), rest/rate)
	}
	return nanoseconds(start, s.For)
}

func (s Steps) String() string {
	return fmt.Sprintf("%s steps from %s/s to %s/s over %s", count(s.stairs()), number(s.From), number(s.To), span(s.For))
}

// Spikes is a rate that is interrupted, at even intervals, by short spikes of
// another. Each stands in the middle of its interval.
//
//	rate
//	Peak |     _         _         _
//	     |    | |       | |       | |     width
//	     |    | |       | |       | |
//	Rate |____| |_______| |_______| |____
//	     +---------+---------+---------+-->  t
//	     0       Every    2 Every     For
type Spikes struct {
	Rate  float64       // triggers a second between spikes; may be 0
	Peak  float64       // triggers a second in one
	Every time.Duration // from one to the next
	Width time.Duration // of one; at most Every
	For   time.Duration // how long
}

// Len returns the area under the rate, rounded up.
func (s Spikes) Len() int { return triggers(s.area()) }

// At returns the time at which i triggers are due.
func (s Spikes) At(i int) (time.Duration, bool) { return evenly(s, i) }

// Duration returns For.
func (s Spikes) Duration() time.Duration { return s.For }

// quiet is the time before the spike in an interval.
func (s Spikes) quiet() time.Duration { return (s.Every - s.Width) / 2 }

// due is the number of triggers in the first t of an interval.
func (s Spikes) due(t time.Duration) float64 {
	high := min(max(0, t-s.quiet()), s.Width)
	return float64(s.Rate*(t-high).Seconds()) + float64(s.Peak*high.Seconds())
}

func (s Spikes) area() float64 {
	if s.Rate < 0 || s.Peak < 0 || s.For <= 0 || s.Width < 0 || s.Every <= 0 || s.Width > s.Every {
		return 0
	}
	whole := float64(s.For / s.Every)
	return float64(whole*s.due(s.Every)) + s.due(s.For%s.Every)
}

func (s Spikes) when(n float64) time.Duration {
	each := s.due(s.Every)
	k := math.Floor((n + slack(n)) / each)
	start := time.Duration(k) * s.Every
	rest := max(0, n-float64(k*each))
	return min(s.For, start+s.within(rest, slack(n)))
}

// within is when n triggers are due in an interval. Where none are due for a
// while, it is the end of that while: a trigger belongs to the spike that it
// begins.
func (s Spikes) within(n, slack float64) time.Duration {
	q := s.quiet()
	if a := s.due(q); n+slack < a {
		return nanoseconds(n/s.Rate, q)
	}
	if a := s.due(q + s.Width); n+slack < a {
		return q + nanoseconds(max(0, n-s.due(q))/s.Peak, s.Width)
	}
	if s.Rate <= 0 {
		return q + s.Width
	}
	return q + s.Width + nanoseconds(max(0, n-s.due(q+s.Width))/s.Rate, s.Every-q-s.Width)
}

func (s Spikes) String() string {
	return fmt.Sprintf("%s/s with spikes of %s/s for %s every %s, over %s", number(s.Rate), number(s.Peak), span(s.Width), span(s.Every), span(s.For))
}
