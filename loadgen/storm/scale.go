package storm

import (
	"fmt"
	"math"
	"time"
)

// Stretch returns of with every time multiplied by factor: 0.5 is twice as fast,
// with as many triggers.
func Stretch(of Schedule, factor float64) Schedule { return &stretched{of, factor} }

type stretched struct {
	of     Schedule
	factor float64
}

var (
	_ Schedule = (*stretched)(nil)
	_ marker   = (*stretched)(nil)
)

func (s *stretched) Len() int                { return s.of.Len() }
func (s *stretched) Duration() time.Duration { return scaled(s.factor, s.of.Duration()) }
func (s *stretched) Functions() int          { return Functions(s.of) }
func (s *stretched) Chilling() bool          { return Chilling(s.of) }
func (s *stretched) Mark(i int) Mark         { return MarkOf(s.of, i) }

func (s *stretched) At(i int) (time.Duration, bool) {
	at, ok := s.of.At(i)
	return scaled(s.factor, at), ok
}

func (s *stretched) String() string {
	return fmt.Sprintf("%s in %s times the time", enclosed(s.of), number(s.factor))
}

// Load returns of with factor times as many triggers in the same time.
//
// Below 1 it is thinned: each trigger stays with that chance, drawn from seed for
// each alone, so that Poisson arrivals remain Poisson.
//
// Above 1 it is multiplied: each trigger is followed by its copies, evenly over
// the time until the next, so that a rate that is even remains even and bursts
// remain bursts. Of 2.5, two and three triggers take turns.
func Load(of Schedule, factor float64, seed int64) *Drawn {
	words := fmt.Sprintf("%s at %s times the rate", enclosed(of), number(factor))
	if !(factor > 0) {
		return follow(&thin{}, of.Duration(), words, of)
	}
	if factor <= 1 {
		return follow(&thin{of: of, share: factor, key: uint64(seed), n: of.Len()}, of.Duration(), words, of)
	}
	return follow(&multiply{of: of, factor: factor, n: of.Len()}, of.Duration(), words, of)
}

// thin follows the triggers that stay.
type thin struct {
	of    Schedule
	share float64
	key   uint64
	i, n  int
}

func (t *thin) next() (arrival, bool) {
	for t.i < t.n {
		i := t.i
		t.i++
		if unit(indexed(t.key, i)) <= t.share {
			at, _ := t.of.At(i)
			return arrival{at: at, index: int32(i)}, true
		}
	}
	return arrival{}, false
}

func (t *thin) copy() process { c := *t; return &c }

func (t *thin) size() int { return 64 }

// multiply follows triggers and their copies.
type multiply struct {
	of     Schedule
	factor float64
	n      int
	i      int // trigger
	j      int // copies of it that went before
}

// upTo is how many triggers the first i have become.
func (m *multiply) upTo(i int) int {
	n := float64(float64(i) * m.factor)
	return int(math.Floor(n + slack(n)))
}

func (m *multiply) next() (arrival, bool) {
	if m.i >= m.n {
		return arrival{}, false
	}
	at, _ := m.of.At(m.i)
	until, more := m.of.At(m.i + 1)
	if !more {
		until = max(at, m.of.Duration())
	}
	copies := m.upTo(m.i+1) - m.upTo(m.i) // 1 or more
	at += scaled(float64(m.j)/float64(copies), until-at)
	a := arrival{at: at, index: int32(m.i)}
	if m.j++; m.j == copies {
		m.i, m.j = m.i+1, 0
	}
	return a, true
}

func (m *multiply) copy() process { c := *m; return &c }

func (m *multiply) size() int { return 64 }
