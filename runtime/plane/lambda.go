package plane

import (
	"time"

	"coldstorm/results"
)

// Lambda is the plane of AWS Lambda for one function: one invocation in an
// environment at a time, or Slots of them, a start for each trigger that finds no
// room, up to the scale-out rate and the concurrency limit, and throttles beyond.
// Build it with NewLambda.
//
// Left out in this version: environments initialised ahead of their first trigger, and
// the one to two minutes before an allocation of provisioned concurrency
// starts.
type Lambda struct {
	rules LambdaRules

	idle     deque              // on-demand environments, the longest idle first
	ready    []Unit             // idle provisioned ones
	open     levels             // busy ones with room, by their triggers; none with one slot
	joinable []Unit             // starting ones with room, the first started first; none with one slot
	joined   map[Unit][]Trigger // that wait for a start beside the trigger that it is for
	units    []lambdaUnit
	unused   []Unit // numbers that Reuse hands out again
	scaleOut *ScaleOut
	requests bucket
	prepared bucket // requests to provisioned environments

	inFlight  int // triggers that run or wait for their environment
	starting  int
	busy      int
	preparing int // provisioned environments of the allocation that were never ready
	failed    int // of those, gone
	crashed   int // environments that died and were not replaced yet
	reclaimed int // environments that keep-alive took and a later trigger could have used
	wake      time.Duration
	begun     bool
}

// LambdaRules are the settings of a Lambda plane, with AWS's defaults as their
// zero values.
type LambdaRules struct {
	// Concurrency is the number of invocations that may run at once; 0 is an
	// account's default quota of 1,000.
	Concurrency int
	// Reserved says that Concurrency is reserved for the function: it decides
	// the reason of a throttle.
	Reserved bool
	// KeepAlive is the idle time after which an environment is reclaimed. 0
	// reclaims at once, negative never.
	KeepAlive time.Duration
	// Lifetime is the age from which an environment is stopped when it has served,
	// even if it is always busy (AWS: "every few hours"). 0 is no end.
	Lifetime time.Duration
	// ScaleOutBurst and ScaleOutRate bound new environments: a bucket of 1,000
	// that refills by 100 a second unless set (AWS: 1,000 environments every
	// 10 seconds per function, refilled continuously). Negative: no bound.
	ScaleOutBurst, ScaleOutRate float64
	// ScaleOut, unless nil, is the bound in place of these, shared with other planes.
	// Since is the time, on a clock of all of them, at which this one's began.
	ScaleOut *ScaleOut
	Since    time.Duration
	// RequestRate is the number of requests a second; 0 is ten times
	// Concurrency (AWS quota), negative no bound.
	RequestRate float64
	// ProvisionedRate is the number of requests a second that each provisioned
	// environment takes. 0 is ten (AWS quota), or no bound if RequestRate has none;
	// negative is no bound.
	ProvisionedRate float64
	// Provisioned is the number of environments that are kept ready. What is beyond
	// what they take goes to others. None is used before all have been ready (AWS
	// documentation: "Configuring provisioned concurrency").
	Provisioned int
	// Restore says that a start is a restore from a snapshot (SnapStart).
	Restore bool
	// Warm is the number of on-demand environments that start with the first
	// event, for no trigger: what earlier traffic left behind.
	Warm int
	// Reuse lets a new environment have the number of one that is gone, so that
	// the plane's memory follows from how many there are at a time. It is for
	// executors of whose stopped environments no event is to come.
	Reuse bool
	// Slots is the number of triggers that an environment serves at once; 0 is 1. A
	// trigger for which none that is ready has room waits for the first one that starts
	// and has: a new one is started when all are full.
	Slots int
	// LeastRecent routes to the environment that has been idle longest; the
	// default is the one that has been idle shortest. With Slots it routes to the one
	// with the fewest triggers; the default is the one with the most that has room, so
	// that others come to rest. AWS publishes neither.
	LeastRecent bool
}

