// Coldstorm measures how a serverless function starts, cold and warm, what a
// storm of triggers does to it, and what every compute model would cost at
// which latency: on one Linux machine, with no cloud account, no Docker and,
// where the kernel allows, no root.
//
// Usage:
//
//	coldstorm run [SCENARIO] [--function DIR|ZIP|IMAGE --payload FILE] [--launcher builtin|process|oci:PATH]
//	coldstorm storm [URL] [--rate 50/1s --duration 10s | --shape burst --n 1000 | ...] [--targets FILE|-] [--output FILE]
//	coldstorm sweep [SCENARIO] --over AXIS[=V1,V2,...]...
//	coldstorm simulate [SCENARIO|TRACE] [--profile RUN | --service TIME --init TIME]
//	coldstorm cost [SCENARIO] [--profile RUN | --service TIME]
//	coldstorm serve [--listen 127.0.0.1:PORT] [--function DIR|ZIP|IMAGE --name NAME]...
//	coldstorm invoke [--function DIR|ZIP|IMAGE | --url URL NAME] [--payload FILE|-] [--tail]
//	coldstorm report RUN...
//	coldstorm gate --base RUN --head RUN
//	coldstorm doctor
//	coldstorm clean
//	coldstorm bench [PART...]
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
	"time"
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

// samePress is how long after the first signal another one is the same request:
// timeout(1) signals the process, then its group.
const samePress = 500 * time.Millisecond

// interruptible returns a context that the first SIGINT, SIGTERM or SIGHUP
// cancels; a second one ends the process at once. A reader that has gone away
// ends nothing: what is measured is still to be written.
func interruptible(parent context.Context, stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	gone := make(chan os.Signal, 1) // notified rather than ignored: what is ignored, functions would inherit
	signal.Notify(gone, syscall.SIGPIPE)
	go func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel(errInterrupted)
		first := time.Now()
		for range signals {
			if time.Since(first) > samePress {
				io.WriteString(stderr, "coldstorm: interrupted twice, giving up\n")
				os.Exit(exitInterrupted)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(gone)
		signal.Stop(signals)
		close(signals)
		cancel(nil)
	}
}
