package storm

import (
	"fmt"
	"time"
)

// OnOff is a Poisson process whose rate jumps between two values, as whether it
// is on or off changes at random: a Markov-modulated Poisson process of two
// states (Fischer and Meier-Hellstern, "The MMPP cookbook", 1993).
//
//	rate
//	High |  ____       _           ______
//	     | |    |     | |         |      |      each state lasts an exponential
//	 Low |_|    |_____| |_________|      |__    time, of mean HighFor or LowFor
//	     +------------------------------------>  t
//
// It begins in either state with the share that it has of all time, so that
// counts are the same in distribution wherever one looks.
type OnOff struct {
	High, Low       float64       // triggers a second while on and while off
	HighFor, LowFor time.Duration // mean time on and off
	For             time.Duration // how long
	Seed            int64         // the same seed draws the same arrivals
}

// Draw returns the arrivals, all before For; none unless both states last.
func (o OnOff) Draw() *Drawn {
	p := &onOff{OnOff: o, stream: newStream(o.Seed, "on-off"), end: o.For.Seconds()}
	if o.HighFor <= 0 || o.LowFor <= 0 || o.High < 0 || o.Low < 0 {
		p.end = 0
	}
	on := o.HighFor.Seconds()
	p.on = float64(p.stream.unit()*(on+o.LowFor.Seconds())) <= on
	p.until = p.lasts()
	return follow(p, o.For, o.String())
}

func (o OnOff) String() string {
	return fmt.Sprintf("on-off: %s/s for %s and %s/s for %s on average, over %s",
		number(o.High), span(o.HighFor), number(o.Low), span(o.LowFor), span(o.For))
}

// onOff follows the process. Times are in seconds.
type onOff struct {
	OnOff
	stream stream
	on     bool
	now    float64
	until  float64 // when the state ends
	end    float64
}

// lasts draws how long the state that has begun lasts.
func (p *onOff) lasts() float64 {
	mean := p.LowFor
	if p.on {
		mean = p.HighFor
	}
	return float64(p.stream.exponential() * mean.Seconds())
}

func (p *onOff) next() (arrival, bool) {
	for p.now < p.end {
		rate := p.Low
		if p.on {
			rate = p.High
		}
		if rate > 0 {
			if at := p.now + p.stream.exponential()/rate; at < p.until {
				p.now = at
				return arrival{at: time.Duration(at * 1e9)}, at < p.end
			}
		}
		// What was drawn beyond the end of the state is forgotten, as an
		// exponential time forgets how long it has lasted.
		p.now, p.on = p.until, !p.on
		p.until = p.now + p.lasts()
	}
	return arrival{}, false
}

func (p *onOff) copy() process { c := *p; return &c }

func (p *onOff) size() int { return 112 }
