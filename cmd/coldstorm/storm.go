package main

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/loadgen/drive"
	"coldstorm/results"
)

var stormCommand = command{
	name: "storm", args: "[URL] [flags]", short: "fire a storm of triggers at any HTTP endpoint",
	long: `
Storm fires triggers at an HTTP endpoint, open loop: each is sent when its schedule
says so, whatever became of those before it. Latency counts from the intended send,
so that a stalled endpoint can't hide its stall; the time since the actual send
stands beside it. It ends with a report like vegeta's on stdout, and a run folder
with report.html as 'coldstorm run' writes it.

The URL is an argument, or targets are given as vegeta takes them, in its HTTP or
its JSON format: on stdin, or in a file with --targets. Triggers go to them in turn.
Flags of one word may have one dash, as vegeta's have.

Shapes: --rate and --duration alone are a constant rate; --poisson draws its arrivals
from a Poisson process; --ramp 10..500 goes from one rate to another in --duration;
--shape burst is --n at once, --shape gap --n single triggers with --gap between,
--shape sequence --n one after another. --trace fires the arrivals of a trace or an
access log. --storm takes any shape in the words of a scenario's storms, and --scenario
every storm of a scenario.

--output writes each result in vegeta's own encodings, for 'vegeta report', 'vegeta
plot' and 'vegeta encode'. Timestamps there are the intended sends, and latencies
count from them.

Events that are not answered on their request (asynchronous invocations, messages,
objects, schedules of 'coldstorm serve') are followed by --completions: a trigger
then ends when its handler is done, and the parts of its way, from publish over poll,
invoke and handler to done, are kept, cold and warm apart. Of an event that is handled
again, the first time counts; after the last send, --timeout bounds the wait for the next
event to end.

An endpoint of 'coldstorm serve' tells how each invocation started: cold and warm
are then kept apart. Of any other, start is unknown.

Progress goes to stderr. Ctrl-C stops the storm and keeps what was measured (exit
code 130). Failures of the endpoint are figures; a storm of which no trigger was
answered has exit code 4.

Examples:

    coldstorm storm http://localhost:8080/ --rate 50/1s --duration 5s
    coldstorm storm http://localhost:8080/ --shape burst --n 1000
    coldstorm storm http://localhost:8080/ --ramp 10..500 --duration 30s --poisson
    coldstorm storm http://localhost:8080/ --storm '{shape: gap, n: 10, gap: 30s}'
    coldstorm storm http://localhost:8080/ --trace access.log --trace-time 0.1
    coldstorm storm http://localhost:8080/f --method POST --body event.json --header 'X-Key: 1'
    coldstorm storm http://127.0.0.1:3001/coldstorm/publish/orders --completions --body order.json
    echo 'GET http://localhost:8080/' | coldstorm storm -rate 100/1s -duration 10s
    coldstorm storm --targets targets.txt --output results.bin && vegeta report results.bin
    coldstorm storm https://localhost:8443/ --http2 --insecure --shape burst --n 500
    coldstorm storm http://localhost:8080/ --output - | vegeta plot > plot.html`,
	vegeta: true,
	setup: func(f *pflag.FlagSet) func(context.Context, *app, []string) error {
		o := stormOptions{rate: rateFlag{50, time.Second}, header: headerFlag{}}
		o.shapeFlags(f)
		o.targetFlags(f)
		f.StringVar(&o.output, "output", "", "`file` for every result in vegeta's encoding; - for stdout, which puts the report on stderr")
		f.StringVar(&o.format, "format", "gob", "`encoding` of --output: gob, json or csv")
		f.StringVar(&o.name, "name", "storm", "`name` of the storm in its results")
		f.StringVar(&o.out, "out", results.Root, "`folder` in which the run's folder is made")
		return func(ctx context.Context, a *app, args []string) error {
			for _, name := range []string{"targets", "body", "output", "scenario", "storm", "trace", "unix-socket", "name", "out", "method"} {
				if fl := f.Lookup(name); fl.Changed && fl.Value.String() == "" {
					return usageError("is a variable of your shell empty?", "--%s is empty", name)
				}
			}
			o.given = f.Changed
			s, err := o.stormer(a, args)
			if err != nil {
				return err
			}
			return s.do(ctx)
		}
	},
}

