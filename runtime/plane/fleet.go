package plane

import (
	"time"

	"coldstorm/results"
)

// Fleet is the plane of a container service, or of a group of instances: units
// with several slots behind a load balancer, on nodes or on AWS's own fleet,
// whose number a scaler decides. Build it with NewFleet.
//
// A trigger goes to a unit when it arrives, as a load balancer sends it, and
// waits there for a slot: units that start later don't help it. It never waits
// for a unit to start, so every served trigger is a warm start.
//
// Left out in this version: deployments and spot interruptions.
type Fleet struct {
	rules  FleetRules
	router router

	units []fleetUnit // from 1
	nodes []fleetNode // from 1
	queue fifo[deadline]

	leaving fifo[leaving] // units that drain, for as long as they stay anyway
	lasting fifo[leaving] // units that drain until they hold nothing, if there is a bound to that

	buckets []bucket // of launches

	want   int           // units that there should be
	alive  int           // starting or ready, not draining
	missed fifo[missing] // units beyond the alive ones
	exempt int           // launches that take no token: the units that stood before
	begun  bool

	starting, ready, busy, queued int      // ready: draining ones included
	upNodes, newNodes             int      // nodes that are up, that start
	usedNodes, placed             int      // nodes that hold units, units on nodes
	room                          []levels // by zone: nodes that are up, by the units that they hold
	zones                         []int    // units by zone

	deaths    deaths // of all units, for their back-off
	heldUntil time.Duration

	pool warmPool

	emptying Node       // that consolidation drains; nothing is placed there
	loads    []NodeLoad // scratch

	looked   time.Duration // the scaler's last look
	requests int           // arrivals since then

	scaleAt, nodesAt, launchAt, wake time.Duration // 0: none
}

const (
	defaultBacklog     = 4096
	defaultIdleTimeout = 60 * time.Second
)

type fleetUnit struct {
	state    unitState
	draining bool
	stays    time.Duration // until then, if it drains
	node     Node
	running  int
	queue    fifo[Trigger]
	readyAt  time.Duration
	busyAt   time.Duration // of the last change of running
	busyFor  time.Duration // slot time since the scaler's last look

	deaths         deaths // of those in whose place it is
	passed, failed int    // health checks in a row
	sick           bool   // out of routing
}

type deadline struct {
	trigger Trigger
	unit    Unit
	at      time.Duration
}

// NewFleet returns a plane whose Min units start with the first event.
func NewFleet(r FleetRules) *Fleet {
	r.Slots = max(1, r.Slots)
	r.Min = max(1, r.Min)
	r.Max = max(r.Min, r.Max)
	r.PerNode = max(1, r.PerNode)
	r.Zones = max(1, r.Zones)
	if r.Random {
		r.Place = BinPack // not asked, but there are nodes
	}
	r.MinNodes = max(r.MinNodes, (r.Min+r.PerNode-1)/r.PerNode)
	r.Full = or(r.Full, ReasonQueueFull)
	switch {
	case r.Queue == 0:
		r.Queue = defaultBacklog
	case r.Queue < 0:
		r.Queue = 0
	}
	if r.Timeout == 0 {
		r.Timeout = defaultIdleTimeout
	}
	f := &Fleet{rules: r, units: make([]fleetUnit, 1), nodes: make([]fleetNode, 1), want: r.Min, exempt: r.Min}
	f.room, f.zones = make([]levels, r.Zones), make([]int, r.Zones)
	for _, l := range r.Launch {
		f.buckets = append(f.buckets, newBucket(l.Burst, l.PerSecond))
	}
	f.router = &leastOutstanding{}
	if r.RoundRobin {
		f.router = &roundRobin{slow: r.SlowStart}
	}
	return f
}

var _ Plane = (*Fleet)(nil)

// Census counts units by state.
func (f *Fleet) Census() Census {
	return Census{
		Starting: f.starting, Idle: f.ready - f.busy, Busy: f.busy, Queued: f.queued, Nodes: f.upNodes + f.newNodes,
	}
}

// Handle applies the rules to e.
func (f *Fleet) Handle(e Event, out []Action) []Action {
	out = f.timeOut(e.At, out)
	if !f.begun {
		out = f.begin(e.At, out)
	}
	switch e.Kind {
	case Arrive:
		out = f.arrive(e, out)
	case Ready:
		out = f.unitReady(e, out)
	case Done:
		out = f.done(e, out)
	case Gone:
		f.died(e)
		out = f.gone(e.Unit, out)
	case Abandon:
		f.abandon(e.Trigger)
	case NodeUp:
		f.nodeUp(e.Node, e.At)
	case NodeGone:
		out = f.nodeGone(e.Node, out)
	case CheckPassed, CheckFailed:
		out = f.checked(e, out)
	case Tick:
		f.wake = 0
	}
	out = f.leave(e.At, out)
	if e.Kind != Arrive && e.Kind != Done || f.due(e.At) {
		out = f.scale(e.At, out)
	}
	return f.nextWake(out)
}

