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
