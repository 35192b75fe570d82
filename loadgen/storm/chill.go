package storm

import (
	"fmt"
	"math"
	"time"
)

// Chill returns of with a share of its triggers marked as such that are to be
// cold: of every 1/share of them one, which one being drawn from seed.
//
//	|. . c . .|. . . c .|c . . . .|     of 20 %
//
// Chosen: the share that is asked for, to the trigger. Turned down: a draw for
// each trigger alone, by which of 60 triggers at 20 % anything from 6 to 18 may
// be cold, and the figures of no two storms compare.
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
	m.Cold = m.Cold || c.chosen(i)
	return m
}

// group returns in which group of 1/share triggers trigger i is.
func (c *chilled) group(i int) int {
	n := float64(float64(i) * c.share)
	return int(math.Floor(n + slack(n)))
}

// first returns the first trigger of a group.
func (c *chilled) first(group int) int {
	i := int(float64(group) / c.share)
	for c.group(i) < group {
		i++
	}
	for i > 0 && c.group(i-1) >= group {
		i--
	}
	return i
}

// chosen reports whether trigger i is the one of its group.
func (c *chilled) chosen(i int) bool {
	if c.share <= 0 || c.share >= 1 {
		return c.share >= 1
	}
	group := c.group(i)
	from := c.first(group)
	n := uint64(c.first(group+1) - from)
	return uint64(i-from) == indexed(c.key, group)%n
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
