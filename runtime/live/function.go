package live

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// Function is one deployed function: its plane, its environments, its counts.
// Its methods may be called from any goroutine.
type Function struct {
	launcher Launcher
	log      *Log
	ctx      context.Context // of launches; ends with Close
	cancel   context.CancelFunc
	patience time.Duration // with callers; passLimit but in tests

	mu       sync.Mutex
	config   Config
	slots    chan struct{} // launches at once
	plane    plane.Plane
	began    results.Stamp // of the plane
	last     time.Duration // of its events
	actions  []plane.Action
	alarm    *time.Timer   // WakeAt
	nodes    []plane.Node  // that were started, and are up
	readied  chan struct{} // a value as a unit gets ready, buffered
	failed   chan *Failure // a start's, buffered
	units    map[plane.Unit]*unit
	dying    map[*unit]struct{} // not the plane's any more, but not dead
	triggers map[plane.Trigger]*trigger
	next     plane.Trigger
	room     int        // invocations that ready units could take now
	settling int        // invocations that are answered, whose runtime has not asked for work again
	waiters  []*trigger // that wait for one of those places
	crashed  []remains  // environments to be reset
	counts   Counts
	cpu      time.Duration
	closed   bool
}

// Counts says what became of the triggers so far. Offered is the sum of all
// others.
type Counts struct {
	Offered   int
	Served    int
	Throttled int
	Failed    int
	TimedOut  int
	InFlight  int
}

// Census is a moment of a Function's timeline.
type Census struct {
	At     results.Stamp
	Units  plane.Census
	Queued int // triggers that wait for an environment to settle or to start
	Counts Counts
	// CPU is the processor time of all environments since the Function was made,
	// as known when they last answered or ended.
	CPU time.Duration
	Age time.Duration // of the deployment
}

// New deploys a function. Nothing starts before the first trigger.
func New(l Launcher, c Config) *Function {
	c = c.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	f := &Function{
		launcher: l, log: NewLog(c.Log), ctx: ctx, cancel: cancel, patience: passLimit,
		triggers: map[plane.Trigger]*trigger{}, dying: map[*unit]struct{}{}, readied: make(chan struct{}, 1), failed: make(chan *Failure, 1),
	}
	f.reset(c)
	return f
}

// reset makes a fresh plane. The caller holds the lock, or is alone.
func (f *Function) reset(c Config) {
	f.config, f.slots = c, make(chan struct{}, c.Launches)
	f.began, f.last = results.Now(), 0
	rules := c.Rules()
	rules.Since = time.Duration(f.began)
	f.plane = plane.NewLambda(rules)
	if c.Standing != nil {
		f.plane = c.Standing.Plane(c.places())
	}
	f.units = map[plane.Unit]*unit{}
	if k, ok := f.launcher.(interface{ Forget(id string) }); ok {
		for _, r := range f.crashed {
			k.Forget(r.id)
		}
	}
	f.room, f.settling, f.crashed = 0, 0, nil
	if f.alarm != nil {
		f.alarm.Stop()
		f.alarm = nil
	}
}

// Config is the deployed one, with its defaults filled in.
func (f *Function) Config() Config {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.config
}

// Counts says what became of the triggers so far.
func (f *Function) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// Census counts environments and triggers now.
func (f *Function) Census() Census {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Census{
		At: results.Now(), Units: f.plane.Census(), Queued: len(f.triggers),
		Counts: f.counts, CPU: f.cpu, Age: results.Now().Sub(f.began),
	}
}

// Discard stops every environment and begins with a fresh plane: the next
// trigger's start is the first of a deployment. Triggers in flight fail. It
// returns when nothing of the old environments is left.
func (f *Function) Discard() { f.redeploy(nil) }

// Redeploy is Discard with another configuration, Log excepted.
func (f *Function) Redeploy(c Config) {
	c = c.withDefaults()
	f.redeploy(&c)
}

func (f *Function) redeploy(c *Config) {
	f.mu.Lock()
	old := f.abandon()
	if c == nil {
		c = &f.config
	}
	f.reset(*c)
	if c.Standing != nil && !f.closed {
		f.handle(plane.Event{Kind: plane.Tick})
	}
	f.mu.Unlock()
	for _, u := range old {
		go u.end(errDiscarded)
	}
	for _, u := range old {
		<-u.dead
	}
}

// abandon takes every environment from the plane and fails the triggers that
// wait for one. The caller holds the lock, and ends what is returned.
func (f *Function) abandon() (old []*unit) {
	for _, u := range f.units {
		u.gone = true
		f.dying[u] = struct{}{}
	}
	for u := range f.dying {
		old = append(old, u)
	}
	for id, t := range f.triggers {
		delete(f.triggers, id)
		t.assigned <- assignment{failure: errDiscarded}
	}
	f.waiters = nil
	return old
}

// Close discards every environment and flushes the log. The error is the log
// writer's.
func (f *Function) Close() error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.Discard()
	f.cancel()
	return f.log.Close()
}

// newEnvironmentID is 32 hexadecimal digits, as in the names of log streams.
func newEnvironmentID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
