package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

// app is what every command gets: where to read and write.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// command is a verb of the command line. Commands are data, in the order of
// the help, in the manner of the go command.
type command struct {
	name   string
	args   string // in the usage line, after the name
	short  string // one line
	long   string // paragraphs, with examples
	hidden bool   // a process of coldstorm's own, not for people
	vegeta bool   // takes flags of one dash too

	// setup declares the flags and returns what runs once they are parsed.
	setup func(f *pflag.FlagSet) func(ctx context.Context, a *app, args []string) error
}

// commands lists every command.
func commands() []command {
	return []command{
		runCommand, stormCommand, sweepCommand, simulateCommand, costCommand, serveCommand, invokeCommand, reportCommand, gateCommand, doctorCommand, cleanCommand, benchCommand, versionCommand, helpCommand(),
		engineCommand, launcherCommand, nullCommand,
	}
}

func (a *app) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		usage(a.stderr)
		return exitError{code: exitUsage}
	}
	switch args[0] {
	case "-h", "--help":
		args[0] = "help"
	case "--version":
		args[0] = "version"
	}
	cmd, ok := findCommand(args[0])
	if !ok {
		return usageError("'coldstorm help' lists the commands", "unknown command %q%s", args[0], meant(args[0]))
	}
	flags := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	exec := cmd.setup(flags)
	args = args[1:]
	if cmd.vegeta {
		args = doubled(flags, args)
	}
	if err := flags.Parse(args); errors.Is(err, pflag.ErrHelp) {
		cmd.help(a.stdout, flags)
		return nil
	} else if err != nil {
		return usageError(fmt.Sprintf("'coldstorm %s --help' lists its flags", cmd.name), "%s: %w", cmd.name, err)
	}
	return exec(ctx, a, flags.Args())
}

func findCommand(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// meant guesses which command a mistyped one was.
func meant(name string) string {
	for _, c := range commands() {
		if !c.hidden && len(name) > 1 && (strings.HasPrefix(c.name, name) || strings.HasPrefix(name, c.name)) {
			return fmt.Sprintf(", did you mean %q?", c.name)
		}
	}
	return ""
}

func (c command) help(w io.Writer, flags *pflag.FlagSet) {
	fmt.Fprintf(w, "usage: coldstorm %s\n\n%s\n", strings.TrimSpace(c.name+" "+c.args), strings.TrimSpace(c.long))
	if flags.HasAvailableFlags() {
		fmt.Fprintf(w, "\nFlags:\n%s", flags.FlagUsages())
	}
}

func usage(w io.Writer) {
	fmt.Fprint(w, "coldstorm measures cold and warm starts of a serverless function, and prices every compute model.\n\nusage: coldstorm COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		if !c.hidden {
			fmt.Fprintf(w, "  %-9s %s\n", c.name, c.short)
		}
	}
	fmt.Fprint(w, `
'coldstorm help COMMAND' says more, 'coldstorm help exit-codes' what the exit code means,
'coldstorm help triggers' how events reach functions.
`)
}

// helpCommand is a function because help itself reads the list that it is in.
func helpCommand() command {
	return command{
		name: "help", args: "[COMMAND|exit-codes|triggers]", short: "say more of a command",
		long: "Help prints what a command does, its flags and examples.",
		setup: func(*pflag.FlagSet) func(context.Context, *app, []string) error {
			return func(_ context.Context, a *app, args []string) error { return help(a, args) }
		},
	}
}

func help(a *app, args []string) error {
	if len(args) == 0 {
		usage(a.stdout)
		return nil
	}
	if args[0] == "exit-codes" {
		fmt.Fprint(a.stdout, exitCodesHelp)
		return nil
	}
	if args[0] == "triggers" {
		fmt.Fprint(a.stdout, triggersHelp)
		return nil
	}
	cmd, ok := findCommand(args[0])
	if !ok || cmd.hidden {
		return usageError("'coldstorm help' lists the commands", "no help on %q%s", args[0], meant(args[0]))
	}
	flags := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
	flags.SortFlags = false
	cmd.setup(flags)
	cmd.help(a.stdout, flags)
	return nil
}

var versionCommand = command{
	name: "version", short: "print the version",
	long: "Version prints the version that this binary was built from.",
	setup: func(*pflag.FlagSet) func(context.Context, *app, []string) error {
		return func(_ context.Context, a *app, args []string) error {
			if len(args) > 0 {
				return usageError("", "version takes no arguments")
			}
			_, err := fmt.Fprintln(a.stdout, "coldstorm", version)
			return err
		}
	},
}

const exitCodesHelp = `Exit codes, the same for every command:

    0  pass: done, or no regression found
    1  regression: a gate found one, and --enforce was given
    2  usage: bad flags, scenario or input; nothing was measured
    3  inconclusive: a gate could not tell
    4  invalid: the run failed, or its figures can't be used
  130  interrupted: stopped on request; what was measured is kept
`
