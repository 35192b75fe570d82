package live

import (
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
	"coldstorm/runtime/plane"
)

// unit is one execution environment.
type unit struct {
	f            *Function
	config       Config // of its deployment
	slots        chan struct{}
	no           plane.Unit
	id           string
	stream       string        // name of its log stream
	trigger      plane.Trigger // it was started for
	cause        results.Cause
	dead         chan struct{} // closed when nothing is left of it
	out          output
	runtimeEnded chan struct{} // closed when the supervisor told of it
	endOnce      sync.Once
	lines        atomic.Pointer[api.Environment] // that what it writes is told to
	crowded      atomic.Bool                     // its limit on processes was seen to refuse one

	// Guarded by Function.mu.
	gone     bool // the plane has forgotten it
	state    unitState
	asks     bool // for work, since it got its last event
	passed   bool // its answer to that has been passed on
	served   int
	freeze   bool // it should be frozen
	deadline results.Stamp
	limit    *time.Timer // fires at the deadline of init or of the invocation
	box      Sandbox     // nil until launched
	api      *api.Environment
	used     Usage         // as last seen
	before   time.Duration // processor time when the invocation began
	past     time.Duration // processor time of an init that was sent again
	phase    initPhase
	retry    *Failure // why init runs again, or will

	// Set before the environment gets its first event, constant then.
	began results.Stamp // execution, of an init that was sent again the second
	asked results.Stamp // launch
	birth Birth
	ready results.Stamp // first ask for work
	woken results.Stamp // answer to the ask for a restore

	freezer sync.Mutex // held while freezing or thawing
	frozen  bool       // guarded by freezer
}

type unitState uint8

const (
	unitStarting unitState = iota
	unitIdle
	unitBusy
	unitAnswered // its usage is known; idle once it asks for work and its answer was passed on
)

// passLimit bounds how long a caller that is slow to take an answer holds back
// an environment that asks for work.
const passLimit = 10 * time.Millisecond

func newUnit(f *Function, a plane.Action) *unit {
	u := &unit{
		f: f, config: f.config, slots: f.slots, no: a.Unit, id: newEnvironmentID(),
		trigger: a.Trigger, cause: a.Cause, dead: make(chan struct{}), runtimeEnded: make(chan struct{}),
		out: output{log: f.log, keep: f.config.filter()},
	}
	u.stream = u.config.streamName(u.id, time.Now())
	f.revive(u)
	return u
}

// live launches the environment, a second time if its init has to run again, and
// stays with it until its end.
func (u *unit) live() {
	defer u.bury()
	for u.run() {
	}
}

// run is one sandbox of the environment, from its launch to its end. It reports
// whether another is to follow.
func (u *unit) run() (again bool) {
	u.slots <- struct{}{}
	if u.isGone() {
		<-u.slots
		return false
	}
	asked := results.Now()
	box, err := u.f.launcher.Launch(u.f.ctx, Spec{
		ID: u.id, Env: u.environ(), MemoryMB: u.config.MemoryMB, TmpMB: u.config.EphemeralMB,
	})
	<-u.slots
	if err != nil {
		u.setAsked(asked)
		u.f.lose(u, launchFailure(err))
		return false
	}
	defer box.Close()
	if !u.raise(asked, box) {
		box.Stop()
		return false
	}
	<-box.Done()
	exit := box.Exit()
	u.account(exit.Usage)
	u.out.close()
	why := u.blame(exitFailure(exit))
	if u.retried(why) {
		return true
	}
	u.f.lose(u, why)
	u.limit.Stop()
	u.api.Drain(why)
	return false
}

// raise takes a launched sandbox into service. It reports false if the
// environment was discarded meanwhile.
func (u *unit) raise(asked results.Stamp, box Sandbox) bool {
	birth := box.Birth()
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if u.asked == 0 { // of an init that is sent again, all is init
		u.asked, u.birth = asked, birth
	}
	u.began = birth.Exec
	if u.gone {
		birth.Listener.Close()
		return false
	}
	u.box = box
	u.out.heard, u.out.told = u.look, u.tellLines
	u.out.open(birth.Output)
	u.api = api.New(birth.Listener, api.Config{
		FunctionName: u.config.Name, Version: u.config.Version, Handler: u.config.Handler,
		MaxStream: u.config.MaxStream, StreamBurst: u.config.StreamBurst, StreamRate: u.config.StreamRate,
		Ready: u.isReady, Idle: u.isIdle,
		InitError: u.initError,
		SnapStart: u.config.SnapStart, RestoreReady: u.restored, RestoreError: u.initError,

		Extensions: u.config.Extensions, AccountID: Account, Dial: dialer(box),
		Exited: u.exited, ExtensionError: u.extensionError, Registered: u.registered, Subscribed: u.subscribed,
	})
	if u.f.log != nil && u.phase == initOwn {
		u.out.say(u.config.appendStart(nil, u.id))
	}
	u.lines.Store(u.api)
	u.deadline = birth.Exec.Add(u.initLimit())
	u.limit = time.AfterFunc(u.initLimit(), u.late)
	return true
}

func (u *unit) setAsked(at results.Stamp) {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if u.asked == 0 {
		u.asked = at
	}
}

func (u *unit) isGone() bool {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	return u.gone
}

// bury ends the record of a unit of which nothing is left.
func (u *unit) bury() {
	u.f.mu.Lock()
	delete(u.f.dying, u)
	u.f.mu.Unlock()
	close(u.dead)
}

