package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// Budgets of the shutdown phase (AWS documentation: "Understanding the Lambda
// execution environment lifecycle"): what is alive after it is killed. Without
// an extension there is none.
const (
	shutdownInternal = 500 * time.Millisecond // internal extensions: the runtime gets SIGTERM
	shutdownExternal = 2 * time.Second        // external ones get SHUTDOWN, after the runtime has ended
	shutdownRuntime  = 300 * time.Millisecond // the runtime's share of that
)

// A signaller is a Sandbox whose first process can be sent a signal.
type signaller interface {
	Signal(syscall.Signal) error
}

// dialer is how servers in a sandbox are reached, nil if it has no such way.
func dialer(box Sandbox) api.Dial {
	d, ok := box.(interface {
		DialContext(context.Context, string, string) (net.Conn, error)
	})
	if !ok {
		return nil
	}
	return d.DialContext
}

// shutdown gives an environment with extensions its shutdown phase. It is called
// once the plane has forgotten the unit, so that nothing freezes it any more.
func (u *unit) shutdown(box Sandbox, env *api.Environment, why *Failure) {
	s, ok := box.(signaller)
	if !ok || !env.Extended() {
		return
	}
	select {
	case <-box.Done():
		return
	default:
	}
	u.freezer.Lock()
	if u.frozen {
		box.Thaw()
		u.frozen = false
	}
	u.freezer.Unlock()
	if s.Signal(syscall.SIGTERM) != nil {
		return
	}
	if !env.External() {
		within(shutdownInternal, box.Done(), nil)
		return
	}
	over := time.Now().Add(shutdownExternal)
	within(shutdownRuntime, box.Done(), u.runtimeEnded)
	if env.Shutdown(shutdownReason(why), over) {
		within(time.Until(over), box.Done(), nil)
	}
}

// within waits for one of two channels, but no longer than d.
func within(d time.Duration, a, b <-chan struct{}) {
	over := time.NewTimer(d)
	defer over.Stop()
	select {
	case <-a:
	case <-b:
	case <-over.C:
	}
}

func shutdownReason(why *Failure) string {
	switch {
	case errors.Is(why, errDiscarded):
		return "spindown"
	case why.Outcome == results.OutcomeTimedOut:
		return "timeout"
	}
	return "failure"
}

// exited is told by a supervisor how the runtime or an extension ended. Before
// the shutdown phase that is the environment's end.
func (u *unit) exited(x api.Exit) {
	var why *Failure
	switch {
	case x.Name == "":
		why = exitFailure(Exit{Code: x.Code, Signal: syscall.Signal(x.Signal)})
		if x.Why != "" {
			why = failed("Runtime.InvalidEntrypoint", x.Why)
		}
		u.endOnce.Do(func() { close(u.runtimeEnded) })
	case x.Why != "":
		why = failed("Extension.LaunchError", x.Why)
	default:
		how := fmt.Sprintf("exit code %d", x.Code)
		if x.Signal != 0 {
			how = "signal: " + syscall.Signal(x.Signal).String()
		}
		why = failed("Extension.Crash", fmt.Sprintf("extension %s ended: %s", x.Name, how))
	}
	// Aside: the supervisor's other reports come on connections of their own, but
	// it waits for this one's answer.
	go u.fail(u.blame(why))
}

func (u *unit) extensionError(e api.ExtensionError) {
	go u.fail(failed(e.Kind, fmt.Sprintf("extension %s: %s", e.Name, e.Type)))
}
