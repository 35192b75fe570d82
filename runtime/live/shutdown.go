package live

import (
	"syscall"
	"time"

	"coldstorm/runtime/api"
)

// Budgets of the shutdown phase (AWS documentation: "Understanding the Lambda
// execution environment lifecycle"): what is alive after it is killed.
const (
	shutdownNone     = 0                      // no extension
	shutdownInternal = 500 * time.Millisecond // an internal extension: the runtime gets SIGTERM
)

// A signaller is a Sandbox whose first process can be sent a signal.
type signaller interface {
	Signal(syscall.Signal) error
}

// shutdown gives an environment with extensions its shutdown phase: SIGTERM, and
// the time to end by itself. One without any has none.
func (u *unit) shutdown(box Sandbox, env *api.Environment) {
	budget := time.Duration(shutdownNone)
	if env.Extended() {
		budget = shutdownInternal
	}
	s, ok := box.(signaller)
	if budget == 0 || !ok {
		return
	}
	select {
	case <-box.Done():
		return
	default:
	}
	u.freezer.Lock() // and nothing freezes it any more: it is gone
	if u.frozen {
		box.Thaw()
		u.frozen = false
	}
	u.freezer.Unlock()
	if s.Signal(syscall.SIGTERM) != nil {
		return
	}
	over := time.NewTimer(budget)
	defer over.Stop()
	select {
	case <-box.Done():
	case <-over.C:
	}
}
