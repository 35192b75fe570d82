package plane

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// PollerRules say how an event source mapping polls a message queue and invokes a
// function with what it finds (AWS documentation: "Using Lambda with Amazon
// SQS"). Zero values are Lambda's. What AWS doesn't publish is marked as assumed.
type PollerRules struct {
	BatchSize   int           // messages of an invocation at most; 0: 10
	Window      time.Duration // how long a batch is gathered that isn't full; 0: not at all
	Concurrency int           // invocations at once at most; 0: 1,250

	Initial int           // pollers at first, each with one batch at a time; 0: 5
	Growth  float64       // pollers a minute that are added while all are busy and messages wait; 0: 300
	Floor   int           // pollers that are left when there was long nothing to do; 0: 2
	Calm    time.Duration // without messages, after which pollers fall to Initial, and after as long again to Floor; 0: a minute (assumed)
	Shed    int           // pollers that a failed or throttled invocation costs, down to Floor; 0: 1 (assumed), negative: none

	MaxBytes int // of a batch's messages; 0: 6 MB

	provisioned bool // Concurrency has no bound of its own
}

// Bounds of provisioned pollers (botocore's model of ProvisionedPollerConfig; AWS Lambda
// developer guide, "Using provisioned mode with an Amazon SQS event source mapping").
const (
	minPollers, mostMinPollers   = 2, 200
	otherMaxPollers, mostPollers = 200, 2000
	invocationsEach              = 10     // at once, of a poller
	provisionedGrowth            = 1000.0 // invocations at once that are added a minute
)

// Provisioned changes the rules to those of provisioned pollers, of which each has ten
// invocations at once: least are always there, and up to most are added, faster than
// others are. 0 is Lambda's default: 2, and 200. A maximum concurrency goes with none.
func (r PollerRules) Provisioned(least, most int) (PollerRules, error) {
	if least == 0 {
		least = minPollers
	}
	if most == 0 {
		most = max(otherMaxPollers, least)
	}
	switch {
	case least < minPollers || least > mostMinPollers:
		return r, fmt.Errorf("minimum pollers %d are not within %d..%d", least, minPollers, mostMinPollers)
	case most < least || most > mostPollers:
		return r, fmt.Errorf("maximum pollers %d are not within %d..%d", most, least, mostPollers)
	case r.Concurrency != 0:
		return r, errors.New("a maximum concurrency can't be set with provisioned pollers")
	}
	r.Initial, r.Floor, r.Concurrency = invocationsEach*least, invocationsEach*least, invocationsEach*most
	r.Growth, r.provisioned = provisionedGrowth, true
	return r, nil
}

// Limits of an event source mapping of a message queue (AWS API reference:
// CreateEventSourceMapping).
const (
	MaxBatchSize        = 10_000
	MaxBatchWindow      = 300 * time.Second
	UnwindowedBatchSize = 10 // of a batch that isn't gathered
	minConcurrency      = 2
	maxConcurrency      = 1000
)

// Check reports the first rule that Lambda would refuse.
func (r PollerRules) Check() error {
	switch {
	case r.BatchSize < 0 || r.BatchSize > MaxBatchSize:
		return fmt.Errorf("batch size %d is not within 1..%d", r.BatchSize, MaxBatchSize)
	case r.Window < 0 || r.Window > MaxBatchWindow:
		return fmt.Errorf("batching window %v is not within 0s..%v", r.Window, MaxBatchWindow)
	case r.Window%time.Second != 0:
		return fmt.Errorf("batching window %v is not of whole seconds", r.Window)
	case r.BatchSize > UnwindowedBatchSize && r.Window < time.Second:
		return fmt.Errorf("batch size %d needs a batching window of a second or more: without one it is at most %d", r.BatchSize, UnwindowedBatchSize)
	case r.Concurrency != 0 && !r.provisioned && (r.Concurrency < minConcurrency || r.Concurrency > maxConcurrency):
		return fmt.Errorf("maximum concurrency %d is not within %d..%d", r.Concurrency, minConcurrency, maxConcurrency)
	}
	return nil
}

func (r PollerRules) withDefaults() PollerRules {
	set := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	set(&r.BatchSize, 10)
	set(&r.Concurrency, 1250)
	set(&r.Initial, 5)
	set(&r.Floor, 2)
	set(&r.MaxBytes, 6<<20)
	set(&r.Shed, 1)
	r.Shed = max(r.Shed, 0)
	if r.Growth == 0 {
		r.Growth = 300
	}
	if r.Calm == 0 {
		r.Calm = time.Minute
	}
	r.Initial, r.Floor = min(r.Initial, r.Concurrency), min(r.Floor, r.Concurrency)
	return r
}

// ErrVisibility says that a message could come again while it is being handled.
var ErrVisibility = errors.New("the queue's visibility timeout is less than the function's timeout")

// CheckVisibility holds a queue against the function that handles its messages:
// Lambda refuses a visibility timeout below the function's, and advises
// AdvisedVisibility.
func CheckVisibility(visibility, timeout time.Duration) error {
	if visibility < timeout {
		return fmt.Errorf("%w: %v and %v", ErrVisibility, visibility, timeout)
	}
	return nil
}

