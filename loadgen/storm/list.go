package storm

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// List is a schedule of given arrival times, which must not decrease: a trace,
// or the draw of a random process.
type List []time.Duration

var _ Schedule = List{}

// Len returns the number of arrivals.
func (l List) Len() int { return len(l) }

// At returns arrival i.
func (l List) At(i int) (time.Duration, bool) {
	if i < 0 || i >= len(l) {
		return 0, false
	}
	return l[i], true
}

// Duration returns the time of the last arrival.
func (l List) Duration() time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1]
}

func (l List) String() string {
	return fmt.Sprintf("%s arrivals over %s", count(len(l)), span(l.Duration()))
}

// Poisson is arrivals of many independent callers: a mean rate, the time from
// one arrival to the next exponential and independent of all before. Of all the
// schedules it is the one whose first arrival is not at 0, since a Poisson
// process begins with a gap too; put one there and every mean is one too high.
type Poisson struct {
	Rate float64       // mean, triggers a second
	For  time.Duration // how long
	Seed int64         // the same seed draws the same arrivals
}

// Draw returns the arrivals, all before For. A Rate or For of zero or less draws
// none.
func (p Poisson) Draw() List {
	if !(p.Rate > 0) || p.For <= 0 {
		return nil
	}
	rng := rand.New(rand.NewPCG(uint64(p.Seed), 0x706f6973736f6e)) // "poisson"
	list := make(List, 0, int(p.Rate*p.For.Seconds()*1.1)+16)
	end := p.For.Seconds()
	for at := rng.ExpFloat64() / p.Rate; at < end; at += rng.ExpFloat64() / p.Rate {
		list = append(list, time.Duration(at*1e9))
	}
	return list
}

func (p Poisson) String() string {
	return fmt.Sprintf("Poisson arrivals at %s/s for %s", number(p.Rate), span(p.For))
}
