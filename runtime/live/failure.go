package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// Failure is why an invocation got no response from its function.
type Failure struct {
	Type    string // as Lambda names it, such as Runtime.ExitError
	Message string // without the request id
	Reason  string // what a report counts it as: Type, OutOfMemory, ProcessLimit or SnapStartTimeoutException
	Payload []byte // the function's own JSON, where it gave one
	Outcome results.Outcome

	restore bool // a restore took longer than its limit
}

func (f *Failure) Error() string { return f.Type + ": " + f.Message }

// body is what the caller gets.
func (f *Failure) body(request string) []byte {
	if f.Payload != nil {
		return f.Payload
	}
	b, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{f.Type, "RequestId: " + request + " Error: " + f.Message})
	if err != nil {
		panic(err) // two strings always marshal
	}
	return b
}

func failed(kind, message string) *Failure {
	return &Failure{Type: kind, Message: message, Reason: kind, Outcome: results.OutcomeFailed}
}

// ReasonOutOfMemory is the reason of an invocation whose environment was killed
// for its memory; its error type is Runtime.ExitError, as on Lambda.
const ReasonOutOfMemory = "OutOfMemory"

// ReasonProcessLimit is the reason of an invocation whose environment died or
// timed out after its limit on processes and threads had refused one (AWS Lambda
// quotas: 1,024). The error type is that of any such end, as on Lambda. It is
// seen in a living environment only: when it times out, and whenever it writes
// to stderr, as those do that die of it.
const ReasonProcessLimit = "ProcessLimit"

// exitFailure says how a process ended, in Lambda's words.
func exitFailure(x Exit) *Failure {
	switch {
	case x.OOM:
		f := failed("Runtime.ExitError", "Runtime exited with error: signal: killed")
		f.Reason = ReasonOutOfMemory
		return f
	case x.Signal != 0:
		return failed("Runtime.ExitError", "Runtime exited with error: signal: "+x.Signal.String())
	case x.Code != 0:
		return failed("Runtime.ExitError", fmt.Sprintf("Runtime exited with error: exit status %d", x.Code))
	}
	return failed("Runtime.ExitError", "Runtime exited without providing a reason")
}

func timeoutFailure(what string, after time.Duration) *Failure {
	f := failed("Sandbox.Timedout", fmt.Sprintf("%s timed out after %.2f seconds", what, after.Seconds()))
	f.Outcome = results.OutcomeTimedOut
	return f
}

// reasonRestoreTimeout is the reason of an invocation whose environment wasn't restored
// in time: the error that Lambda's API answers it with (AWS API reference: Invoke).
const reasonRestoreTimeout = "SnapStartTimeoutException"

// restoreTimeout is the failure of a restore that took longer than its limit.
func restoreTimeout(after time.Duration) *Failure {
	f := timeoutFailure("Restore", after)
	f.restore, f.Reason = true, reasonRestoreTimeout
	return f
}

func launchFailure(err error) *Failure {
	if errors.Is(err, ErrEntrypoint) {
		return failed("Runtime.InvalidEntrypoint", err.Error())
	}
	return failed("Sandbox.Failure", err.Error())
}

func initFailure(e api.InitError) *Failure {
	f := failed(e.Type, "init failed")
	if len(e.Payload) > 0 {
		f.Payload = e.Payload
	}
	return f
}

var (
	errDiscarded = failed("Sandbox.Failure", "environment was discarded")
	errClosed    = failed("Sandbox.Failure", "function is closed")
)

// asFailure turns what ended an invocation into a Failure.
func asFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return failed("Sandbox.Failure", err.Error())
}
