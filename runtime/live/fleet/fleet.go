package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
)

// Fleet is one function in containers, behind a load balancer. Its methods may be
// called from any goroutine.
type Fleet struct {
	config   Config
	launcher Launcher
	open     opener
	log      *live.Log
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	began    time.Time
	slots    chan struct{} // launches at once
	work     sync.WaitGroup

	mu        sync.Mutex
	plane     plane.Plane
	last      time.Duration // of the plane's events
	actions   []plane.Action
	alarm     *time.Timer
	units     map[plane.Unit]*unit
	nodes     map[plane.Node]*node
	triggers  map[plane.Trigger]chan assignment
	next      plane.Trigger
	counts    Counts
	started   int
	crashed   int
	failures  int // starts in a row that failed
	faults    []error
	losses    []*Loss
	cpu       time.Duration
	unlimited bool // a node has no limits
	unitLives life.Record
	nodeLives life.Record
	serves    Serve
	changed   *sync.Cond
	closed    bool
}

// New deploys a function, and starts what stands before the first request. The error
// is one of the rules'.
func New(l Launcher, c Config) (*Fleet, error) { return start(l, c, openDoor) }

func start(l Launcher, c Config, open opener) (*Fleet, error) {
	c = c.withDefaults()
	p, err := c.Rules.Plane(c.Speed)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", c.Name, err)
	}
	f := &Fleet{
		config: c, launcher: l, open: open, log: live.NewLog(c.Log), plane: p, began: time.Now(), slots: make(chan struct{}, c.Launches),
		units: map[plane.Unit]*unit{}, nodes: map[plane.Node]*node{}, triggers: map[plane.Trigger]chan assignment{},
	}
	f.changed = sync.NewCond(&f.mu)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.mu.Lock()
	f.handle(plane.Event{Kind: plane.Tick})
	f.mu.Unlock()
	f.work.Go(f.check)
	return f, nil
}

// Config is the deployed one, with its defaults filled in.
func (f *Fleet) Config() Config { return f.config }

// Serves is how units take requests, empty while none is ready.
func (f *Fleet) Serves() Serve {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.serves
}

// Unlimited says whether a node has no limits, though it should have some: this host
// gives no rights to cgroups.
func (f *Fleet) Unlimited() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unlimited
}

// Census counts units and requests now.
func (f *Fleet) Census() Census {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Census{At: results.Now(), Units: f.plane.Census(), Counts: f.counts, CPU: f.cpu, Started: f.started, Crashed: f.crashed, Age: time.Since(f.began)}
}

// Losses lists what was killed so far.
func (f *Fleet) Losses() []Loss {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Loss, 0, len(f.losses))
	for _, l := range f.losses {
		list = append(list, *l)
	}
	return list
}

// failedStarts is how many starts in a row may fail before Wait says that none will do.
const failedStarts = 3

// Wait waits until n units are ready, 0 for as many as stand at least. The error says
// why there won't be as many, or that ctx ended.
func (f *Fleet) Wait(ctx context.Context, n int) error {
	if n == 0 {
		n = max(f.config.Rules.Min, 1)
	}
	defer context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed.Broadcast()
	})()
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		c := f.plane.Census()
		switch {
		case c.Idle+c.Busy >= n:
			return nil
		case f.closed:
			return errClosed
		case ctx.Err() != nil:
			return fmt.Errorf("%d of %d units are ready: %w", c.Idle+c.Busy, n, ctx.Err())
		case f.failures >= failedStarts && len(f.faults) > 0:
			return fmt.Errorf("%d of %d units are ready: %w", c.Idle+c.Busy, n, f.faults[len(f.faults)-1])
		}
		f.changed.Wait()
	}
}

// Close ends every unit and node, and returns when nothing of them is left. Requests
// that are under way fail. The error is the log's, or the launcher's.
func (f *Fleet) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		f.work.Wait()
		return nil
	}
	f.closed = true
	f.cancel()
	if f.alarm != nil {
		f.alarm.Stop()
	}
	for id := range f.triggers {
		f.assign(id, assignment{refused: plane.ReasonNoTargets})
	}
	var units []*unit
	for _, u := range f.units {
		u.gone = true
		units = append(units, u)
	}
	f.changed.Broadcast()
	f.mu.Unlock()
	endAll(units)
	f.work.Wait()
	for _, n := range f.nodes {
		if n.up && !n.stopped && !n.own {
			f.stopNode(n)
		}
	}
	if err := f.log.Close(); err != nil {
		return fmt.Errorf("function log: %w", err)
	}
	return nil
}

// fault keeps what went wrong. The caller holds the lock.
func (f *Fleet) fault(err error) {
	if len(f.faults) == 16 {
		f.faults = f.faults[1:]
	}
	f.faults = append(f.faults, err)
}
