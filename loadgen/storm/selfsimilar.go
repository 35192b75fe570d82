package storm

import (
	"container/heap"
	"fmt"
	"time"
)

// SelfSimilar is bursty at every scale: many sources that are on and off by
// turns, whose times on and off have no bound to speak of (Pareto, with finite
// mean and infinite variance). Together they make what Willinger, Taqqu, Sherman
// and Wilson found in networks ("Self-similarity through high-variability",
// 1997): sums over a minute vary as those over a second do, and averaging
// doesn't calm them.
//
//	source 1  ____      ____________      _
//	source 2      ___              ______________________
//	source 3  _        _____   __
//	        +------------------------------------------->  t
//
// A source that is on sends a Poisson process. The tail of its times is
// P(T > t) = (m/t)^a with a = 3 - 2 Hurst, and the variance of the number of
// triggers in t grows as t^(2 Hurst). Each source begins as if it had gone on
// forever.
type SelfSimilar struct {
	Rate            float64       // mean of all sources together, triggers a second
	Sources         int           // 1 or more; the fewer, the burstier
	Hurst           float64       // above 0.5, where it would be no more than Poisson, and below 1
	HighFor, LowFor time.Duration // mean time on and off
	For             time.Duration // how long
	Seed            int64         // the same seed draws the same arrivals
}

// Draw returns the arrivals, all before For; none unless the fields are within
// their bounds.
func (s SelfSimilar) Draw() *Drawn {
	p := &selfSimilar{tail: 3 - 2*s.Hurst, on: s.HighFor.Seconds(), off: s.LowFor.Seconds(), end: s.For.Seconds()}
	if s.Rate > 0 && s.Sources > 0 && s.Hurst > 0.5 && s.Hurst < 1 && p.on > 0 && p.off > 0 {
		p.rate = s.Rate / float64(s.Sources) / (p.on / (p.on + p.off))
		p.stream = newStream(s.Seed, "self-similar")
		p.begin(s.Sources)
	}
	return follow(p, s.For, s.String())
}

func (s SelfSimilar) String() string {
	return fmt.Sprintf("self-similar at %s/s for %s (Hurst %s, %s sources on for %s, off for %s on average)",
		number(s.Rate), span(s.For), number(s.Hurst), count(s.Sources), span(s.HighFor), span(s.LowFor))
}

// selfSimilar follows the process: a heap of sources by their next arrival.
// Times are in seconds.
type selfSimilar struct {
	stream  stream
	rate    float64 // of a source that is on
	tail    float64
	on, off float64 // means
	end     float64
	sources []source
}

type source struct {
	next  float64 // arrival; end or later: none
	until float64 // when its state ends
	on    bool
}

func (p *selfSimilar) begin(n int) {
	for range n {
		x := source{on: float64(p.stream.unit()*(p.on+p.off)) <= p.on}
		x.until = p.rest(x.on)
		p.advance(&x, 0)
		p.sources = append(p.sources, x)
	}
	heap.Init(p)
}

// mean is how long a state lasts on average.
func (p *selfSimilar) mean(on bool) float64 {
	if on {
		return p.on
	}
	return p.off
}

// pareto draws how long a state lasts: m u^(-1/a), of mean m a/(a-1).
func (p *selfSimilar) pareto(on bool) float64 {
	m := p.mean(on) * (p.tail - 1) / p.tail
	return float64(m * pow(p.stream.unit(), -1/p.tail))
}

// rest draws how long a state that one comes upon still lasts: below m its
// density is flat, as no time is shorter, and beyond it falls as m^a/t^a.
func (p *selfSimilar) rest(on bool) float64 {
	m := p.mean(on) * (p.tail - 1) / p.tail
	if float64(p.stream.unit()*p.tail) <= p.tail-1 {
		return float64(m * p.stream.unit())
	}
	return float64(m * pow(p.stream.unit(), -1/(p.tail-1)))
}

// advance finds the arrival of x after now.
func (p *selfSimilar) advance(x *source, now float64) {
	for now < p.end {
		if x.on {
			if x.next = now + p.stream.exponential()/p.rate; x.next < x.until {
				return
			}
		}
		now, x.on = x.until, !x.on
		x.until = now + p.pareto(x.on)
	}
	x.next = p.end
}

func (p *selfSimilar) next() (arrival, bool) {
	if len(p.sources) == 0 {
		return arrival{}, false
	}
	x := &p.sources[0]
	at := x.next
	if at >= p.end {
		return arrival{}, false
	}
	p.advance(x, at)
	heap.Fix(p, 0)
	return arrival{at: time.Duration(at * 1e9)}, true
}

func (p *selfSimilar) copy() process {
	c := *p
	c.sources = append([]source(nil), p.sources...)
	return &c
}

func (p *selfSimilar) size() int { return 120 + 24*len(p.sources) }

// The heap of sources.

func (p *selfSimilar) Len() int           { return len(p.sources) }
func (p *selfSimilar) Less(i, j int) bool { return p.sources[i].next < p.sources[j].next }
func (p *selfSimilar) Swap(i, j int)      { p.sources[i], p.sources[j] = p.sources[j], p.sources[i] }
func (p *selfSimilar) Push(any)           { panic("the number of sources is fixed") }
func (p *selfSimilar) Pop() any           { panic("the number of sources is fixed") }
