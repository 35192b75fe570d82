package main

import (
	"context"

	"github.com/spf13/pflag"

	"coldstorm/runtime/engine"
	"coldstorm/runtime/launch"
)

// Coldstorm's other processes are this binary again, under a verb that is not
// for people: the generator must not be delayed by a burst of launches, and a
// process with many threads can't enter a user namespace.

var engineCommand = command{
	name: "__engine", hidden: true,
	setup: func(*pflag.FlagSet) func(context.Context, *app, []string) error {
		return func(_ context.Context, a *app, _ []string) error {
			return ended(engine.Serve(a.stdin, a.stdout, a.stderr))
		}
	},
}

var launcherCommand = command{
	name: "__launcher", hidden: true,
	setup: func(*pflag.FlagSet) func(context.Context, *app, []string) error {
		return func(context.Context, *app, []string) error { return ended(launch.Daemon()) }
	},
}

// ended is the exit code of a process that has said all that there is to say.
func ended(code int) error {
	if code == exitPass {
		return nil
	}
	return exitError{code: code}
}