type lambdaUnit struct {
	trigger     Trigger
	running     int32
	cause       results.Cause
	state       unitState
	provisioned bool
	old         bool          // beyond its lifetime: it takes nothing more
	born        time.Duration // ready
}

type unitState uint8

const (
	unitGone unitState = iota
	unitStarting
	unitIdle
	unitBusy
)

// DefaultConcurrency is an account's quota of concurrent invocations in a
// region (AWS Lambda quotas).
const DefaultConcurrency = 1000

// NewLambda returns a plane without environments. Provisioned ones start with
// the first event.
func NewLambda(r LambdaRules) *Lambda {
	if r.Concurrency == 0 {
		r.Concurrency = DefaultConcurrency
	}
	r.Slots = max(r.Slots, 1)
	if r.ScaleOutBurst == 0 {
		r.ScaleOutBurst = 1000
	}
	if r.ScaleOutRate == 0 {
		r.ScaleOutRate = 100
	}
	if r.RequestRate == 0 {
		r.RequestRate = 10 * float64(r.Concurrency)
	}
	if r.ProvisionedRate == 0 && r.RequestRate > 0 {
		r.ProvisionedRate = 10
	}
	l := &Lambda{rules: r, units: make([]lambdaUnit, 1), joined: map[Unit][]Trigger{}, scaleOut: r.ScaleOut}
	if l.scaleOut == nil {
		l.scaleOut = NewScaleOut(r.ScaleOutBurst, r.ScaleOutRate)
	}
	if r.RequestRate > 0 {
		l.requests = newBucket(r.RequestRate, r.RequestRate)
	}
	if rate := r.ProvisionedRate * float64(r.Provisioned); rate > 0 {
		l.prepared = newBucket(rate, rate)
	}
	return l
}

var _ Plane = (*Lambda)(nil)

// Census counts environments by state.
func (l *Lambda) Census() Census {
	return Census{Starting: l.starting, Idle: l.idle.len() + len(l.ready), Busy: l.busy}
}

// Provisioned says how many provisioned environments are ready, idle or not, and
// how many failed to start.
func (l *Lambda) Provisioned() (ready, failed int) {
	for _, u := range l.units {
		if u.provisioned && (u.state == unitIdle || u.state == unitBusy) {
			ready++
		}
	}
	return ready, l.failed
}

// Handle applies the rules to e.
func (l *Lambda) Handle(e Event, out []Action) []Action {
	if !l.begun {
		l.begun = true
		out = l.provision(out)
	}
	switch e.Kind {
	case Arrive:
		out = l.expire(e.At, out)
		out = l.arrive(e, out)
	case Ready:
		out = l.unitReady(e, out)
	case Done:
		out = l.done(e, out)
	case Gone:
		out = l.gone(e.Unit, out)
	case Tick:
		l.wake = 0
		out = l.expire(e.At, out)
	}
	return l.nextWake(out)
}

func (l *Lambda) provision(out []Action) []Action {
	for range l.rules.Provisioned {
		out = l.start(NoTrigger, results.CauseProvisioned, out)
		l.preparing++
	}
	for range l.rules.Warm {
		out = l.start(NoTrigger, results.CauseDeployed, out)
	}
	return out
}

func (l *Lambda) arrive(e Event, out []Action) []Action {
	if l.inFlight >= l.rules.Concurrency {
		return append(out, Action{Verb: Refuse, Trigger: e.Trigger, Reason: l.reason(ReasonReservedConcurrency, ReasonConcurrency)})
	}
	if !l.requests.take(e.At) {
		return append(out, Action{Verb: Refuse, Trigger: e.Trigger, Reason: l.reason(ReasonReservedRate, ReasonRate)})
	}
	if u := l.pick(e.At); u != 0 {
		return l.dispatch(u, e.Trigger, out)
	}
	if len(l.joinable) > 0 {
		return l.join(e.Trigger, out)
	}
	if !l.scaleOut.take(l.rules.Since, e.At) {
		return append(out, Action{Verb: Refuse, Trigger: e.Trigger, Reason: l.reason(ReasonReservedConcurrency, ReasonConcurrency)})
	}
	l.inFlight++
	return l.start(e.Trigger, l.cause(), out)
}

