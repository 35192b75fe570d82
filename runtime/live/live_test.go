package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coldstorm/results"
)

// sums fails the test unless the phases fill the time exactly.
func sums(t *testing.T, e results.Evidence) {
	t.Helper()
	if e.Phases.Sum() != e.Responded.Sub(e.Received) || e.Received == 0 {
		t.Errorf("phases %+v add up to %v of %v", e.Phases, e.Phases.Sum(), e.Responded.Sub(e.Received))
	}
	for _, p := range results.PhaseNames {
		if e.Phases.Get(p) < 0 {
			t.Errorf("%s is %v", p, e.Phases.Get(p))
		}
	}
}

func TestTheFirstStartIsColdAndTheNextWarm(t *testing.T) {
	f, l := deploy(t, echo, Config{})
	cold := f.Invoke(Request{Payload: []byte("a")})
	warm := f.Invoke(Request{Payload: []byte("b")})
	if string(cold.Payload) != "a" || string(warm.Payload) != "b" || cold.Outcome != results.OutcomeServed {
		t.Fatalf("responses %q %q", cold.Payload, warm.Payload)
	}
	c, w := cold.Evidence, warm.Evidence
	if c.Start != results.StartCold || c.Cause != results.CauseDeployed || c.Served != 0 || c.Mode != "cold" {
		t.Errorf("first: %+v", c)
	}
	if w.Start != results.StartWarm || w.Cause != "" || w.Served != 1 || w.Mode != "" || w.Environment != c.Environment {
		t.Errorf("second: %+v", w)
	}
	sums(t, c)
	sums(t, w)
	for _, p := range []results.Phase{results.PhaseQueue, results.PhaseSandbox, results.PhaseInit, results.PhaseInvoke} {
		if c.Phases.Get(p) == 0 {
			t.Errorf("a cold start without %s", p)
		}
	}
	if w.Phases.Init != 0 || w.Phases.Invoke == 0 {
		t.Errorf("phases of a warm start %+v", w.Phases)
	}
	if c.Billed%time.Millisecond != 0 || c.Billed < c.Phases.Invoke+c.Phases.Init || c.Billed >= c.Phases.Invoke+c.Phases.Init+time.Millisecond {
		t.Errorf("billed %v of %v", c.Billed, c.Phases.Invoke+c.Phases.Init)
	}
	if c.CPU != 5*time.Millisecond || w.CPU != 0 || w.MaxMemory != 8<<20 {
		t.Errorf("usage: CPU %v then %v, memory %d", c.CPU, w.CPU, w.MaxMemory)
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d launches", n)
	}
}

func TestTriggersOneAfterAnotherShareAnEnvironment(t *testing.T) {
	f, l := deploy(t, echo, Config{SettleGrace: time.Minute})
	for i := range 300 {
		if r := f.Invoke(Request{}); r.Outcome != results.OutcomeServed || r.Evidence.Served != i {
			t.Fatalf("trigger %d: %+v", i, r)
		}
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d launches", n)
	}
}

func TestATriggerWaitsForAnEnvironmentThatHasAnswered(t *testing.T) {
	tests := []struct {
		rule  string
		grace time.Duration
		then  func(*guest) *Exit // what the environment does after its first answer
		cause results.Cause      // of the second trigger's start; empty: warm
	}{
		{"which then asks for work", time.Minute, func(*guest) *Exit { return nil }, ""},
		{"which then dies", time.Minute, func(*guest) *Exit { return &Exit{} }, results.CauseCrashed},
		{"but no longer than the grace", time.Millisecond, func(g *guest) *Exit { x := hang(g); return &x }, results.CauseScaleOut},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			var f *Function
			var later atomic.Bool
			f, _ = deploy(t, serve(func(g *guest, id, event string) *Exit {
				g.post("invocation/"+id+"/response", event)
				if later.Swap(true) {
					return nil
				}
				for tt.grace == time.Minute && f.waiting() == 0 {
					runtime.Gosched()
				}
				return tt.then(g)
			}), Config{SettleGrace: tt.grace, Timeout: time.Minute})
			f.Invoke(Request{})
			if r := f.Invoke(Request{}); r.Outcome != results.OutcomeServed || r.Evidence.Cause != tt.cause {
				t.Errorf("got %+v", r)
			}
		})
	}
}

