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
	gone     bool            // the plane has forgotten it
	up       bool            // it has been ready
	joined   []plane.Trigger // that wait for its start beside trigger
	stays    []*stay         // invocations that are in it
	asks     int             // for work, each of which gives the place of a stay back
	served   int
	freeze   bool // it should be frozen
	deadline results.Stamp
	limit    *time.Timer // fires at the deadline of init
	box      Sandbox     // nil until launched
	api      *api.Environment
	used     Usage         // as last seen
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
	u.leave()
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
		MaxConcurrency: u.config.MaxConcurrency,
		MaxStream:      u.config.MaxStream, StreamBurst: u.config.StreamBurst, StreamRate: u.config.StreamRate,
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
	u.limit = time.AfterFunc(u.initLimit(), u.initLate)
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

// initLate is called when the deadline of an init has come.
func (u *unit) initLate() {
	u.f.mu.Lock()
	due, own := !u.up && u.deadline != 0 && results.Now() >= u.deadline, u.phase == initOwn
	box := u.box
	u.f.mu.Unlock()
	switch {
	case !due:
	case own:
		if u.look(); u.config.SnapStart {
			u.fail(u.blame(restoreTimeout(u.config.InitLimit)))
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
	env, gone := u.api, u.gone
	u.f.mu.Unlock()
	if !gone && env.Telemetry() { // likewise
		u.emitReady(env, at)
	}
	u.f.mu.Lock()
	u.ready = at
	if u.gone {
		u.f.mu.Unlock()
		return
	}
	u.up, u.deadline = true, 0
	u.limit.Stop()
	u.f.room += u.config.places()
	u.f.handle(plane.Event{Kind: plane.Ready, Unit: u.no})
	tell(u.f.readied, struct{}{})
	u.f.mu.Unlock()
	if share := u.config.processors(); share > 0 {
		// Aside, since the limit works by periods of 20 ms and the event
		// shouldn't wait for it.
		go u.box.SetCPU(share)
	}
	u.obey()
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
// that is known of it.
func (u *unit) account(now Usage) Usage {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if more := u.past + now.CPU - u.used.CPU; more > 0 {
		u.used.CPU += more
		u.f.cpu += more
	}
	u.used.PeakMemory = max(u.used.PeakMemory, now.PeakMemory)
	return u.used
}
