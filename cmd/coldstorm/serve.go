package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/runtime/engine"
	"coldstorm/workloads"
)

var serveCommand = command{
	name: "serve", args: "[--listen 127.0.0.1:PORT] [--function DIR|ZIP|IMAGE --name NAME]...", short: "be a local Lambda endpoint for the aws CLI and SDKs",
	long: `
Serve answers the Lambda API on this machine, so that the aws CLI, the SDKs and
what is built on them can create, change and invoke functions without an account:
zips (create-function --zip-file) and images (--code ImageUri=PATH or a reference
to a registry), versions, aliases, concurrency, asynchronous and streamed
invocations, function URLs. Requests are not authenticated, so it listens on
loopback alone.

stdout says how to point clients at it; START, END and REPORT lines and what
functions write go to stderr. It ends on Ctrl-C or SIGTERM, which is its ordinary
end, and leaves nothing behind: no process, no function.

--function takes what 'coldstorm run' takes, and may be given more than once; a
--name names the one before it, which is else called after its path.

Functions can also be triggered by events: messages of queues (the API of SQS is
served too, and event source mappings poll them), objects created in a folder, and
schedules. --queue, --bucket and --schedule make such a source for a function of
--function or a bundled one (thumbnail, hello); 'coldstorm help triggers' has their
settings. How long events took on each part of their way is written at the end.

Throttles follow AWS's rules: --concurrency for all functions, of which functions
may reserve a part, ten requests a second for each, and for each function new
environments by a bucket of --scale-out-burst that --scale-out-rate refills.

An environment serves one invocation at a time. With --environment-concurrency those of
--function and bundled functions take several, as on Lambda Managed Instances: for runtimes
that ask for work in parallel, as AWS's client for Go does and the handlers in Python (in as
many processes) and Node.js. Functions that clients create take as many as their
CapacityProviderConfig says.

Examples:

    coldstorm serve
    coldstorm serve --listen 127.0.0.1:9001 --function ./fn --name hello
    aws lambda invoke --function-name hello --log-type Tail out.json # with what it printed
    coldstorm serve --function ./fn --environment-concurrency 16
    coldstorm serve --bucket photos=thumbnail,output=thumbs,field=image
    coldstorm serve --function ./fn --queue orders=fn,batch=100,window=5s
    coldstorm serve --schedule 'rate(1 minute)=hello'`,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		var o serveOptions
		f.StringVar(&o.listen, "listen", "127.0.0.1:3001", "`address` of loopback to listen on; port 0 is a free one")
		f.Var((*pathFlag)(&o.functions), "function", "`directory` or zip with a bootstrap, or container image, to begin with; may be repeated")
		f.Var((*nameFlag)(&o.functions), "name", "`name` of the --function before it; its path's last part by default")
		o.flags(f)
		f.IntVar(&o.concurrency, "concurrency", 1000, "invocations at once, of all functions")
		f.Float64Var(&o.burst, "scale-out-burst", 1000, "`environments` that a function may start at once; -1: no bound")
		f.Float64Var(&o.rate, "scale-out-rate", 100, "environments a second that are added to that")
		f.DurationVar(&o.keepAlive, "keep-alive", 10*time.Minute, "idle `time` after which an environment is reclaimed")
		f.StringVar(&o.routing, "routing", mostRecent, "idle environment that `serves` next: most-recent, which has been idle shortest, or least-recent; of several invocations in one: the fullest with room, or the emptiest")
		f.IntVar(&o.perEnvironment, "environment-concurrency", 0, "`invocations` that an environment of each --function serves at once, by the rules of Lambda Managed Instances; 0: one, by Lambda's own")
		f.DurationVar(&o.retry, "retry-delay", time.Minute, "`time` before an asynchronous event that failed is tried again; the second retry waits twice as long")
		f.Var(&o.triggers.queues, "queue", "`NAME=FUNCTION[,...]`: a queue whose messages the function handles, FIFO if its name ends with .fifo; may be repeated")
		f.Var(&o.triggers.buckets, "bucket", "`FOLDER=FUNCTION[,...]`: a folder, the function is told of each file in it; may be repeated")
		f.Var(&o.triggers.schedules, "schedule", "`EXPRESSION=FUNCTION[,...]`: rate(...) or cron(...) and what is then invoked; may be repeated")
		return func(ctx context.Context, a *app, args []string) error {
			if len(args) > 0 {
				return usageError("functions are given with --function", "serve takes no arguments, such as %q", args[0])
			}
			return o.do(ctx, a)
		}
	},
}

// serveOptions are the flags of serve.
type serveOptions struct {
	local
	listen           string
	functions        []startFunction
	concurrency      int
	perEnvironment   int
	burst, rate      float64
	keepAlive, retry time.Duration
	routing          string
	triggers         triggers
}

// The orders of routing. AWS doesn't say which is Lambda's; the first was measured to be
// (facts of Lambda's life cycle: one of many idle environments serves nearly all).
const (
	mostRecent  = "most-recent"
	leastRecent = "least-recent"
)

// startFunction is a function that serve is given.
type startFunction struct{ path, name string }

// pathFlag and nameFlag are one list, to which a path adds and whose last a name
// names.
type (
	pathFlag []startFunction
	nameFlag []startFunction
)