func (l *Lambda) reason(reserved, account Reason) Reason {
	if l.rules.Reserved {
		return reserved
	}
	return account
}

// pick takes an environment with room off its list, or returns 0.
func (l *Lambda) pick(at time.Duration) Unit {
	if l.open.n == 0 {
		return l.pickIdle(at)
	}
	if l.rules.LeastRecent {
		if u := l.pickIdle(at); u != 0 {
			return u
		}
	}
	return l.pickOpen()
}

// pickIdle takes an idle environment off its list, provisioned ones first, or
// returns 0.
func (l *Lambda) pickIdle(at time.Duration) Unit {
	if n := len(l.ready); n > 0 && l.preparing == 0 && l.prepared.take(at) {
		u := l.ready[n-1]
		l.ready = l.ready[:n-1]
		return u
	}
	if l.idle.len() == 0 {
		return 0
	}
	if l.rules.LeastRecent {
		return l.idle.popFront().unit
	}
	return l.idle.popBack().unit
}

// cause says why the next on-demand start is needed.
func (l *Lambda) cause() results.Cause {
	switch {
	case l.crashed > 0:
		l.crashed--
		return results.CauseCrashed
	case l.reclaimed > 0:
		l.reclaimed--
		return results.CauseExpired
	case l.rules.Provisioned == 0 && len(l.units) == 1:
		return results.CauseDeployed
	}
	return results.CauseScaleOut
}

func (l *Lambda) start(t Trigger, cause results.Cause, out []Action) []Action {
	u := l.number()
	l.units[u] = lambdaUnit{
		trigger: t, cause: cause, state: unitStarting, provisioned: cause == results.CauseProvisioned,
	}
	l.starting++
	if t != NoTrigger && l.rules.Slots > 1 {
		l.joinable = append(l.joinable, u)
	}
	return append(out, Action{Verb: StartUnit, Unit: u, Trigger: t, Cause: cause})
}

// number is a new environment's.
func (l *Lambda) number() Unit {
	if n := len(l.unused); n > 0 {
		u := l.unused[n-1]
		l.unused = l.unused[:n-1]
		return u
	}
	l.units = append(l.units, lambdaUnit{})
	return Unit(len(l.units) - 1)
}

// discard forgets an environment.
func (l *Lambda) discard(u Unit) {
	l.units[u].state = unitGone
	if l.rules.Reuse {
		l.unused = append(l.unused, u)
	}
}

func (l *Lambda) dispatch(u Unit, t Trigger, out []Action) []Action {
	l.inFlight++
	l.enter(u)
	unit := &l.units[u]
	start := results.StartWarm
	if unit.provisioned {
		start = results.StartProvisioned
	}
	return append(out, Action{Verb: Dispatch, Unit: u, Trigger: t, Start: start})
}

func (l *Lambda) unitReady(e Event, out []Action) []Action {
	unit := l.unit(e.Unit)
	if unit == nil || unit.state != unitStarting {
		return out
	}
	l.starting--
	unit.born = e.At
	if unit.trigger == NoTrigger {
		if unit.provisioned && l.preparing > 0 {
			l.preparing--
		}
		return l.rest(e, out)
	}
	start, cause := results.StartCold, unit.cause
	if l.rules.Restore {
		start, cause = results.StartRestored, results.CauseRestored
	}
	l.closeJoin(e.Unit)
	l.enter(e.Unit)
	out = append(out, Action{Verb: Dispatch, Unit: e.Unit, Trigger: unit.trigger, Start: start, Cause: cause})
	for _, t := range l.joined[e.Unit] {
		l.enter(e.Unit)
		out = append(out, Action{Verb: Dispatch, Unit: e.Unit, Trigger: t, Start: start, Cause: cause})
	}
	delete(l.joined, e.Unit)
	return out
}

