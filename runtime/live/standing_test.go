package live

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// stand deploys a function whose environments stand.
func stand(t *testing.T, behave func(*guest) Exit, c Config) (*Function, *fake) {
	t.Helper()
	c.Timeout = time.Minute
	f, l := deploy(t, behave, c)
	if err := f.Stand(context.Background()); err != nil {
		t.Fatal(err)
	}
	return f, l
}

func TestEnvironmentsStandBeforeTheFirstTriggerAndThrottleWhenFull(t *testing.T) {
	const n = 2
	full, leave := newGate(3*n), make(chan struct{})
	f, l := stand(t, loops(n, func(g *guest, id, event string) *Exit {
		full.in.Add(1)
		<-leave
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: n, Standing: &Standing{}})
	if c := f.Census(); c.Units.Idle != 3 || l.launched.Load() != 3 {
		t.Fatalf("census %+v", c)
	}
	got := make(chan Result, 3*n)
	for i := range 3 * n {
		go func() { got <- f.Invoke(Request{Payload: fmt.Append(nil, i)}) }()
	}
	full.await(3 * n)
	r := f.Invoke(Request{})
	if r.Outcome != results.OutcomeThrottled || r.Reason != "ConcurrentInvocationLimitExceeded" {
		t.Errorf("one more: %+v", r)
	}
	close(leave)
	in := map[string]int{}
	for range 3 * n {
		r := <-got
		sums(t, r.Evidence)
		if r.Outcome != results.OutcomeServed || r.Evidence.Start != results.StartWarm || r.Evidence.Billed != ceilMS(r.Evidence.Phases.Invoke) {
			t.Errorf("got %+v", r)
		}
		in[r.Evidence.Environment]++
	}
	if len(in) != 3 || len(l.boxes[0].froze) > 0 {
		t.Errorf("environments %v, %d freezes", in, len(l.boxes[0].froze))
	}
	if !strings.Contains(strings.Join(l.boxes[0].spec.Env, " "), "AWS_LAMBDA_MAX_CONCURRENCY=2") {
		t.Errorf("told %v", l.boxes[0].spec.Env)
	}
}

func TestStandingEnvironmentsGrowWithWhatIsInThem(t *testing.T) {
	full, leave := newGate(3), make(chan struct{})
	f, l := stand(t, loops(1, func(g *guest, id, event string) *Exit {
		full.in.Add(1)
		<-leave
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: 1, Standing: &Standing{Max: 5, Speed: 3600}})
	got := make(chan Result, 3)
	for range 3 {
		go func() { got <- f.Invoke(Request{}) }()
	}
	full.await(3)
	for l.launched.Load() < 5 { // by the scaler, whose looks come of themselves
		runtime.Gosched()
	}
	close(leave)
	for range 3 {
		if r := <-got; r.Outcome != results.OutcomeServed {
			t.Errorf("got %+v", r)
		}
	}
}

func TestAStandingEnvironmentThatDiesIsReplaced(t *testing.T) {
	f, l := stand(t, loops(2, func(g *guest, id, event string) *Exit {
		return &Exit{Code: 1}
	}), Config{MaxConcurrency: 2, Standing: &Standing{}})
	if r := f.Invoke(Request{}); r.ErrorType != "Runtime.ExitError" {
		t.Errorf("got %+v", r)
	}
	for f.Census().Units.Idle != 3 || l.launched.Load() != 4 {
		runtime.Gosched()
	}
}

func TestWhatIsDiscardedStandsAgain(t *testing.T) {
	f, l := stand(t, echo, Config{Standing: &Standing{Min: 4}})
	f.Discard()
	for f.Census().Units.Idle != 4 {
		runtime.Gosched()
	}
	if l.launched.Load() != 8 {
		t.Errorf("%d launches", l.launched.Load())
	}
}

func TestNothingStandsOfAFunctionThatFailsToStart(t *testing.T) {
	f, _ := deploy(t, func(*guest) Exit { return Exit{Code: 3} }, Config{Standing: &Standing{}})
	if err := f.Stand(context.Background()); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	f, _ = deploy(t, hang, Config{Standing: &Standing{}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Stand(ctx); err != context.Canceled {
		t.Errorf("got %v", err)
	}
}