// end stops the environment. What it was doing fails with why. It is called
// after the plane has forgotten the unit.
func (u *unit) end(why *Failure) {
	u.f.mu.Lock()
	box, env := u.box, u.api
	u.f.mu.Unlock()
	if box == nil {
		return // not launched: live sees that it is gone
	}
	env.Fail(why)
	u.shutdown(box, env, why)
	env.Abort(why)
	box.Stop()
}

// fail is for an environment that lives but is of no more use.
func (u *unit) fail(why *Failure) {
	if u.f.lose(u, why) {
		u.end(why)
	}
}

// initError is what the runtime told of its init. Its sandbox is ended aside, since
// the runtime waits for its answer.
func (u *unit) initError(e api.InitError) {
	why := initFailure(e)
	if u.f.lose(u, why) {
		go u.end(why)
	}
}

// late is called when a deadline has come, perhaps one that was moved since.
func (u *unit) late() {
	u.f.mu.Lock()
	starting, due := u.state == unitStarting && u.phase == initOwn, u.deadline != 0 && results.Now() >= u.deadline
	box := u.box
	if due && u.state == unitAnswered && u.asks {
		u.pass()
		due = false
	}
	u.f.mu.Unlock()
	switch {
	case !due:
	case starting:
		if u.look(); u.config.SnapStart {
			u.fail(u.blame(timeoutFailure("Restore", u.config.InitLimit)))
		} else if u.again(u.blame(timeoutFailure("Init", u.initLimit()))) {
			box.Stop() // run goes on from there
		}
	default:
		u.look()
		u.fail(u.blame(timeoutFailure("Task", u.config.Timeout)))
	}
}

// look asks whether the limit on processes was hit, while that can be known.
func (u *unit) look() {
	if !u.crowded.Load() && u.box.Crowded() {
		u.crowded.Store(true)
	}
}

// blame names the limit on processes as the reason of a failure, if it was hit.
func (u *unit) blame(f *Failure) *Failure {
	if u.crowded.Load() && f.Reason != ReasonOutOfMemory {
		f.Reason = ReasonProcessLimit
	}
	return f
}

// isReady is called at the runtime's first ask for work.
func (u *unit) isReady(at results.Stamp) {
	if u.f.log != nil { // before it gets work
		u.out.say(u.config.appendReady(nil, at.Sub(u.began), u.phase))
	}
	u.f.mu.Lock()
	u.ready = at
	env := u.api
	if u.gone {
		u.f.mu.Unlock()
		return
	}
	u.rest()
	u.f.handle(plane.Event{Kind: plane.Ready, Unit: u.no})
	u.f.mu.Unlock()
	if share := u.config.processors(); share > 0 {
		// Aside, since the limit works by periods of 20 ms and the event
		// shouldn't wait for it.
		go u.box.SetCPU(share)
	}
	if env.Telemetry() {
		u.emitReady(env, at)
	}
	u.obey()
}

// isIdle is called at each later ask.
func (u *unit) isIdle(results.Stamp) {
	u.f.mu.Lock()
	u.asks, u.deadline = true, 0
	u.settle()
	u.f.mu.Unlock()
	u.obey()
}

// answered is called once all is known of an invocation that the caller is to
// hear.
func (u *unit) answered() {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if u.gone {
		return
	}
	u.state = unitAnswered
	u.f.settling++
	u.settle()
}

// passedOn is called when the caller has the answer to the invocation before
// which the unit had served so many.
func (u *unit) passedOn(served int) {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if u.served == served+1 { // else it was too slow, and the unit has gone on
		u.pass()
	}
}

// pass doesn't wait for the caller any more. The caller of pass holds the lock.
func (u *unit) pass() {
	u.passed = true
	u.settle()
	if u.freeze {
		go u.obey()
	}
}

// settle releases a unit that has done all that it must, and sets it a limit if
// only its caller is missing. The caller holds the lock.
func (u *unit) settle() {
	switch {
	case u.gone || u.state != unitAnswered || !u.asks:
	case u.passed:
		u.f.settling--
		u.release()
	default:
		u.deadline = results.Now().Add(u.f.patience)
		u.limit.Reset(u.f.patience)
	}
}

// release gives the unit back to the plane. The caller holds the lock.
func (u *unit) release() {
	u.rest()
	u.f.handle(plane.Event{Kind: plane.Done, Unit: u.no})
	u.f.admitWaiters()
}

func (u *unit) rest() {
	u.state, u.deadline = unitIdle, 0
	u.limit.Stop()
}

// begin marks the start of an invocation. The caller holds the lock.
func (u *unit) begin(start results.Start) {
	u.state, u.asks, u.passed = unitBusy, false, false
	u.deadline = u.due(start)
	u.limit.Reset(u.deadline.Sub(results.Now()))
	u.before = u.used.CPU
}

// obey freezes or thaws the environment, as was last asked. A freezer that
// fails leaves the environment as it is: a thaw then fails by the invocation's
// timeout.
func (u *unit) obey() {
	u.freezer.Lock()
	defer u.freezer.Unlock()
	u.f.mu.Lock()
	want, box := u.freeze && !u.gone, u.box
	u.f.mu.Unlock()
	if want == u.frozen {
		return
	}
	var err error
	if want {
		err = box.Freeze()
	} else {
		err = box.Thaw()
	}
	if err == nil {
		u.frozen = want
	}
}

// account takes what the environment has used up to now, and returns the most
// that is known of it and the processor time since the invocation began.
func (u *unit) account(now Usage) (Usage, time.Duration) {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if more := u.past + now.CPU - u.used.CPU; more > 0 {
		u.used.CPU += more
		u.f.cpu += more
	}
	u.used.PeakMemory = max(u.used.PeakMemory, now.PeakMemory)
	return u.used, u.used.CPU - u.before
}