func (l *Lambda) done(e Event, out []Action) []Action {
	unit := l.unit(e.Unit)
	if unit == nil || unit.state != unitBusy {
		return out
	}
	l.inFlight--
	if !l.leave(e) {
		return out
	}
	return l.rest(e, out)
}

// rest makes a unit idle, or stops it where nothing is kept alive.
func (l *Lambda) rest(e Event, out []Action) []Action {
	unit := &l.units[e.Unit]
	unit.trigger = NoTrigger
	if unit.provisioned {
		unit.state = unitIdle
		l.ready = append(l.ready, e.Unit)
		return append(out, Action{Verb: Freeze, Unit: e.Unit})
	}
	if l.rules.KeepAlive == 0 || l.aged(e) {
		return l.reclaim(e.Unit, out)
	}
	unit.state = unitIdle
	l.idle.pushBack(idleUnit{unit: e.Unit, since: e.At})
	return append(out, Action{Verb: Freeze, Unit: e.Unit})
}

// aged reports whether an environment is beyond its lifetime.
func (l *Lambda) aged(e Event) bool {
	return l.rules.Lifetime > 0 && e.At-l.units[e.Unit].born >= l.rules.Lifetime
}

func (l *Lambda) reclaim(u Unit, out []Action) []Action {
	l.discard(u)
	l.reclaimed++
	return append(out, Action{Verb: StopUnit, Unit: u})
}

// gone forgets a unit that died. One that died idle is no longer on a list; a
// provisioned one is replaced, unless it failed to start: it would fail for ever
// (AWS: the status of such an allocation is FAILED).
func (l *Lambda) gone(u Unit, out []Action) []Action {
	unit := l.unit(u)
	if unit == nil || unit.state == unitGone {
		return out
	}
	started := unit.state != unitStarting
	switch unit.state {
	case unitStarting:
		l.starting--
		if unit.trigger != NoTrigger {
			l.inFlight -= 1 + len(l.joined[u])
			l.closeJoin(u)
			delete(l.joined, u)
		}
	case unitBusy:
		l.busy--
		l.inFlight -= int(unit.running)
		l.open.take(int32(u))
	case unitIdle:
		l.idle.remove(u)
		l.ready = removeUnit(l.ready, u)
	}
	provisioned := unit.provisioned
	l.discard(u)
	if provisioned {
		if !started {
			l.failed++
			return out
		}
		return l.start(NoTrigger, results.CauseProvisioned, out)
	}
	l.crashed++
	return out
}

// expire reclaims what has been idle for longer than the keep-alive.
func (l *Lambda) expire(at time.Duration, out []Action) []Action {
	if l.rules.KeepAlive < 0 {
		return out
	}
	for l.idle.len() > 0 && at-l.idle.front().since >= l.rules.KeepAlive {
		out = l.reclaim(l.idle.popFront().unit, out)
	}
	return out
}

// nextWake asks for a Tick when the longest idle environment expires, unless
// an earlier or equal one was asked for: a Tick too early does no harm.
func (l *Lambda) nextWake(out []Action) []Action {
	if l.rules.KeepAlive <= 0 || l.idle.len() == 0 || l.wake != 0 {
		return out
	}
	l.wake = l.idle.front().since + l.rules.KeepAlive
	return append(out, Action{Verb: WakeAt, At: l.wake})
}

func (l *Lambda) unit(u Unit) *lambdaUnit {
	if u <= 0 || int(u) >= len(l.units) {
		return nil
	}
	return &l.units[u]
}

func removeUnit(us []Unit, u Unit) []Unit {
	for i, v := range us {
		if v == u {
			return append(us[:i], us[i+1:]...)
		}
	}
	return us
}