// stormOptions are the flags of storm.
type stormOptions struct {
	given func(flag string) bool

	shape    string
	rate     rateFlag
	duration time.Duration
	n        int
	gap      time.Duration
	ramp     string
	poisson  bool
	storm    string
	trace    string
	time     float64
	load     float64
	scenario string
	seed     int64

	targets, method, body string
	header                headerFlag
	timeout               time.Duration
	connections           int
	socket                string
	insecure              bool
	http2, h2c            bool
	completions           string

	output, format, name, out string
}

func (o *stormOptions) shapeFlags(f *pflag.FlagSet) {
	f.Var(&o.rate, "rate", "triggers per time `unit`: 50/1s, 3000/1m, 0.5/s, or 50 for a second")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how `long` a rate is held")
	f.StringVar(&o.shape, "shape", "", "`shape` of the storm: constant, burst, ramp, gap or sequence; others by --storm")
	f.IntVar(&o.n, "n", 0, "`number` of triggers of a burst, of a sequence and of gaps; with a rate, instead of --duration")
	f.DurationVar(&o.gap, "gap", 0, "idle `time` between triggers, of --shape gap")
	f.StringVar(&o.ramp, "ramp", "", "`rates` from which and to which the storm goes in --duration: 10..500")
	f.BoolVar(&o.poisson, "poisson", false, "arrivals of independent callers: a Poisson process of the rate")
	f.StringVar(&o.storm, "storm", "", "`storm` as a scenario's storms have it: '{shape: burst, n: 100}'; see workloads/scenarios")
	f.StringVar(&o.trace, "trace", "", "`file` of a trace or a log, whose arrivals are fired: CSV of times, Azure's, Huawei's, IBM's, an access log, vegeta's results")
	f.Float64Var(&o.time, "trace-time", 1, "`factor` of a trace's times: 0.1 is an hour in six minutes")
	f.Float64Var(&o.load, "trace-load", 1, "`factor` of a trace's number of triggers")
	f.StringVar(&o.scenario, "scenario", "", "scenario `file`, or name of a bundled one: fire its storms, with its payloads")
	f.Int64Var(&o.seed, "seed", 1, "seed of random arrivals; the same draws the same")
}

func (o *stormOptions) targetFlags(f *pflag.FlagSet) {
	f.StringVar(&o.targets, "targets", "", "`file` of targets in vegeta's HTTP or JSON format, - for stdin")
	f.StringVar(&o.method, "method", "", "HTTP `method`; GET, or POST with --body or payloads")
	f.StringVar(&o.body, "body", "", "`file` with the body of requests, of targets without one of their own")
	f.Var(&o.header, "header", "`header` of requests, 'Name: value'; may be given again")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "how `long` a trigger may take from its send")
	f.IntVar(&o.connections, "connections", drive.DefaultConnections, "`number` of connections open at once")
	f.StringVar(&o.socket, "unix-socket", "", "`path` of a unix socket to connect to, instead of the URL's host")
	f.StringVar(&o.completions, "completions", "", "`URL` of a stream of completions: an event ends when its handler is done. Without a value (and =), that of the URL's own 'coldstorm serve'")
	f.Lookup("completions").NoOptDefVal = sameEndpoint
	f.BoolVar(&o.http2, "http2", false, "fire over HTTP/2, which the endpoint must offer; of http:// URLs too, as --h2c does")
	f.BoolVar(&o.h2c, "h2c", false, "fire over HTTP/2 without TLS, as the endpoint is known to take (prior knowledge)")
	f.BoolVar(&o.insecure, "insecure", false, "take any certificate that the endpoint shows")
}
