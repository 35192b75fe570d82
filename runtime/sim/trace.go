package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/plane/life"
	"coldstorm/workloads"
)

// Arrivals hands out the times at which the triggers of one function arrive.
type Arrivals interface {
	// Next puts the next times, from the trace's start, into buf, and says how
	// many: none after the last. They never decrease.
	Next(buf []time.Duration) int
}

// Tenant is one of the functions of a trace.
type Tenant struct {
	Name     string
	MemoryMB int // 0 is 128; Lambda bills 128 at least
	Arrivals Arrivals
	Service  Times // of an invocation, cold or warm
	Init     Times // of an environment, before its first invocation
}

// TraceConfig is a trace of many functions, each on a Lambda plane of its own.
//
// Nothing is shared between them: an account's quota of concurrency does not
// bind, since the tenants of a trace are many accounts; what they have in flight
// at once is in the outcome's timeline. So the functions are simulated one by one,
// in parallel, and the outcome does not depend on how many at a time.
type TraceConfig struct {
	Model workloads.Model // lambda (also empty) or lambda-snapstart
	// Functions is the number of tenants, Function returns each, from 0. It is
	// called once for each, from several goroutines, and must return the same
	// whatever was asked for before. Order, where it is not nil, is the order in
	// which they are simulated, best the largest first.
	Functions int
	Function  func(i int) (Tenant, error)
	Order     []int

	Span        time.Duration // of the trace: capacity is counted up to its end
	Every       time.Duration // interval of the timeline; 0 is a minute
	KeepAlive   time.Duration // as Config.Function has it
	Timeout     time.Duration // of an invocation; 0: none
	Concurrency int           // that each function has reserved; 0: no bound
	Seed        int64
	Workers     int // functions at a time; 0 is 1

	// Progress is told how many more triggers have arrived and functions are done,
	// from several goroutines, some times a second. nil: nobody is.
	Progress func(triggers, functions int)
}

// FunctionOutcome is what one function of a trace came to, in a few hundred
// bytes.
type FunctionOutcome struct {
	Name       string
	MemoryMB   int // as billed
	Offered    int64
	Cold, Warm Digest // latencies; Cold holds restored starts too
	Refused    int64  // throttled or timed out
	Peak       int    // environments
	// Busy and Alive are the environment-seconds in which invocations ran, init
	// included, and which there were.
	Busy, Alive float64

	ran ran
}

// ColdShare is the share of served triggers that had to wait for an environment.
func (f *FunctionOutcome) ColdShare() float64 {
	if n := f.Cold.N + f.Warm.N; n > 0 {
		return float64(f.Cold.N) / float64(n)
	}
	return 0
}

// Bytes is the memory that the outcome of this function takes beside its name.
func (f *FunctionOutcome) Bytes() int { return outcomeBytes + f.Cold.Bytes() + f.Warm.Bytes() }

// TraceOutcome is what a trace came to: an Outcome of all functions together,
// and each of them. Peak is the largest number of environments at the end of an
// interval.
type TraceOutcome struct {
	Outcome
	Functions []FunctionOutcome // those that were simulated, in the trace's order
	Idle      float64           // GB-seconds in which environments were kept and did nothing
}

// Trace simulates a trace. When ctx ends before, what was done until then is
// returned with its cause: whole functions, and of those under way the triggers
// that had arrived.
func Trace(ctx context.Context, c TraceConfig) (TraceOutcome, error) {
	if err := c.check(); err != nil {
		return TraceOutcome{}, fmt.Errorf("simulate a trace: %w", err)
	}
	r := newReplay(ctx, c)
	err := r.all()
	if err != nil && !errors.Is(err, context.Cause(ctx)) {
		return TraceOutcome{}, fmt.Errorf("simulate a trace: %w", err)
	}
	return r.outcome(), err
}

func (c *TraceConfig) check() error {
	switch {
	case c.Model == "":
		c.Model = workloads.ModelLambda
	case c.Model != workloads.ModelLambda && c.Model != workloads.ModelLambdaSnapStart:
		return fmt.Errorf("many functions are simulated on lambda or lambda-snapstart, not %s", c.Model)
	}
	switch {
	case c.Functions <= 0:
		return errors.New("it has no functions")
	case c.Span <= 0:
		return fmt.Errorf("it spans %v", c.Span)
	case c.Order != nil && len(c.Order) != c.Functions:
		return fmt.Errorf("an order of %d functions of %d", len(c.Order), c.Functions)
	}
	if c.Every <= 0 {
		c.Every = time.Minute
	}
	c.Workers = max(c.Workers, 1)
	return nil
}

// rules are those of each function's plane.
func (c *TraceConfig) rules() plane.LambdaRules {
	r := plane.LambdaRules{
		KeepAlive: c.KeepAlive, Concurrency: c.Concurrency, Reserved: c.Concurrency > 0,
		Restore: c.Model == workloads.ModelLambdaSnapStart, Reuse: true,
	}
	if c.Concurrency == 0 {
		r.Concurrency, r.RequestRate = 1<<31-1, -1
	}
	return r
}

// timing is how long things take in a function.
func (c *TraceConfig) timing(t *Tenant) timing {
	out := timing{
		slots: 1, weights: 1, timeout: int64(c.Timeout),
		payloads: []payloadTiming{{upTo: 1, service: t.Service.d, first: t.Service.d}},
		before:   []part{{life.Placed, lambdaPlatform}}, init: t.Init.d, least: lambdaInit, billInit: true,
	}
	if c.Model == workloads.ModelLambdaSnapStart {
		resident := constant("resident memory", (&Profile{}).resident(billedMB(t.MemoryMB)))
		out.before = []part{{life.Placed, snapStartRestore}, {life.Placed, resident}}
		out.init, out.least, out.billInit, out.restore = dist{}, dist{}, false, true
	}
	return out
}

// billedMB is what Lambda bills of a function's memory, which has 128 MB at
// least.
func billedMB(mb int) int { return max(mb, workloads.MinMemoryMB) }

// usage adds what a function was billed to a usage, in units of a megabyte for a
// millisecond.
func (f *FunctionOutcome) usage(u *results.Usage) {
	gbs := float64(f.MemoryMB) / 1024 / 1000
	u.Requests += f.ran.n
	u.LambdaGBSeconds += gbs * float64(f.ran.onDemand)
	u.LambdaInitGBSeconds += gbs * float64(f.ran.init)
	u.RestoredGB += float64(f.MemoryMB) / 1024 * float64(f.ran.restored)
}