// AdvisedVisibility is six times the function's timeout, and the batching window.
func AdvisedVisibility(timeout, window time.Duration) time.Duration { return 6*timeout + window }

// Parcel is a received message on its way into a batch.
type Parcel struct {
	Delivery
	Bytes int
}

// Batch is the messages of one invocation.
type Batch []Parcel

// Poller decides how many messages are received, which are invoked together, and
// how many invocations there are at once. Each of its pollers has one batch at a
// time, from its first message to the end of its invocation. Messages go to the
// batch that has been gathered longest; which of several pollers gets one is
// chance in SQS. Like a plane it is pure; times never decrease. Build it with
// NewPoller.
type Poller struct {
	rules   PollerRules
	pollers float64
	open    []gathering // being gathered, the oldest first
	busy    int         // invocations

	at      time.Duration // of the last observation
	starved bool          // then: all pollers were busy and messages waited
	active  time.Duration // when there was last something to do
}

// Rules are those of the poller, with their defaults filled in.
func (p *Poller) Rules() PollerRules { return p.rules }

type gathering struct {
	batch Batch
	bytes int
	since time.Duration
}

// NewPoller returns a poller that has seen no message.
func NewPoller(r PollerRules) *Poller {
	r = r.withDefaults()
	return &Poller{rules: r, pollers: float64(r.Initial)}
}

// Pollers is how many there are, Busy how many invocations.
func (p *Poller) Pollers() int { return int(p.pollers + 1e-9) }

// Busy counts invocations under way.
func (p *Poller) Busy() int { return p.busy }

// Room is how many messages may be received.
func (p *Poller) Room() int {
	room := max(0, p.Pollers()-p.busy-len(p.open)) * p.rules.BatchSize
	for _, g := range p.open {
		room += p.rules.BatchSize - len(g.batch)
	}
	return room
}

// Observe tells how many messages are visible in the queue, and has pollers come
// and go. It is to be called before Room, whenever something has happened.
func (p *Poller) Observe(at time.Duration, backlog int) {
	r := p.rules
	if p.starved {
		p.pollers = min(float64(r.Concurrency), p.pollers+r.Growth*(at-p.at).Minutes())
	}
	p.at = at
	if backlog > 0 || p.busy > 0 || len(p.open) > 0 {
		p.active = at
	}
	switch calm := at - p.active; {
	case calm >= 2*r.Calm:
		p.pollers = min(p.pollers, float64(r.Floor))
	case calm >= r.Calm:
		p.pollers = min(p.pollers, float64(r.Initial))
	}
	p.starved = backlog > 0 && p.busy+len(p.open) >= p.Pollers()
}

// Take adds messages, at most Room of them, and returns the batches that are to
// be invoked now.
func (p *Poller) Take(at time.Duration, parcels []Parcel) (ready []Batch) {
	for _, m := range parcels {
		if len(p.open) > 0 && p.open[0].bytes+m.Bytes > p.rules.MaxBytes {
			ready = append(ready, p.close())
		}
		if len(p.open) == 0 {
			p.open = append(p.open, gathering{since: at})
		}
		g := &p.open[0]
		g.batch, g.bytes = append(g.batch, m), g.bytes+m.Bytes
		if len(g.batch) == p.rules.BatchSize {
			ready = append(ready, p.close())
		}
	}
	return append(ready, p.Due(at)...)
}

// close begins the oldest batch's invocation.
func (p *Poller) close() Batch {
	b := p.open[0].batch
	p.open = slices.Delete(p.open, 0, 1)
	p.busy++
	return b
}

// Due returns the batches whose window has ended.
func (p *Poller) Due(at time.Duration) (ready []Batch) {
	for len(p.open) > 0 && at >= p.open[0].since+p.rules.Window {
		ready = append(ready, p.close())
	}
	return ready
}

// Done tells that an invocation has ended; well says how: neither throttled nor
// with an error of the function.
func (p *Poller) Done(well bool) {
	p.busy--
	if !well {
		p.pollers = max(min(p.pollers, float64(p.rules.Floor)), p.pollers-float64(p.rules.Shed))
	}
}

// Next is when Observe and Due have something to say, if nothing happens before;
// false if that is never.
func (p *Poller) Next() (at time.Duration, ok bool) {
	if len(p.open) > 0 {
		at, ok = p.open[0].since+p.rules.Window, true
	}
	if p.starved && p.Pollers() < p.rules.Concurrency {
		missing := float64(p.Pollers()+1) - p.pollers
		if grown := p.at + time.Duration(missing/p.rules.Growth*float64(time.Minute)) + 1; !ok || grown < at {
			at, ok = grown, true
		}
	}
	return at, ok
}

// AfterThrottle is how long a batch waits that the function had no room for,
// whose messages were received at a time: it is tried until their visibility
// timeout ends, from a second to a minute apart (assumed), and then left to the
// queue.
func (p *Poller) AfterThrottle(throttled int, at, received, timeout time.Duration) (wait time.Duration, again bool) {
	wait = min(time.Second<<min(throttled-1, 20), time.Minute)
	return wait, at+wait < received+timeout
}
