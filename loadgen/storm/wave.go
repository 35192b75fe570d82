package storm

import (
	"fmt"
	"math"
	"time"
)

// Wave is a rate that swings about a mean as a sine does.
//
//	rate
//	Rate + Swing |   .--.              .--.
//	             | .'    `.          .'    `.
//	        Rate |'        `.      .'        `.
//	             |           `.  .'            `.
//	Rate - Swing |             `'                `-
//	             +-------------------+---------------->  t
//	             0                 Period
//
// Triggers up to t: n(t) = Rate t + Swing Period/2π (cos 2πPhase - cos 2π(t/Period + Phase)),
// which is solved for each trigger within the period that it falls into.
type Wave struct {
	Rate   float64       // mean, triggers a second
	Swing  float64       // to either side of it; at most Rate
	Period time.Duration // from crest to crest
	Phase  float64       // where it begins, in turns: 0 rising through the mean, 0.75 in the trough
	For    time.Duration // how long
}

// Len returns the area under the wave, rounded up.
func (w Wave) Len() int { return triggers(w.area()) }

// At returns the time at which i triggers are due.
func (w Wave) At(i int) (time.Duration, bool) { return evenly(w, i) }

// Duration returns For.
func (w Wave) Duration() time.Duration { return w.For }

// due is the number of triggers in the first x of a period, 0 <= x <= 1.
func (w Wave) due(x float64) float64 {
	swing := float64(w.Swing / (2 * math.Pi) * (cosTurn(w.Phase) - cosTurn(x+w.Phase)))
	return float64((float64(w.Rate*x) + swing) * w.Period.Seconds())
}

func (w Wave) area() float64 {
	if w.Swing < 0 || w.Swing > w.Rate || w.Period <= 0 || w.For <= 0 {
		return 0
	}
	whole, rest := float64(w.For/w.Period), float64(w.For%w.Period)/float64(w.Period)
	return float64(whole*w.due(1)) + w.due(rest)
}

func (w Wave) when(n float64) time.Duration {
	each := w.Rate * w.Period.Seconds()
	k := math.Floor((n + slack(n)) / each)
	x := w.solve(max(0, n-float64(k*each)))
	return min(w.For, time.Duration(k)*w.Period+nanoseconds(float64(x*w.Period.Seconds()), w.Period))
}

// solve returns the x, 0 <= x <= 1, at which n triggers are due: Newton's
// iteration, and bisection where that leaves the bracket, as it does where the
// rate is next to nothing.
func (w Wave) solve(n float64) float64 {
	if n <= 0 {
		return 0 // where the rate begins with 0, any x near it would do
	}
	low, high := 0.0, 1.0
	p := w.Period.Seconds()
	x := min(1, n/float64(w.Rate*p))
	near := 1e-10 / p // a tenth of a nanosecond
	for range 60 {
		off := w.due(x) - n
		if off > 0 {
			high = x
		} else {
			low = x
		}
		step := off / float64(p*(w.Rate+float64(w.Swing*sinTurn(x+w.Phase))))
		next := x - step
		if !(next >= low && next <= high) {
			next = (low + high) / 2
		}
		if math.Abs(next-x) < near {
			return next
		}
		x = next
	}
	return x
}

func (w Wave) String() string {
	return fmt.Sprintf("wave between %s/s and %s/s every %s, over %s", number(w.Rate-w.Swing), number(w.Rate+w.Swing), span(w.Period), span(w.For))
}

// Days is the wave of a day's traffic, from midnight on: lowest at four in the
// morning, highest at four in the afternoon, a sine between. A day may be as
// short as one likes.
//
//	rate
//	High |              .--.
//	     |            .'    `.
//	     |          .'        `.
//	     |`.      .'            `.
//	 Low |  `-__-'                `-
//	     +----+---------+---------+-->  t
//	    0 h  4 h       16 h      24 h
type Days struct {
	Low, High float64       // triggers a second
	Day       time.Duration // its length; 24 h if 0
	For       time.Duration // how long
}

func (d Days) wave() Wave {
	day := d.Day
	if day == 0 {
		day = 24 * time.Hour
	}
	// The trough, at 3/4 of a turn, comes after 1/6 of a day.
	return Wave{Rate: (d.Low + d.High) / 2, Swing: (d.High - d.Low) / 2, Period: day, Phase: 3.0/4 - 1.0/6, For: d.For}
}

// Len returns the area under the wave, rounded up.
func (d Days) Len() int { return d.wave().Len() }

// At returns the time at which i triggers are due.
func (d Days) At(i int) (time.Duration, bool) { return d.wave().At(i) }

// Duration returns For.
func (d Days) Duration() time.Duration { return d.For }

func (d Days) area() float64 {
	if d.Low < 0 {
		return 0
	}
	return d.wave().area()
}
func (d Days) when(n float64) time.Duration { return d.wave().when(n) }

func (d Days) String() string {
	return fmt.Sprintf("days of %s from %s/s at night to %s/s, over %s", span(d.wave().Period), number(d.Low), number(d.High), span(d.For))
}
