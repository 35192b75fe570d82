package storm

import (
	"fmt"
	"sort"
	"time"
)

// Spread returns of over a number of functions whose popularity follows Zipf's
// law: each trigger goes, whatever the others do, at function k, from 0, with a
// chance in proportion to 1/(k+1)^exponent. An exponent of 0 makes all alike.
//
//	share
//	  |#
//	  |#
//	  |# #
//	  |# # # # . . .
//	  +-------------->  function
func Spread(of Schedule, functions int, exponent float64, seed int64) Schedule {
	s := &spread{of: of, exponent: exponent, key: uint64(seed), upTo: make([]float64, max(1, functions))}
	sum := 0.0
	for k := range s.upTo {
		sum += pow(float64(k+1), -exponent)
		s.upTo[k] = sum
	}
	return s
}

type spread struct {
	of       Schedule
	exponent float64
	key      uint64
	upTo     []float64 // running sum of the functions' weights
}

var (
	_ Schedule = (*spread)(nil)
	_ marker   = (*spread)(nil)
)

func (s *spread) Len() int                       { return s.of.Len() }
func (s *spread) At(i int) (time.Duration, bool) { return s.of.At(i) }
func (s *spread) Duration() time.Duration        { return s.of.Duration() }
func (s *spread) Functions() int                 { return len(s.upTo) }
func (s *spread) Chilling() bool                 { return Chilling(s.of) }

func (s *spread) Mark(i int) Mark {
	m := MarkOf(s.of, i)
	x := unit(indexed(s.key, i)) * s.upTo[len(s.upTo)-1]
	m.Function = min(sort.SearchFloat64s(s.upTo, x), len(s.upTo)-1)
	return m
}

func (s *spread) String() string {
	return fmt.Sprintf("%s, over %s functions by Zipf's law with exponent %s", enclosed(s.of), count(len(s.upTo)), number(s.exponent))
}

// Chill returns of with a share of its triggers marked as such that are to be
// cold: each with that chance, drawn from seed for each alone.
//
// How they become cold is up to who fires them. Of an endpoint whose keep-alive
// one can set, a copy of the function that keeps none serves them. Of one whose
// keep-alive is given, Copies tells how many copies it takes to ask each only
// after it was reclaimed.
func Chill(of Schedule, share float64, seed int64) Schedule {
	return &chilled{of, share, uint64(seed)}
}

type chilled struct {
	of    Schedule
	share float64
	key   uint64
}

var (
	_ Schedule = (*chilled)(nil)
	_ marker   = (*chilled)(nil)
)

func (c *chilled) Len() int                       { return c.of.Len() }
func (c *chilled) At(i int) (time.Duration, bool) { return c.of.At(i) }
func (c *chilled) Duration() time.Duration        { return c.of.Duration() }
func (c *chilled) Functions() int                 { return Functions(c.of) }
func (c *chilled) Chilling() bool                 { return c.share > 0 || Chilling(c.of) }

func (c *chilled) Mark(i int) Mark {
	m := MarkOf(c.of, i)
	m.Cold = m.Cold || unit(indexed(c.key, i)) <= c.share
	return m
}

func (c *chilled) String() string {
	return fmt.Sprintf("%s, %s%% of them cold", enclosed(c.of), number(100*c.share))
}

// Copies returns how many copies of a function the triggers of s that are marked
// cold need, if they take turns and a copy may be asked again only when cooldown
// has passed: the most of them within any such time. InVitro's cold-start mode
// works like that.
func Copies(s Schedule, cooldown time.Duration) int {
	var recent []time.Duration
	most := 0
	for i := range s.Len() {
		if !MarkOf(s, i).Cold {
			continue
		}
		at, _ := s.At(i)
		recent = append(recent, at)
		for at-recent[0] > cooldown {
			recent = recent[1:]
		}
		most = max(most, len(recent))
	}
	return most
}
