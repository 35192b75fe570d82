// Coldstorm measures how a serverless function starts, cold and warm, what a
// storm of triggers does to it, and what every compute model would cost at
// which latency: on one Linux machine, with no cloud account, no Docker and,
// where the kernel allows, no root.
//
// Usage:
//
//	coldstorm run [SCENARIO] [--function DIR|ZIP --payload FILE]
//	coldstorm report RUN...
//	coldstorm gate --base RUN --head RUN
//	coldstorm help [COMMAND]
//
// stdout carries the result, stderr the conversation.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the Makefile.
var version = "unknown"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: tests call it too. It returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(context.Background(), stderr)
	defer stop()
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	return exitCode(stderr, a.dispatch(ctx, args))
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels;
// a second one ends the process at once.
func interruptible(parent context.Context, stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel(errInterrupted)
		if _, ok := <-signals; !ok {
			return
		}
		io.WriteString(stderr, "coldstorm: interrupted twice, giving up\n")
		os.Exit(exitInterrupted)
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}