// begin starts the capacity that stands before the first trigger.
func (f *Fleet) begin(at time.Duration, out []Action) []Action {
	f.begun, f.looked = true, at
	if f.rules.Scaler != nil {
		f.scaleAt = at + f.rules.Scaler.Every()
	}
	for range f.rules.WarmPool.Capacity - f.want {
		f.pool.waiting.push(at)
	}
	if f.rules.Place != nil {
		for range f.rules.MinNodes {
			out = f.startNode(out)
		}
	}
	return out
}

func (f *Fleet) arrive(e Event, out []Action) []Action {
	f.requests++
	id := f.router.pick(e.At)
	if id == 0 {
		return append(out, Action{Verb: Refuse, Trigger: e.Trigger, Reason: ReasonNoTargets})
	}
	u := &f.units[id]
	if u.running < f.rules.Slots {
		return f.dispatch(id, e.Trigger, e.At, out)
	}
	if u.queue.len() >= f.rules.Queue {
		return append(out, Action{Verb: Refuse, Trigger: e.Trigger, Reason: f.rules.Full})
	}
	u.queue.push(e.Trigger)
	f.queue.push(deadline{e.Trigger, id, e.At + f.rules.Timeout})
	f.queued++
	f.loaded(id)
	return out
}

func (f *Fleet) dispatch(id Unit, t Trigger, at time.Duration, out []Action) []Action {
	u := &f.units[id]
	u.spend(at)
	if u.running == 0 {
		f.busy++
	}
	u.running++
	f.loaded(id)
	return append(out, Action{Verb: Dispatch, Unit: id, Trigger: t, Start: results.StartWarm})
}

// loaded tells the router how many triggers a unit holds.
func (f *Fleet) loaded(id Unit) {
	if u := &f.units[id]; !u.draining && u.state != unitGone {
		f.router.load(id, u.running+u.queue.len())
	}
}

func (f *Fleet) unitReady(e Event, out []Action) []Action {
	u := f.unit(e.Unit)
	if u == nil || u.state != unitStarting {
		return out
	}
	f.starting--
	f.ready++
	u.state, u.readyAt, u.busyAt = unitIdle, e.At, e.At
	f.router.add(e.Unit, e.At)
	if f.alive > f.want {
		return f.drain(e.Unit, e.At, out)
	}
	return out
}

func (f *Fleet) done(e Event, out []Action) []Action {
	u := f.unit(e.Unit)
	if u == nil || u.running == 0 {
		return out
	}
	u.spend(e.At)
	u.running--
	if u.running == 0 {
		f.busy--
	}
	if u.queue.len() > 0 {
		f.queued--
		return f.dispatch(e.Unit, u.queue.pop(), e.At, out)
	}
	f.loaded(e.Unit)
	if u.draining && u.running == 0 && e.At >= u.stays {
		return f.emptied(f.stop(e.Unit, out))
	}
	return out
}

// spend accounts for the slots that were in use since the last change.
func (u *fleetUnit) spend(at time.Duration) {
	u.busyFor += time.Duration(u.running) * (at - u.busyAt)
	u.busyAt = at
}

// timeOut refuses what has waited for too long. A unit's queue is in order of
// arrival, and so is that of deadlines: one that is not at its unit's head was
// dispatched or abandoned.
func (f *Fleet) timeOut(at time.Duration, out []Action) []Action {
	for f.queue.len() > 0 && f.queue.front().at <= at {
		d := f.queue.pop()
		u := &f.units[d.unit]
		if u.queue.len() == 0 || *u.queue.front() != d.trigger {
			continue
		}
		u.queue.pop()
		f.queued--
		f.loaded(d.unit)
		out = append(out, Action{Verb: Refuse, Trigger: d.trigger, Reason: ReasonGatewayTimeout})
	}
	return out
}

// abandon forgets a trigger that waits.
func (f *Fleet) abandon(t Trigger) {
	for id := range f.units {
		if f.units[id].queue.remove(t) {
			f.queued--
			f.loaded(Unit(id))
			return
		}
	}
}

func (f *Fleet) unit(id Unit) *fleetUnit {
	if id <= 0 || int(id) >= len(f.units) {
		return nil
	}
	return &f.units[id]
}

// nextWake asks for a Tick at the earliest time at which something is due.
func (f *Fleet) nextWake(out []Action) []Action {
	at := earliest(earliest(f.scaleAt, f.nodesAt), f.launchAt)
	if f.queue.len() > 0 {
		at = earliest(at, f.queue.front().at)
	}
	if f.leaving.len() > 0 {
		at = earliest(at, f.leaving.front().at)
	}
	if f.lasting.len() > 0 {
		at = earliest(at, f.lasting.front().at)
	}
	if at == 0 || at == f.wake {
		return out
	}
	f.wake = at
	return append(out, Action{Verb: WakeAt, At: at})
}

// earliest is the smaller of two times of which 0 is none.
func earliest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
