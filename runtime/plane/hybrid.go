package plane

import (
	"math"
	"slices"
	"time"
)

// Hybrid is the hybrid histogram policy of "Serverless in the Wild" (Shahrad et al.,
// ATC'20): it learns how long a function stays idle, unloads it when it has finished,
// loads it again shortly before the next trigger is likely to come, and keeps it until
// that is no longer likely. Idle times beyond the range, for which the paper fits a
// time series (ARIMA), are out of scope: they get the standard keep-alive. The zero
// value has the paper's settings.
type Hybrid struct {
	Range  time.Duration // of the histogram, and the standard keep-alive; 0 is 4 h
	Bin    time.Duration // 0 is a minute
	Head   float64       // percentile of idle times before which it is not loaded; 0 is 5
	Tail   float64       // percentile until which it is kept; 0 is 99
	Margin float64       // by which both windows are widened; 0 is 0.1
	// Varied is the coefficient of variation of the bins' counts above which the
	// histogram is representative; 0 is 2.
	Varied float64

	bins    []int
	n       int
	squares int // of the bins' counts
	beyond  int // idle times beyond the range
}

const (
	hybridRange  = 4 * time.Hour
	hybridBin    = time.Minute
	hybridHead   = 5
	hybridTail   = 99
	hybridMargin = 0.1
	hybridVaried = 2
)

// Idle takes the time between the end of the last invocation and the next trigger.
func (h *Hybrid) Idle(d time.Duration) {
	if d >= or(h.Range, hybridRange) {
		h.beyond++
		return
	}
	if h.bins == nil {
		h.bins = make([]int, int(math.Ceil(float64(or(h.Range, hybridRange))/float64(or(h.Bin, hybridBin)))))
	}
	b := int(max(0, d) / or(h.Bin, hybridBin))
	h.squares += 2*h.bins[b] + 1
	h.bins[b]++
	h.n++
}

// Windows is how long a function that has become idle stays unloaded, 0 for not at
// all, and how long it is kept from then on.
func (h *Hybrid) Windows() (unloaded, kept time.Duration) {
	if !h.representative() {
		return 0, or(h.Range, hybridRange)
	}
	bin, margin := or(h.Bin, hybridBin), or(h.Margin, hybridMargin)
	head := time.Duration(h.bin(or(h.Head, hybridHead))) * bin // rounded down
	tail := time.Duration(h.bin(or(h.Tail, hybridTail))+1) * bin
	unloaded = time.Duration(float64(head) * (1 - margin))
	return unloaded, time.Duration(float64(tail)*(1+margin)) - unloaded
}

// representative says whether idle times are in the histogram, and in few bins of it.
func (h *Hybrid) representative() bool {
	if h.n == 0 || h.beyond > h.n {
		return false
	}
	bins := float64(len(h.bins))
	mean := float64(h.n) / bins
	return math.Sqrt(float64(h.squares)/bins-mean*mean)/mean > or(h.Varied, hybridVaried)
}

// bin is that of a percentile.
func (h *Hybrid) bin(percentile float64) int {
	need := max(1, int(math.Ceil(float64(h.n)*percentile/100-1e-9)))
	for b, n := range h.bins {
		if need -= n; need <= 0 {
			return b
		}
	}
	return len(h.bins) - 1
}

// Prewarmed is a Lambda plane whose keep-alive is decided by a Hybrid policy. Build it
// with NewPrewarmed.
type Prewarmed struct {
	lambda *Lambda
	policy *Hybrid

	since  time.Duration // idle
	idle   bool          // since an invocation ended
	loadAt time.Duration // 0: not to be loaded
	wake   time.Duration // that was asked for
}

// NewPrewarmed returns a plane of the rules but for their KeepAlive.
func NewPrewarmed(r LambdaRules, h *Hybrid) *Prewarmed {
	_, r.KeepAlive = h.Windows()
	return &Prewarmed{lambda: NewLambda(r), policy: h}
}

var _ Plane = (*Prewarmed)(nil)

// Census counts environments by state.
func (p *Prewarmed) Census() Census { return p.lambda.Census() }

// Handle applies the rules to e.
func (p *Prewarmed) Handle(e Event, out []Action) []Action {
	from, l := len(out), p.lambda
	if e.Kind == Arrive && p.idle {
		p.policy.Idle(e.At - p.since)
		p.idle, p.loadAt = false, 0
	}
	before := l.inFlight
	out = l.Handle(e, out)
	if before > 0 && l.inFlight == 0 {
		out = p.rest(e.At, out)
	}
	if p.loadAt != 0 && p.loadAt <= e.At {
		p.loadAt = 0
		if l.idle.len()+l.starting == 0 {
			out = l.start(NoTrigger, "", out)
		}
	}
	return p.nextWake(e, from, l.nextWake(out))
}

// rest begins an idle time: what is idle is unloaded, if it is to be loaded later.
func (p *Prewarmed) rest(at time.Duration, out []Action) []Action {
	p.idle, p.since = true, at
	unloaded, kept := p.policy.Windows()
	p.loadAt = 0
	p.lambda.wake = 0 // the time until which environments are kept has changed
	if unloaded > 0 {
		p.loadAt = at + unloaded
		p.lambda.rules.KeepAlive = 0
		out = p.lambda.expire(at, out)
	}
	p.lambda.rules.KeepAlive = kept
	return out
}

// nextWake joins the wake-ups of the plane within and those for loading.
func (p *Prewarmed) nextWake(e Event, from int, out []Action) []Action {
	kept := slices.DeleteFunc(out[from:], func(a Action) bool { return a.Verb == WakeAt })
	out = out[:from+len(kept)]
	if e.Kind == Tick {
		p.wake = 0
	}
	at := earliest(p.lambda.wake, p.loadAt)
	if at == 0 || at == p.wake {
		return out
	}
	p.wake = at
	return append(out, Action{Verb: WakeAt, At: at})
}
