package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// SnapStart: a function's init runs once, as it is published, up to its runtime's ask
// restore/next; its environments are restored from there (AWS documentation: "Improving
// startup performance with Lambda SnapStart"). How a process is restored is the
// launcher's business.

// restoreLimit bounds a restore with its hooks (AWS documentation: "Handling runtime
// exceptions" of SnapStart).
const restoreLimit = 10 * time.Second

// publishLimit is the least that an init may take that is published (AWS
// documentation: "Understanding the Lambda execution environment lifecycle").
const publishLimit = 130 * time.Second

// Publish starts a sandbox of l, has the function of c initialise itself there, and
// calls take with it as its runtime waits for the restore. It returns how long the init
// took. The sandbox has ended by then.
func Publish(ctx context.Context, l Launcher, c Config, take func(Sandbox) error) (took time.Duration, err error) {
	c.SnapStart = true
	c = c.withDefaults()
	c.InitLimit = max(publishLimit, c.Timeout)
	took, err = upToRestore(ctx, l, c, take)
	if err != nil {
		return took, fmt.Errorf("publish %s: %w", c.Name, err)
	}
	return took, nil
}

// Rehearse restores an environment that l starts, but doesn't wake it: no hook runs. The
// error says what keeps environments of this function from being restored on this host.
func Rehearse(ctx context.Context, l Launcher, c Config) error {
	c.Log, c.SnapStart = nil, true
	_, err := upToRestore(ctx, l, c.withDefaults(), nil)
	if err != nil {
		return fmt.Errorf("restore %s: %w", c.Name, err)
	}
	return nil
}

// upToRestore is one environment up to its ask for the restore. take, unless nil, is
// called then.
func upToRestore(ctx context.Context, l Launcher, c Config, take func(Sandbox) error) (took time.Duration, err error) {
	log := NewLog(c.Log)
	defer func() { err = errors.Join(err, log.Close()) }()
	box, err := l.Launch(ctx, Spec{ID: newEnvironmentID(), Env: c.environ(""), MemoryMB: c.MemoryMB, TmpMB: c.EphemeralMB})
	if err != nil {
		return 0, err
	}
	defer box.Close()
	birth, out := box.Birth(), output{log: log, keep: c.filter()}
	out.say(c.appendInitStart(nil, ""))
	out.open(birth.Output)
	defer out.close()
	defer box.Stop()
	ready, failed := make(chan results.Stamp, 1), make(chan *Failure, 2)
	env := api.New(birth.Listener, api.Config{
		FunctionName: c.Name, Version: c.Version, Handler: c.Handler, SnapStart: true,
		RestoreReady: func(at results.Stamp) { ready <- at },
		InitError:    func(e api.InitError) { failed <- initFailure(e) },
		Ready:        func(results.Stamp) { failed <- errNoAsk },
	})
	defer env.Close()
	limit := time.NewTimer(c.InitLimit)
	defer limit.Stop()
	var why *Failure
	select {
	case at := <-ready:
		took = at.Sub(birth.Exec)
		out.say(c.appendPublished(nil, took))
		if take == nil {
			return took, nil
		}
		return took, take(box)
	case why = <-failed:
	case <-box.Done():
		why = exitFailure(box.Exit())
		select {
		case why = <-failed: // it had said so before
		default:
			out.catchUp()
			if said := bytes.TrimSpace(out.last()); len(said) > 0 {
				why.Message += ": " + string(said[bytes.LastIndexByte(said, '\n')+1:])
			}
		}
	case <-limit.C:
		why = timeoutFailure("Init", c.InitLimit)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	out.say(c.appendInitEnd(nil, results.Now().Sub(birth.Exec), initOwn, why))
	if why.Payload != nil {
		return 0, fmt.Errorf("init failed: %s", why.Payload)
	}
	return 0, fmt.Errorf("init: %w", why)
}

// errNoAsk is the failure of a runtime that knows nothing of restores.
var errNoAsk = failed("Runtime.Unknown", "its runtime asked for work, not for the restore: it doesn't know of SnapStart")

// appendPublished is the line of an init that went well.
func (c Config) appendPublished(b []byte, took time.Duration) []byte {
	if c.inJSON() {
		return c.appendInitEnd(b, took, initOwn, nil)
	}
	return fmt.Appendf(b, "INIT_REPORT Init Duration: %.2f ms\n", ms(took))
}

// appendStart is the line that begins an init or a restore, where the runtime's version
// is known.
func (c Config) appendStart(b []byte, id string) []byte {
	if !c.SnapStart {
		return c.appendInitStart(b, id)
	}
	if c.inJSON() {
		return c.event(b, c.versioned(), "platform.restoreStart", time.Now(), c.version(record{
			"functionName": c.Name, "functionVersion": c.Version, "instanceId": id, "instanceMaxMemory": c.MemoryMB << 20,
		}))
	}
	if c.RuntimeVersion == "" {
		return b
	}
	return fmt.Appendf(b, "RESTORE_START Runtime Version: %s\tRuntime Version ARN: %s\n", c.RuntimeVersion, c.RuntimeVersionARN)
}

// appendReady is the lines of an init or a restore that went well.
func (c Config) appendReady(b []byte, took time.Duration, p initPhase) []byte {
	if c.SnapStart {
		return c.appendRestoreEnd(b, took, nil)
	}
	return c.appendInitEnd(b, took, p, nil)
}

// restored is called as the runtime asks for its restore: that is what has happened.
func (u *unit) restored(at results.Stamp) {
	u.f.mu.Lock()
	u.woken = at
	u.f.mu.Unlock()
	u.api.Restore()
}

// appendFailedStart is the line of an init, or a restore, that failed.
func (u *unit) appendFailedStart(b []byte, res Result) []byte {
	if u.config.SnapStart {
		return u.config.appendRestoreEnd(b, res.Evidence.Phases.Restore, res.failure)
	}
	return u.config.appendInitEnd(b, res.lastInit(u), u.phase, res.failure)
}

// restore names the phase that stands in the place of init.
func (u *unit) restore(e *results.Evidence) {
	if u.config.SnapStart {
		e.Phases.Restore = e.Phases.InitDuration()
		e.Phases.RuntimeInit, e.Phases.FunctionInit, e.Phases.Init = 0, 0, 0
	}
}

// billedRestore is what of a restore is billed: that the runtime runs, with its hooks.
func (u *unit) billedRestore(e results.Evidence) time.Duration {
	if !u.config.SnapStart || e.Start == results.StartWarm {
		return 0
	}
	return u.ready.Sub(u.woken)
}