func (f *pathFlag) String() string { return "" }
func (f *pathFlag) Type() string   { return "path" }
func (f *pathFlag) Set(s string) error {
	if s == "" {
		return errors.New("it is empty: is a variable of your shell empty?")
	}
	*f = append(*f, startFunction{path: s})
	return nil
}

func (f *nameFlag) String() string { return "" }
func (f *nameFlag) Type() string   { return "name" }
func (f *nameFlag) Set(s string) error {
	if len(*f) == 0 || (*f)[len(*f)-1].name != "" {
		return errors.New("there is no --function before it that it could name")
	}
	(*f)[len(*f)-1].name = s
	return nil
}

func (o *serveOptions) check() error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usageError("such as 127.0.0.1:3001", "--listen %s: %w", o.listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError("requests are not authenticated: anybody who reaches the address could run programs here", "--listen %s is not an address of loopback", o.listen)
	}
	switch {
	case o.concurrency < 1:
		return usageError("", "--concurrency %d is not positive", o.concurrency)
	case o.perEnvironment < 0 || o.perEnvironment > workloads.MaxPerEnvironment:
		return perEnvironmentError(o.perEnvironment)
	case o.burst == 0 || o.rate <= 0:
		return usageError("-1 is no bound", "--scale-out-burst and --scale-out-rate must not be 0")
	case o.routing != mostRecent && o.routing != leastRecent:
		return usageError("one of "+mostRecent+" and "+leastRecent, "--routing %q is no order", o.routing)
	case o.keepAlive <= 0 || o.retry <= 0:
		return usageError("", "--keep-alive and --retry-delay must be positive")
	}
	return nil
}

// perEnvironmentError refuses a number of invocations in an environment.
func perEnvironmentError(n int) error {
	return usageError("", "--environment-concurrency %d is not within 1..%d (AWS API reference: LambdaManagedInstancesCapacityProviderConfig)", n, workloads.MaxPerEnvironment)
}

func (o *serveOptions) do(ctx context.Context, a *app) error {
	if err := o.check(); err != nil {
		return err
	}
	defer o.end()
	say := func(s string) { fmt.Fprintln(a.stderr, s) }
	if err := o.begin(say); err != nil {
		return err
	}
	if err := o.bundle(); err != nil {
		return err
	}
	var functions []engine.Function
	for _, f := range o.functions {
		img, err := o.open(ctx, f.path)
		if err != nil {
			return err
		}
		name := cmp.Or(f.name, functionName(f.path))
		functions = append(functions, engine.Function{Name: name, Image: img, MemoryMB: o.memory, Timeout: o.timeout, MaxConcurrency: o.perEnvironment})
	}
	log, wait, err := logTo(a.stderr)
	if err != nil {
		return err
	}
	defer wait()
	copies := filepath.Join(o.work, "created")
	if err := os.Mkdir(copies, 0o755); err != nil {
		return err
	}
	os.Chmod(o.work, 0o755)
	eng, err := engine.Start(ctx, engine.Config{
		Log: log, Stderr: a.stderr, Pool: poolSize, Runtime: o.launcher,
		Account: &engine.Account{
			Listen: o.listen, Copies: copies, Layers: o.layers, Concurrency: o.concurrency,
			ScaleOutBurst: o.burst, ScaleOutRate: o.rate, KeepAlive: o.keepAlive, RetryDelay: o.retry, LeastRecent: o.routing == leastRecent,
		},
	})
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			return usageError("--listen 127.0.0.1:0 takes a free port", "%w", err)
		}
		return err
	}
	err = o.serve(ctx, a, eng, functions)
	if cerr := eng.Close(); cerr != nil && err == nil {
		err = fmt.Errorf("cleaning up: %w", cerr)
	}
	return err
}

// serve adds the functions, says where they are and waits for the end.
func (o *serveOptions) serve(ctx context.Context, a *app, eng *engine.Engine, functions []engine.Function) error {
	for _, f := range functions {
		if err := eng.Add(f); err != nil {
			return exitError{code: exitUsage, err: err}
		}
	}
	for _, x := range o.triggers.all() {
		if err := eng.Trigger(x); err != nil {
			return exitError{code: exitUsage, err: err}
		}
	}
	if note := launcherNote(eng.Host()); note != "" {
		fmt.Fprintln(a.stderr, note)
	}
	if _, err := fmt.Fprintf(a.stdout, pointers, eng.URL()); err != nil {
		return err
	}
	for _, f := range functions {
		fmt.Fprintf(a.stderr, "function %s is there\n", f.Name)
	}
	for _, x := range o.triggers.all() {
		fmt.Fprintln(a.stderr, describe(x, eng.URL()))
	}
	fmt.Fprintf(a.stderr, "listening on %s; Ctrl-C ends it (aws CLI before 2.13: --endpoint-url %[1]s)\n", eng.URL())
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.stderr, "stopping")
		return nil
	case <-eng.Done():
		return fmt.Errorf("the engine ended: %w", engine.ErrClosed)
	}
}

// pointers are what a shell needs to use the endpoint. The credentials are not
// checked, but clients want some.
const pointers = `export AWS_ENDPOINT_URL_LAMBDA=%[1]s
export AWS_ENDPOINT_URL_SQS=%[1]s
export AWS_ENDPOINT_URL_S3=%[1]s
export AWS_ACCESS_KEY_ID=local
export AWS_SECRET_ACCESS_KEY=local
export AWS_DEFAULT_REGION=us-east-1
`
