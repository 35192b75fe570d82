package trace

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"time"

	"coldstorm/loadgen/storm"
)

// Placement says where in its minute a counted invocation arrives.
type Placement string

// The placements.
const (
	// Uniform puts each at random, independent of the others: what a Poisson process
	// looks like of which only the count is known. The default.
	Uniform Placement = "uniform"
	// Even puts them at equal distances, from a phase that each function draws once.
	Even Placement = "even"
	// Poisson draws the count too: a Poisson process whose mean is the published one.
	Poisson Placement = "poisson"
)

// Placements lists every Placement, the default first.
var Placements = []Placement{Uniform, Even, Poisson}

// Window is a part of a trace's time: from From on, for For; all that follows if that
// is 0. What arrives in it is counted from its start.
type Window struct{ From, For time.Duration }

// end is where the window ends in a trace of a span.
func (w Window) end(span time.Duration) time.Duration {
	if w.For <= 0 || w.For > span-w.From {
		return span
	}
	return w.From + w.For
}

// Arrivals hands out when one function was invoked, in ascending order, drawing a
// minute at a time where it was counted. Its memory does not grow with the trace.
type Arrivals struct {
	window Window
	end    time.Duration

	known []time.Duration // of a function whose arrivals are

	walk  walk // of a counted one
	every time.Duration
	place Placement
	seed  int64
	phase time.Duration
	rng   *rand.Rand
	drawn []time.Duration // of the bucket under way
}

// Arrivals returns when f was invoked within a window of its trace. What is drawn is
// of the seed and of the function's name alone, the same on every machine, and
// independent of other functions.
func (t *Trace) Arrivals(f *Function, w Window, place Placement, seed int64) *Arrivals {
	a := &Arrivals{window: w, end: w.end(t.Span), place: place, seed: storm.Derive(seed, f.Name)}
	if f.arrivals != nil {
		i, _ := slices.BinarySearch(f.arrivals, w.From)
		a.known = f.arrivals[i:]
		return a
	}
	a.walk, a.every = f.counts.walk(), f.counts.every
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(a.seed))
	a.rng = rand.New(rand.NewChaCha8(key))
	if place == Even && a.every > 0 {
		a.phase = time.Duration(a.rng.Int64N(int64(a.every)))
	}
	return a
}

// Next puts the next arrivals into buf, counted from the window's start, and says how
// many: none after the last.
func (a *Arrivals) Next(buf []time.Duration) int {
	n := 0
	for n < len(buf) {
		if len(a.known) == 0 && len(a.drawn) == 0 && !a.draw() {
			break
		}
		from := &a.known
		if len(a.drawn) > 0 {
			from = &a.drawn
		}
		for n < len(buf) && len(*from) > 0 {
			at := (*from)[0]
			*from = (*from)[1:]
			if at >= a.end && a.rng == nil {
				a.known = nil
				break
			}
			if at >= a.window.From && at < a.end {
				buf[n] = at - a.window.From
				n++
			}
		}
	}
	return n
}

// draw places the next bucket's invocations; false after the last of the window.
func (a *Arrivals) draw() bool {
	for {
		bucket, n, ok := a.walk.bucket()
		start := time.Duration(bucket) * a.every
		if !ok || start >= a.end {
			a.walk.pairs = nil
			return false
		}
		if start+a.every <= a.window.From {
			continue
		}
		a.drawn = a.drawn[:0]
		switch a.place {
		case Even:
			// Where a function is called n times a minute, its calls are every/n apart:
			// its phase is scaled to that, so that minutes of the same count go on evenly.
			step := float64(a.every) / float64(n)
			phase := float64(a.phase) / float64(n)
			for i := range n {
				a.drawn = append(a.drawn, start+time.Duration(phase+float64(float64(i)*step)))
			}
		case Poisson:
			p := storm.Poisson{Rate: float64(n) / a.every.Seconds(), For: a.every, Seed: storm.Derive(a.seed, string(binary.AppendVarint(nil, bucket)))}
			for i, list := 0, p.Draw(); i < list.Len(); i++ {
				at, _ := list.At(i)
				a.drawn = append(a.drawn, start+at)
			}
		default:
			for range n {
				a.drawn = append(a.drawn, start+time.Duration(a.rng.Int64N(int64(a.every))))
			}
			slices.Sort(a.drawn)
		}
		if len(a.drawn) > 0 {
			return true
		}
	}
}
