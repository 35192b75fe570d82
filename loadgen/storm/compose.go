package storm

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// A composition is a schedule of schedules, none of which may be closed: how
// long a closed one takes, nobody knows beforehand. Marks stay with their
// triggers; function k of one part is function k of every other.

// Chain returns the parts one after another: each begins when the Duration of
// the one before it has passed.
//
//	|  a  |  b  |    c    |
//	+---------------------->  t
func Chain(parts ...Schedule) Schedule {
	c := &chain{parts: parts}
	for _, p := range parts {
		c.first, c.start = append(c.first, c.n), append(c.start, c.length)
		c.n, c.length = c.n+p.Len(), c.length+p.Duration()
	}
	return c
}

type chain struct {
	parts  []Schedule
	first  []int           // position of each part's first trigger
	start  []time.Duration // of each part
	n      int
	length time.Duration
}

var (
	_ Schedule = (*chain)(nil)
	_ marker   = (*chain)(nil)
)

func (c *chain) Len() int                { return c.n }
func (c *chain) Duration() time.Duration { return c.length }
func (c *chain) Functions() int          { return mostFunctions(c.parts) }
func (c *chain) Chilling() bool          { return anyChilling(c.parts) }
func (c *chain) String() string          { return joined(c.parts, ", then ") }

// part returns in which part trigger i is.
func (c *chain) part(i int) int {
	return sort.Search(len(c.first), func(k int) bool { return c.first[k] > i }) - 1
}

func (c *chain) At(i int) (time.Duration, bool) {
	if i < 0 || i >= c.n {
		return 0, false
	}
	k := c.part(i)
	at, _ := c.parts[k].At(i - c.first[k])
	return c.start[k] + at, true
}

func (c *chain) Mark(i int) Mark {
	if i < 0 || i >= c.n {
		return Mark{}
	}
	k := c.part(i)
	return MarkOf(c.parts[k], i-c.first[k])
}

// Overlay returns the parts laid over one another: all begin at once, and their
// triggers are merged by time; of those at the same time, the earlier part's go
// first.
//
//	| a a a a  |
//	|  b    b b|
//	| ab a abab|
//	+----------+->  t
func Overlay(parts ...Schedule) *Drawn {
	length := time.Duration(0)
	m := &merge{parts: parts, index: make([]int, len(parts))}
	for _, p := range parts {
		length = max(length, p.Duration())
	}
	return follow(m, length, joined(parts, " over "), parts...)
}

// merge follows the parts of an overlay.
type merge struct {
	parts []Schedule
	index []int // of the next trigger of each
}

func (m *merge) next() (arrival, bool) {
	first, from := time.Duration(0), -1
	for k, p := range m.parts {
		if at, ok := p.At(m.index[k]); ok && (from < 0 || at < first) {
			first, from = at, k
		}
	}
	if from < 0 {
		return arrival{}, false
	}
	i := m.index[from]
	m.index[from]++
	return arrival{at: first, part: int32(from), index: int32(i)}, true
}

func (m *merge) copy() process {
	return &merge{parts: m.parts, index: append([]int(nil), m.index...)}
}

func (m *merge) size() int { return 48 + 8*len(m.parts) }

// Repeat returns of, and the same again at every interval, times times in all. An
// interval of 0, or one that is shorter than its Duration, is its Duration. What is
// random is drawn once: each time is like the other.
func Repeat(of Schedule, times int, every time.Duration) Schedule {
	return &repeat{of: of, times: max(0, times), every: max(every, of.Duration())}
}

type repeat struct {
	of    Schedule
	times int
	every time.Duration
}

var (
	_ Schedule = (*repeat)(nil)
	_ marker   = (*repeat)(nil)
)

func (r *repeat) Len() int       { return r.times * r.of.Len() }
func (r *repeat) Functions() int { return Functions(r.of) }
func (r *repeat) Chilling() bool { return Chilling(r.of) }

// Duration ends with the last time's, not with the interval after it.
func (r *repeat) Duration() time.Duration {
	if r.times == 0 {
		return 0
	}
	return time.Duration(r.times-1)*r.every + r.of.Duration()
}

func (r *repeat) At(i int) (time.Duration, bool) {
	if i < 0 || i >= r.Len() {
		return 0, false
	}
	n := r.of.Len()
	at, _ := r.of.At(i % n)
	return time.Duration(i/n)*r.every + at, true
}

func (r *repeat) Mark(i int) Mark {
	if i < 0 || i >= r.Len() {
		return Mark{}
	}
	return MarkOf(r.of, i%r.of.Len())
}

func (r *repeat) String() string {
	return fmt.Sprintf("%s times every %s: %s", count(r.times), span(r.every), enclosed(r.of))
}

// joined describes parts with a word between them.
func joined(parts []Schedule, word string) string {
	var all []string
	for _, p := range parts {
		all = append(all, enclosed(p))
	}
	return strings.Join(all, word)
}

// enclosed describes a part, in parentheses where it has parts itself.
func enclosed(p Schedule) string {
	switch p := p.(type) {
	case *chain, *repeat, *stretched, *spread, *chilled:
		return "(" + p.String() + ")"
	case *Drawn:
		if len(p.parts) > 0 {
			return "(" + p.String() + ")"
		}
	}
	return p.String()
}
