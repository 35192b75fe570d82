package storm

import (
	"fmt"
	"time"
)

// Poisson is arrivals of many independent callers: a mean rate, the time from
// one arrival to the next exponential and independent of all before. Like all
// random processes here it does not begin with an arrival at 0, as it begins
// with a gap too; put one there and every mean is one too high.
type Poisson struct {
	Rate float64       // mean, triggers a second
	For  time.Duration // how long
	Seed int64         // the same seed draws the same arrivals
}

// Draw returns the arrivals, all before For. A Rate or For of zero or less draws
// none.
func (p Poisson) Draw() *Drawn {
	return Varying{Along: Constant{Rate: p.Rate, For: p.For}, Seed: p.Seed}.draw(p.String())
}

func (p Poisson) String() string {
	return fmt.Sprintf("Poisson at %s/s for %s", number(p.Rate), span(p.For))
}

// Varying is a Poisson process whose rate follows a curve: independent callers
// who are more at some times than at others.
//
// Chosen: arrivals of a Poisson process of rate 1, each moved to the time at
// which as many triggers are due along the curve. Turned down: thinning, which
// draws arrivals at the highest rate and drops those above the curve; it gives
// the same process, but of a spike of 1,000 times the mean rate it drops 999 of
// 1,000, and one draw more or less shifts all after it.
type Varying struct {
	Along Curve
	Seed  int64 // the same seed draws the same arrivals
}

// Draw returns the arrivals, all before the curve's end.
func (v Varying) Draw() *Drawn { return v.draw("Poisson, " + v.Along.String()) }

func (v Varying) draw(words string) *Drawn {
	p := &varying{curve: v.Along, stream: newStream(v.Seed, "poisson"), area: v.Along.area()}
	return follow(p, v.Along.Duration(), words)
}

func (v Varying) String() string { return "Poisson, " + v.Along.String() }

// varying follows the process.
type varying struct {
	curve  Curve
	stream stream
	area   float64
	due    float64
	at     time.Duration
}

func (p *varying) next() (arrival, bool) {
	p.due += p.stream.exponential()
	if !(p.due < p.area) {
		return arrival{}, false
	}
	p.at = max(p.at, p.curve.when(p.due))
	return arrival{at: p.at}, true
}

func (p *varying) copy() process { c := *p; return &c }

func (p *varying) size() int { return 80 }
