package live

import (
	"slices"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
)

// A stay is an invocation's in an environment. It has one of its places from when the
// plane sends it there until its outcome is known, has been passed on to its caller, and
// the runtime has asked for work again. With several in an environment nobody knows whose
// ask is whose: each gives one place back.
type stay struct {
	request string
	trigger plane.Trigger
	due     results.Stamp
	limit   *time.Timer   // fires at due, and then as the caller is slow to take an answer
	before  time.Duration // processor time of the environment when it began

	// Guarded by Function.mu.
	over     bool // its outcome is known
	settling bool // by an answer: its runtime is about to ask for work
	passed   bool // its outcome has been passed on
	waited   bool // limit is for the caller
	left     bool // its place is another's
}

// passLimit bounds how long a caller that is slow to take an answer holds back
// an environment that asks for work.
const passLimit = 10 * time.Millisecond

// begin lets an invocation in. The caller holds the lock.
func (u *unit) begin(t *trigger, a assignment) *stay {
	s := &stay{request: t.request, trigger: t.id, due: u.due(a), before: u.used.CPU}
	s.limit = time.AfterFunc(s.due.Sub(results.Now()), func() { u.late(s) })
	u.stays = append(u.stays, s)
	return s
}

// isIdle is called at each later ask for work.
func (u *unit) isIdle(results.Stamp) {
	u.f.mu.Lock()
	u.asks++
	u.settle()
	u.f.mu.Unlock()
	u.obey()
}

// ended is called once all is known of an invocation that the caller is to hear.
// answered says that it ended by an answer, and delivered that the runtime has seen its
// event.
func (u *unit) ended(s *stay, answered, delivered bool) {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if u.gone {
		return
	}
	s.over = true
	if !delivered && !answered { // no ask will follow
		u.release(s)
		return
	}
	if s.settling = answered; answered {
		u.f.settling++
	}
	u.settle()
}

// passedOn is called when the caller has the outcome.
func (u *unit) passedOn(s *stay) {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	u.pass(s)
}

// pass doesn't wait for the caller any more. The caller of pass holds the lock.
func (u *unit) pass(s *stay) {
	if s.passed || s.left {
		return
	}
	s.passed = true
	u.settle()
	if u.freeze {
		go u.obey()
	}
}

// settle gives places back for asks, and sets a limit to callers if they alone are
// missing. The caller holds the lock.
func (u *unit) settle() {
	for u.asks > 0 && !u.gone {
		i := slices.IndexFunc(u.stays, func(s *stay) bool { return s.over && s.passed })
		if i < 0 {
			break
		}
		u.asks--
		u.release(u.stays[i])
	}
	for _, s := range u.stays {
		if u.asks > 0 && s.over && !s.waited && !u.gone {
			s.waited = true
			s.limit.Reset(u.f.patience)
		}
	}
}

// release gives an invocation's place back to the plane. The caller holds the lock.
func (u *unit) release(s *stay) {
	s.left = true
	s.limit.Stop()
	u.stays = slices.DeleteFunc(u.stays, func(x *stay) bool { return x == s })
	if s.settling {
		u.f.settling--
	}
	u.f.room++
	u.f.handle(plane.Event{Kind: plane.Done, Unit: u.no, Trigger: s.trigger})
	u.f.admitWaiters()
}

// late is called when an invocation's time is over, or its caller's. A timeout ends its
// environment, but on Managed Instances: there it ends the invocation alone, whose handler
// goes on in its place until it is done (AWS documentation: "Understanding the Lambda
// Managed Instances execution environment").
func (u *unit) late(s *stay) {
	u.f.mu.Lock()
	env, due := u.api, !u.gone && !s.left
	switch {
	case !due:
	case s.over && u.asks > 0:
		u.pass(s)
		due = false
	case u.config.managed():
		due = !s.over
	default:
		due = u.asks == 0 // else its answer is about to be known
	}
	u.f.mu.Unlock()
	switch {
	case !due:
	case u.config.managed():
		env.AbortOne(s.request, timeoutFailure("Task", u.config.Timeout))
	default:
		u.look()
		u.fail(u.blame(timeoutFailure("Task", u.config.Timeout)))
	}
}

// leave stops the clocks of a dead environment's invocations.
func (u *unit) leave() {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	for _, s := range u.stays {
		s.limit.Stop()
	}
}
