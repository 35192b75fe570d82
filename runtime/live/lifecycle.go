package live

import (
	"fmt"
	"time"

	"coldstorm/results"
)

// initPhase says in which phase of its life an environment's init runs (AWS
// documentation: "Understanding the Lambda execution environment lifecycle").
type initPhase uint8

const (
	// initOwn is a phase of its own, before any invocation, with InitLimit.
	initOwn initPhase = iota
	// initAgain is an init that had gone over its limit: it runs once more as a
	// part of the first invocation, under the function's timeout.
	initAgain
	// initSuppressed follows a crash or a timeout: the environment was reset, and
	// init runs as a part of the next invocation, with no line of its own.
	initSuppressed
)

// remains is what a reset keeps of an environment.
type remains struct {
	id  string
	log string // stream's name
}

// keep puts an environment's remains aside for the next start. The caller holds
// the lock.
func (f *Function) keep(u *unit) {
	if u.config.SnapStart || u.config.managed() { // another is restored, or started anew
		return
	}
	if k, ok := u.box.(interface{ Keep() }); ok {
		k.Keep() // its /tmp
	}
	f.crashed = append(f.crashed, remains{u.id, u.stream})
}

// revive makes u the continuation of an environment that crashed, if there is
// one. The caller holds the lock.
func (f *Function) revive(u *unit) {
	if u.cause != results.CauseCrashed || len(f.crashed) == 0 {
		return
	}
	r := f.crashed[len(f.crashed)-1]
	f.crashed = f.crashed[:len(f.crashed)-1]
	u.id, u.stream, u.phase = r.id, r.log, initSuppressed
}

// initLimit is how long an init may take in its phase. The caller holds the lock
// or is alone.
func (u *unit) initLimit() time.Duration {
	switch {
	case u.cause == results.CauseProvisioned:
		return max(u.config.InitLimit, provisionedInit, u.config.Timeout)
	case u.phase == initOwn:
		return u.config.InitLimit
	}
	return u.config.Timeout
}

// again sends an init that is late, or failed where the configuration says so,
// once more. It reports whether it does: an init has one such chance, in its own
// phase.
func (u *unit) again(why *Failure) bool {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	if u.gone || u.up || u.phase != initOwn || u.retry != nil || u.config.SnapStart {
		return false
	}
	u.retry = why
	return true
}

// retried ends an init's first attempt, once its sandbox has ended. It reports
// whether there is a second one.
func (u *unit) retried(exit *Failure) bool {
	if u.config.RerunFailedInit {
		u.again(exit)
	}
	u.f.mu.Lock()
	why := u.retry
	if u.gone || why == nil || u.phase != initOwn {
		u.f.mu.Unlock()
		return false
	}
	if k, ok := u.box.(interface{ Keep() }); ok {
		k.Keep()
	}
	u.phase = initAgain
	u.past = u.used.CPU
	env, took := u.api, results.Now().Sub(u.birth.Exec)
	u.box, u.api = nil, nil
	u.f.mu.Unlock()
	u.limit.Stop()
	env.Drain(why)
	if u.f.log != nil {
		u.out.say(u.config.appendInitEnd(nil, took, initOwn, why))
	}
	return true
}

// due is the moment at which an invocation is to have ended: its timeout from
// its delivery, or, if an init is a part of it, from the beginning of that. The
// caller holds the lock.
func (u *unit) due(a assignment) results.Stamp {
	from := results.Now()
	if a.start != results.StartWarm && u.phase != initOwn && !a.joined {
		from = u.began
	}
	return from.Add(u.config.Timeout)
}

// within is how much of an invocation's Duration was init.
func (u *unit) within(start results.Start) time.Duration {
	if start == results.StartWarm || u.phase == initOwn {
		return 0
	}
	return u.ready.Sub(u.began)
}

// since is how much of an invocation that ended with its init was init.
func (u *unit) since(end results.Stamp) time.Duration {
	if u.phase == initOwn {
		return 0
	}
	return end.Sub(u.began)
}

// appendInitReport is the line of an init that failed (AWS documentation:
// "Understanding the Lambda execution environment lifecycle").
func appendInitReport(b []byte, took time.Duration, phase initPhase, why *Failure) []byte {
	name := "init"
	if phase != initOwn {
		name = "invoke"
	}
	return fmt.Appendf(b, "INIT_REPORT Init Duration: %.2f ms\tPhase: %s\t%s\n", ms(took), name, why.status())
}

// status is how Lambda's lines name the failure.
func (f *Failure) status() string {
	if f.Outcome == results.OutcomeTimedOut {
		return "Status: timeout"
	}
	return "Status: error\tError Type: " + f.Type
}

// AppendRestoreReport is the line that ends a restore from a snapshot. A nil why
// is a restore that went well.
func AppendRestoreReport(b []byte, took time.Duration, why *Failure) []byte {
	b = fmt.Appendf(b, "RESTORE_REPORT Restore Duration: %.2f ms", ms(took))
	if why != nil {
		b = append(append(b, '\t'), why.status()...)
	}
	return append(b, '\n')
}

// appendInitStart is the line that begins an init, where the runtime's version is
// known.
func (c Config) appendInitStart(b []byte, id string) []byte {
	if c.inJSON() {
		return c.event(b, c.versioned(), "platform.initStart", time.Now(), c.initStartRecord(id, initOwn))
	}
	if c.RuntimeVersion == "" {
		return b
	}
	return fmt.Appendf(b, "INIT_START Runtime Version: %s\tRuntime Version ARN: %s\n", c.RuntimeVersion, c.RuntimeVersionARN)
}