// waiting is the number of triggers that the grace holds back.
func (f *Function) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.waiters)
}

func TestABurstStartsAnEnvironmentForEachTrigger(t *testing.T) {
	const n = 200
	all := make(chan struct{}) // closed when every trigger is in its handler
	var inside sync.WaitGroup
	inside.Add(n)
	f, l := deploy(t, serve(func(g *guest, id, event string) *Exit {
		inside.Done()
		<-all
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{Timeout: time.Minute})
	got := make(chan Result, n)
	for i := range n {
		go func() { got <- f.Invoke(Request{Payload: fmt.Append(nil, i)}) }()
	}
	inside.Wait()
	if c := f.Census(); c.Units.Busy != n || c.Counts.InFlight != n {
		t.Errorf("census with everything busy: %+v", c)
	}
	close(all)
	causes := map[results.Cause]int{}
	seen := map[string]bool{}
	for range n {
		r := <-got
		sums(t, r.Evidence)
		causes[r.Evidence.Cause]++
		seen[string(r.Payload)] = true
	}
	if causes[results.CauseDeployed] != 1 || causes[results.CauseScaleOut] != n-1 || len(seen) != n || l.launched.Load() != n {
		t.Errorf("causes %v, %d responses, %d launches", causes, len(seen), l.launched.Load())
	}
	if c := f.Census(); c.Counts.Served != n || c.Units.Idle+c.Units.Busy != n {
		t.Errorf("census afterwards: %+v", c)
	}
}

func TestConcurrencyThrottles(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	f, _ := deploy(t, serve(func(g *guest, id, event string) *Exit {
		inside <- struct{}{}
		<-leave
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{Concurrency: 1})
	first := make(chan Result, 1)
	go func() { first <- f.Invoke(Request{}) }()
	<-inside
	r := f.Invoke(Request{})
	if r.Outcome != results.OutcomeThrottled || r.Reason != "ReservedFunctionConcurrentInvocationLimitExceeded" {
		t.Errorf("second: %+v", r)
	}
	sums(t, r.Evidence)
	close(leave)
	if r := <-first; r.Outcome != results.OutcomeServed {
		t.Errorf("first: %+v", r)
	}
}

// What a bad function leads to: what the caller gets, and the next start.
func TestBadFunctions(t *testing.T) {
	once := func(x *Exit, before func(g *guest, id string)) func(*guest) Exit {
		return serve(func(g *guest, id, event string) *Exit {
			if event != "bad" {
				g.post("invocation/"+id+"/response", event)
				return nil
			}
			before(g, id)
			return x
		})
	}
	quiet := func(*guest, string) {}
	tests := []struct {
		rule    string
		behave  func(*guest) Exit
		refuse  error
		config  Config
		outcome results.Outcome
		kind    string // errorType
		reason  string // kind if empty
		message string
		next    results.Cause // of the start after it; empty: warm
	}{
		{rule: "exits at once", behave: func(*guest) Exit { return Exit{} }, kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited without providing a reason", next: "crashed"},
		{rule: "exits at once with a status", behave: func(*guest) Exit { return Exit{Code: 3} }, kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited with error: exit status 3", next: "crashed"},
		{rule: "crashes during init", behave: func(*guest) Exit { return Exit{Signal: syscall.SIGSEGV} }, kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited with error: signal: segmentation fault", next: "crashed"},
		{rule: "eats memory during init", behave: func(*guest) Exit { return Exit{Signal: syscall.SIGKILL, OOM: true} }, kind: "Runtime.ExitError", reason: "OutOfMemory", message: "RequestId: ID Error: Runtime exited with error: signal: killed", next: "crashed"},
		{rule: "never asks for work", behave: hang, config: Config{InitLimit: 20 * time.Millisecond, Timeout: 30 * time.Millisecond}, outcome: results.OutcomeTimedOut, kind: "Sandbox.Timedout", message: "RequestId: ID Error: Task timed out after 0.03 seconds", next: "crashed"},
		{rule: "reports an init error", behave: func(g *guest) Exit {
			g.send("POST", "init/error", `{"errorType":"Mine","errorMessage":"no"}`, "Lambda-Runtime-Function-Error-Type", "Function.BadInit")
			return hang(g)
		}, kind: "Mine", reason: "Function.BadInit", message: "no", next: "crashed"},
		{rule: "can't be launched", refuse: errors.New("no room"), behave: echo, kind: "Sandbox.Failure", message: "RequestId: ID Error: no room", next: "crashed"},
		{rule: "has no entry point", refuse: fmt.Errorf("bootstrap: %w", ErrEntrypoint), behave: echo, kind: "Runtime.InvalidEntrypoint", message: "RequestId: ID Error: bootstrap: entry point can't be executed", next: "crashed"},

		{rule: "crashes in an invocation", behave: once(&Exit{Code: 1}, quiet), kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited with error: exit status 1", next: "crashed"},
		{rule: "eats memory in an invocation", behave: once(&Exit{Signal: syscall.SIGKILL, OOM: true}, quiet), kind: "Runtime.ExitError", reason: "OutOfMemory", message: "RequestId: ID Error: Runtime exited with error: signal: killed", next: "crashed"},
		{rule: "hangs over the timeout", behave: once(nil, func(g *guest, _ string) { hang(g) }), config: Config{Timeout: 30 * time.Millisecond}, outcome: results.OutcomeTimedOut, kind: "Sandbox.Timedout", message: "RequestId: ID Error: Task timed out after 0.03 seconds", next: "crashed"},
		{rule: "answers with too much", behave: once(nil, func(g *guest, id string) {
			if status := g.post("invocation/"+id+"/response", strings.Repeat("x", 7<<20)); status != 413 {
				g.t.Errorf("7 MB: %d", status)
			}
		}), kind: "Function.ResponseSizeTooLarge", message: "Response payload size (7340032 bytes) exceeded maximum allowed payload size (6291556 bytes)."},
		{rule: "reports an error", behave: once(nil, func(g *guest, id string) {
			g.post("invocation/"+id+"/error", `{"errorType":"Mine","errorMessage":"no"}`)
		}), kind: "Mine", reason: "Runtime.Unknown", message: "no"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			f, l := deploy(t, tt.behave, tt.config)
			l.refuse = tt.refuse
			r := f.Invoke(Request{ID: "ID", Payload: []byte("bad")})
			want := results.OutcomeFailed
			if tt.outcome != "" {
				want = tt.outcome
			}
			if tt.reason == "" {
				tt.reason = tt.kind
			}
			var body struct{ ErrorType, ErrorMessage string }
			json.Unmarshal(r.Payload, &body)
			if r.Outcome != want || r.Reason != tt.reason || body.ErrorType != tt.kind || body.ErrorMessage != tt.message {
				t.Errorf("got %s, %s, %s", r.Outcome, r.Reason, r.Payload)
			}
			sums(t, r.Evidence)
			if r.Evidence.Start != results.StartCold || r.Evidence.Environment == "" {
				t.Errorf("evidence %+v", r.Evidence)
			}
			l.refuse, l.behave = nil, echo
			if next := f.Invoke(Request{}); next.Outcome != results.OutcomeServed || next.Evidence.Cause != tt.next {
				t.Errorf("next: %+v", next)
			}
		})
	}
}

func TestAFullEnvironmentIsFailedForItsProcessLimit(t *testing.T) {
	full := func(then func(g *guest) Exit) func(*guest) Exit {
		return serve(func(g *guest, _, _ string) *Exit {
			g.crowded.Store(true)
			x := then(g)
			return &x
		})
	}
	complain := func(g *guest) {
		io.WriteString(g.errors, "can't start another\n")
		for !g.looked.Load() {
			runtime.Gosched()
		}
	}
	tests := []struct {
		rule   string
		behave func(*guest) Exit
		kind   string
		reason string
	}{
		{"when it times out", full(hang), "Sandbox.Timedout", ReasonProcessLimit},
		{"when it complains and dies", full(func(g *guest) Exit { complain(g); return Exit{Code: 2} }), "Runtime.ExitError", ReasonProcessLimit},
		{"but not if it died for its memory", full(func(g *guest) Exit { complain(g); return Exit{Signal: syscall.SIGKILL, OOM: true} }), "Runtime.ExitError", ReasonOutOfMemory},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			f, _ := deploy(t, tt.behave, Config{Timeout: 50 * time.Millisecond})
			if tt.kind != "Sandbox.Timedout" {
				f.Redeploy(Config{Timeout: time.Minute, KeepAlive: -1})
			}
			if r := f.Invoke(Request{}); r.ErrorType != tt.kind || r.Reason != tt.reason {
				t.Errorf("got %s, %s: %s", r.ErrorType, r.Reason, r.Payload)
			}
		})
	}
}

func TestASecondAnswerIsRefusedAndDoesNoHarm(t *testing.T) {
	f, l := deploy(t, serve(func(g *guest, id, event string) *Exit {
		g.post("invocation/"+id+"/response", event)
		if status := g.post("invocation/"+id+"/response", "again"); status != 400 && g.ctx.Err() == nil {
			g.t.Errorf("second answer: %d", status)
		}
		return nil
	}), Config{SettleGrace: time.Minute})
	for _, s := range []string{"a", "b"} {
		if r := f.Invoke(Request{Payload: []byte(s)}); string(r.Payload) != s {
			t.Errorf("got %q", r.Payload)
		}
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d launches", n)
	}
}

func TestAnEnvironmentThatAnsweredAndNeverAsksAgainIsKilled(t *testing.T) {
	f, l := deploy(t, serve(func(g *guest, id, event string) *Exit {
		g.post("invocation/"+id+"/response", event)
		x := hang(g)
		return &x
	}), Config{Timeout: 30 * time.Millisecond})
	if r := f.Invoke(Request{}); r.Outcome != results.OutcomeServed {
		t.Fatalf("got %+v", r)
	}
	<-l.boxes[0].Done()
	if r := f.Invoke(Request{}); r.Evidence.Cause != results.CauseCrashed {
		t.Errorf("got %+v", r.Evidence)
	}
}

func TestKeepAlive(t *testing.T) {
	t.Run("nothing is kept with 0", func(t *testing.T) {
		l := &fake{t: t, behave: echo}
		f := New(l, Config{SettleGrace: time.Minute})
		defer f.Close()
		for i, want := range []results.Cause{results.CauseDeployed, results.CauseExpired, results.CauseExpired} {
			if r := f.Invoke(Request{}); r.Evidence.Cause != want {
				t.Errorf("start %d: %s", i, r.Evidence.Cause)
			}
		}
	})
	t.Run("the alarm reclaims", func(t *testing.T) {
		f, l := deploy(t, echo, Config{KeepAlive: 20 * time.Millisecond})
		f.Invoke(Request{})
		<-l.boxes[0].Done()
		if r := f.Invoke(Request{}); r.Evidence.Cause != results.CauseExpired {
			t.Errorf("got %s", r.Evidence.Cause)
		}
	})
}

func TestTheAnswerIsPassedOnFirst(t *testing.T) {
	l := &fake{t: t, behave: echo}
	f := New(l, Config{}) // nothing is kept alive
	defer f.Close()
	f.patience = time.Minute
	f.Serve(Request{}, func(r Result) {
		for !f.asks() {
			runtime.Gosched()
		}
		if c := f.Census(); c.Units.Busy != 1 || l.alive.Load() != 1 {
			t.Errorf("before the answer was passed on: %+v", c)
		}
	})
	<-l.boxes[0].Done()
}

// asks reports whether the only unit asks for work.
func (f *Function) asks() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range f.units {
		return u.asks > 0
	}
	return false
}

func TestASlowCallerDoesNotHoldAnEnvironment(t *testing.T) {
	f, l := deploy(t, echo, Config{SettleGrace: time.Minute})
	f.Serve(Request{}, func(Result) {
		f.Serve(Request{}, func(r Result) {
			if r.Evidence.Start != results.StartWarm {
				t.Errorf("meanwhile: %+v", r.Evidence)
			}
		})
	})
	for range 2 { // whom the slow caller's late thanks must not disturb
		f.Invoke(Request{})
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d launches", n)
	}
}

func TestIdleEnvironmentsAreFrozen(t *testing.T) {
	f, l := deploy(t, echo, Config{})
	for range 3 { // thawed for each: the guest complains otherwise
		f.Invoke(Request{})
		<-l.boxes[0].froze
	}
}

func TestNoFreeze(t *testing.T) {
	f, l := deploy(t, echo, Config{NoFreeze: true})
	for range 3 {
		f.Invoke(Request{})
	}
	f.Discard()
	if len(l.boxes[0].froze) > 0 {
		t.Error("an environment was frozen")
	}
}

func TestDiscardBeginsAfresh(t *testing.T) {
	inside := make(chan struct{}, 1)
	f, l := deploy(t, serve(func(g *guest, id, event string) *Exit {
		if event == "hang" {
			inside <- struct{}{}
			x := hang(g)
			return &x
		}
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{Timeout: time.Minute})
	f.Invoke(Request{})
	flight := make(chan Result, 1)
	go func() { flight <- f.Invoke(Request{Payload: []byte("hang")}) }()
	<-inside
	f.Discard()
	if n := l.alive.Load(); n != 0 {
		t.Errorf("%d sandboxes alive after Discard", n)
	}
	if r := <-flight; r.Outcome != results.OutcomeFailed || r.ErrorType != "Sandbox.Failure" {
		t.Errorf("in flight: %+v", r)
	}
	if r := f.Invoke(Request{}); r.Evidence.Cause != results.CauseDeployed {
		t.Errorf("after Discard: %+v", r.Evidence)
	}
	f.Redeploy(Config{Name: "other", KeepAlive: -1})
	if f.Invoke(Request{}); !bytes.Contains([]byte(strings.Join(l.boxes[len(l.boxes)-1].spec.Env, "\n")), []byte("AWS_LAMBDA_FUNCTION_NAME=other")) {
		t.Error("Redeploy kept the old name")
	}
}

func TestInvokeAfterCloseFails(t *testing.T) {
	f, _ := deploy(t, echo, Config{})
	f.Close()
	if r := f.Invoke(Request{}); r.Outcome != results.OutcomeFailed || r.ErrorType != "Sandbox.Failure" {
		t.Errorf("got %+v", r)
	}
}

func TestLogLines(t *testing.T) {
	var log bytes.Buffer
	f, _ := deploy(t, serve(func(g *guest, id, event string) *Exit {
		g.print("hello from " + event + "\nno line end")
		if event == "die" {
			return &Exit{Code: 1}
		}
		g.post("invocation/"+id+"/response", "{}")
		return nil
	}), Config{Log: &log, MemoryMB: 256})
	r := f.Invoke(Request{ID: "one", Payload: []byte("it"), Tail: true})
	lines := strings.Split(string(r.Tail), "\n")
	if len(lines) != 6 || lines[0] != "START RequestId: one Version: $LATEST" || lines[1] != "hello from it" || lines[2] != "no line end" ||
		lines[3] != "END RequestId: one" || lines[5] != "" {
		t.Fatalf("tail:\n%s", r.Tail)
	}
	e := r.Evidence
	want := fmt.Sprintf("REPORT RequestId: one\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: 256 MB\tMax Memory Used: 8 MB\tInit Duration: %.2f ms\t",
		ms(e.Phases.Invoke), e.Billed.Milliseconds(), ms(e.Phases.Init))
	if lines[4] != want {
		t.Errorf("got  %q\nwant %q", lines[4], want)
	}
	r = f.Invoke(Request{ID: "two", Payload: []byte("die"), Tail: true})
	if !strings.HasSuffix(string(r.Tail), "\tStatus: error\tError Type: Runtime.ExitError\n") {
		t.Errorf("tail:\n%s", r.Tail)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, part := range []string{"START RequestId: one", "hello from it\n", "END RequestId: two"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("log lacks %q:\n%s", part, log.String())
		}
	}
}

func TestAWriterThatBlocksDoesNotHoldUpInvocations(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1000) + "\n"
	f, _ := deploy(t, serve(func(g *guest, id, event string) *Exit {
		g.print(strings.Repeat(line, 300))
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{Log: w})
	for range 10 { // 3 MB against a buffer of 1 MiB and a pipe that nobody reads
		if r := f.Invoke(Request{}); r.Outcome != results.OutcomeServed {
			t.Fatalf("got %+v", r)
		}
	}
	r.Close()
	if err := f.Close(); err == nil {
		t.Error("Close is silent about a writer that failed")
	}
	w.Close()
}

func TestEnviron(t *testing.T) {
	c := Config{Env: map[string]string{
		"MINE": "1", "TZ": "here", "_X": "dropped", "AWS_REGION": "dropped", "AWS_LAMBDA_RUNTIME_API": "dropped",
	}}.withDefaults()
	got := "\n" + strings.Join(c.environ(c.streamName("0123", time.Unix(0, 0))), "\n") + "\n"
	for _, want := range []string{
		"MINE=1", "TZ=here", "AWS_REGION=us-east-1", "_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=/var/task", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_LOG_STREAM_NAME=1970/01/01/[$LATEST]0123", "LANG=en_US.UTF-8",
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("lacks %s:%s", want, got)
		}
	}
	if strings.Contains(got, "dropped") {
		t.Errorf("kept a reserved name:%s", got)
	}
}

func TestEnvironOfAnImage(t *testing.T) {
	c := Config{
		Container: true, ImageEnv: []string{"PATH=/image", "A=image", "B=image", "EMPTY=", "AWS_REGION=dropped", "AWS_LAMBDA_RUNTIME_API=dropped"},
		Env: map[string]string{"B": "mine"}, Handler: "app.handler",
	}.withDefaults()
	got := "\n" + strings.Join(c.environ(c.streamName("0123", time.Unix(0, 0))), "\n") + "\n"
	for _, want := range []string{"PATH=/image", "A=image", "B=mine", "EMPTY=", "_HANDLER=app.handler", "AWS_REGION=us-east-1", "AWS_XRAY_CONTEXT_MISSING=LOG_ERROR"} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("lacks %s:%s", want, got)
		}
	}
	for _, not := range []string{"dropped", "LD_LIBRARY_PATH", "LANG=", "TZ="} {
		if strings.Contains(got, not) {
			t.Errorf("has %s:%s", not, got)
		}
	}
}

func ExampleFunction() {
	launcher := &fake{behave: echo}
	f := New(launcher, Config{Name: "echo", KeepAlive: time.Minute})
	defer f.Close()
	for range 2 {
		r := f.Invoke(Request{Payload: []byte(`"hello"`)})
		fmt.Println(r.Evidence.Start, r.Evidence.Cause, string(r.Payload))
	}
	// Output:
	// cold deployed "hello"
	// warm  "hello"
}

func BenchmarkWarm(b *testing.B) {
	f := New(&fake{behave: echo}, Config{KeepAlive: -1})
	defer f.Close()
	b.ReportAllocs()
	for b.Loop() {
		f.Invoke(Request{Payload: []byte("{}")})
	}
}

func TestRoutingOrderIsASetting(t *testing.T) {
	for _, least := range []bool{false, true} {
		gates := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{}), "": nil}
		f, _ := deploy(t, serve(func(g *guest, id, event string) *Exit {
			if gate := gates[event]; gate != nil {
				<-gate
			}
			g.post("invocation/"+id+"/response", event)
			return nil
		}), Config{KeepAlive: -1, LeastRecent: least})
		served := map[string]string{} // by event: the environment
		answers := map[string]chan Result{"a": make(chan Result, 1), "b": make(chan Result, 1)}
		for event, c := range answers {
			go f.Serve(Request{Payload: []byte(event)}, func(r Result) { c <- r })
		}
		for f.Counts().InFlight < 2 { // else one environment serves both
			runtime.Gosched()
		}
		for _, event := range []string{"a", "b"} {
			close(gates[event])
			r := <-answers[event]
			served[event] = r.Evidence.Environment
			for idle := len(served); f.Census().Units.Idle < idle; {
				runtime.Gosched()
			}
		}
		want := served["b"]
		if least {
			want = served["a"]
		}
		if got := f.Invoke(Request{}).Evidence.Environment; got != want {
			t.Errorf("least recent %t: %s served, want %s of %v", least, got, want, served)
		}
	}
}
