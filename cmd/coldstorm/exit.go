package main

import (
	"errors"
	"fmt"
	"io"
)

// Exit codes, the same for every command.
const (
	exitPass         = 0
	exitRegression   = 1   // a gate found one, and --enforce was given
	exitUsage        = 2   // bad flags, scenario or input; nothing was measured
	exitInconclusive = 3   // a gate could not tell
	exitInvalid      = 4   // the run failed, or its figures can't be used
	exitInterrupted  = 130 // stopped on request; what was measured is kept
)

// errInterrupted is the cause of a context that a signal cancelled.
var errInterrupted = errors.New("interrupted")

// exitError is an error that knows its exit code, and a hint for a person.
type exitError struct {
	code int
	err  error  // nil: the code alone, everything was said
	hint string // what to do about it
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usageError is a mistake in what the person asked for.
func usageError(hint, format string, args ...any) error {
	return exitError{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// exitCode prints err, if any, and decides the exit code: the one place that
// does.
func exitCode(stderr io.Writer, err error) int {
	if err == nil {
		return exitPass
	}
	code, hint := exitInvalid, ""
	var e exitError
	if errors.As(err, &e) {
		code, hint = e.code, e.hint
	} else if errors.Is(err, errInterrupted) {
		code = exitInterrupted
	}
	if !errors.As(err, &e) || e.err != nil {
		fmt.Fprintf(stderr, "coldstorm: %v\n", err)
	}
	if hint != "" {
		fmt.Fprintf(stderr, "  hint: %s\n", hint)
	}
	return code
}
