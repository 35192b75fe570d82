package engine

import (
	"encoding/base64"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

func sums(t *testing.T, e results.Evidence) {
	t.Helper()
	if e.Phases.Sum() != e.Responded.Sub(e.Received) || e.Received == 0 {
		t.Errorf("phases %+v add up to %v of %v", e.Phases, e.Phases.Sum(), e.Responded.Sub(e.Received))
	}
}

func TestColdThenWarmInARealSandbox(t *testing.T) {
	for _, rootless := range []bool{false, true} {
		t.Run("rootless="+strconv.FormatBool(rootless), func(t *testing.T) {
			coldThenWarm(t, begin(t, Config{Rootless: rootless}))
		})
	}
}

func coldThenWarm(t *testing.T, e *Engine) {
	deploy(t, e, Function{Env: map[string]string{"MINE": "1"}})
	cold, warm := send(t, e, `"environ"`), send(t, e, `{"a":1}`)
	if cold.status != 200 || !strings.Contains(cold.body, "MINE=1") || warm.body != `{"a":1}` {
		t.Fatalf("%+v\n%+v", cold, warm)
	}
	c, w := cold.evidence, warm.evidence
	if c.Start != results.StartCold || c.Cause != results.CauseDeployed || w.Start != results.StartWarm || w.Served != 1 {
		t.Errorf("evidence %+v\n%+v", c, w)
	}
	sums(t, c)
	sums(t, w)
	moments(t, c)
	if w.Moments != (results.Moments{}) {
		t.Errorf("moments of a warm start: %v", w.Moments)
	}
	for _, p := range []results.Phase{results.PhaseQueue, results.PhaseSandbox, results.PhaseRootfs, results.PhaseInit, results.PhaseInvoke} {
		if c.Phases.Get(p) <= 0 {
			t.Errorf("%s is %v", p, c.Phases.Get(p))
		}
	}
	if c.CPU <= 0 || c.MaxMemory <= 0 {
		t.Errorf("usage: CPU %v, memory %d", c.CPU, c.MaxMemory)
	}
	t.Logf("cold %+v\nwarm %+v", c, w)
}

func TestBadFunctionsInRealSandboxes(t *testing.T) {
	e := begin(t, Config{})
	tests := []struct {
		rule, mode, event string
		config            Function
		reason, has       string
		limits            bool // needs limits
		next              results.Cause
	}{
		{rule: "exits at once", mode: "exit", reason: "Runtime.ExitError", has: "Runtime exited with error: exit status 3", next: "crashed"},
		{rule: "never asks for work", mode: "deaf", config: Function{Init: 100 * time.Millisecond, Timeout: 100 * time.Millisecond}, reason: "Sandbox.Timedout", has: "Task timed out after 0.10 seconds", next: "crashed"},
		{rule: "reports an init error", mode: "init-error", reason: "Runtime.Unknown", has: `"errorType":"Mine"`, next: "crashed"},
		{rule: "crashes", event: `"crash"`, reason: "Runtime.ExitError", has: "exit status 1", next: "crashed"},
		{rule: "panics", event: `"panic"`, reason: "Runtime.ExitError", has: "exit status 2", next: "crashed"},
		{rule: "hangs", event: `"hang"`, config: Function{Timeout: time.Second}, reason: "Sandbox.Timedout", has: "Task timed out after 1.00 seconds", next: "crashed"},
		{rule: "answers with 7 MB", event: `"big"`, reason: "Function.ResponseSizeTooLarge", has: "Response payload size (7340032 bytes)"},
		{rule: "reports an error", event: `"error"`, reason: "Runtime.Unknown", has: `"errorType":"Mine"`},
		{rule: "answers twice", event: `"twice"`, has: `"twice"`},
		{rule: "eats memory", event: `"memory"`, limits: true, reason: "OutOfMemory", has: "signal: killed", next: "crashed"},
		{rule: "forks for ever", event: `"fork"`, config: Function{MemoryMB: 2048}, limits: true, has: `"fork"`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if tt.limits {
				needLimits(t, e)
			}
			if tt.mode != "" {
				tt.config.Env = map[string]string{"MODE": tt.mode}
			}
			deploy(t, e, tt.config)
			a := send(t, e, tt.event)
			if a.status != 200 || a.header.Get("Coldstorm-Reason") != tt.reason || !strings.Contains(a.body, tt.has) {
				t.Errorf("got %d %s: %.300s", a.status, a.header.Get("Coldstorm-Reason"), a.body)
			}
			if failed := a.header.Get("X-Amz-Function-Error") == "Unhandled"; failed != (tt.reason != "") {
				t.Errorf("function error: %v", failed)
			}
			sums(t, a.evidence)
			if next := send(t, e, `"next"`); next.evidence.Cause != tt.next {
				t.Errorf("next start: %+v", next.evidence)
			}
		})
	}
}

// needLimits skips where environments run unlimited, as an ordinary user's do.
func needLimits(t *testing.T, e *Engine) {
	t.Helper()
	switch {
	case e.Host().Limits():
	case os.Getenv("CI") == "true" && os.Geteuid() == 0:
		t.Fatalf("root has no limits on this host: %v", e.Host().Missing())
	default:
		t.Skipf("NO LIMITS ON THIS HOST: %v", e.Host().Missing())
	}
}

func TestAFullSandboxFailsForItsProcessLimit(t *testing.T) {
	e := begin(t, Config{})
	needLimits(t, e)
	for event, kind := range map[string]string{`"hang"`: "Sandbox.Timedout", `"panic"`: "Runtime.ExitError"} {
		deploy(t, e, Function{MemoryMB: 2048, Timeout: 10 * time.Second})
		if a := send(t, e, `"fork"`, "X-Amz-Log-Type", "Tail"); a.body != `"fork"` {
			t.Fatalf("got %+v", a)
		}
		a := send(t, e, event)
		if got := a.header.Get("Coldstorm-Reason"); got != "ProcessLimit" || !strings.Contains(a.body, kind) {
			t.Errorf("%s: %s: %s", event, got, a.body)
		}
	}
}

func TestTailOfTheLog(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e := begin(t, Config{Log: w})
	w.Close()
	deploy(t, e, Function{})
	a := send(t, e, `"print"`, "X-Amz-Log-Type", "Tail")
	b, err := base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result"))
	if err != nil {
		t.Fatal(err)
	}
	id := a.header.Get("X-Amzn-Requestid")
	want := "START RequestId: " + id + " Version: $LATEST\nprinted by " + id + "\nEND RequestId: " + id + "\nREPORT RequestId: " + id + "\tDuration: "
	if !strings.HasPrefix(string(b), want) {
		t.Errorf("tail:\n%s", b)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Errorf("log: %q, %v", got, err)
	}
}

func TestTheEngineGoesWhenItsGeneratorDies(t *testing.T) {
	e := begin(t, Config{})
	deploy(t, e, Function{})
	send(t, e, "1")
	e.stdin.Close() // all that the engine sees of a generator's death
	<-e.Done()
	if !e.cmd.ProcessState.Success() {
		t.Errorf("engine ended with %s", e.cmd.ProcessState)
	}
	if err := e.Deploy(Function{}); err != ErrClosed {
		t.Errorf("deploy afterwards: %v", err)
	}
}

func TestWatch(t *testing.T) {
	e := begin(t, Config{})
	deploy(t, e, Function{})
	seen := make(chan Census, 1000)
	stop, err := e.Watch(time.Millisecond, func(c Census) {
		select {
		case seen <- c:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	send(t, e, `"spin"`)
	var last results.Stamp
	for c := range seen { // until one knows of the invocation
		if c.At <= last {
			t.Errorf("stamps %d, %d", last, c.At)
		}
		last = c.At
		if c.Offered != c.Served+c.InFlight {
			t.Errorf("triggers are not accounted for: %+v", c)
		}
		if c.Served == 1 {
			if c.FunctionsCPU < time.Millisecond || c.EngineCPU == 0 || c.Idle+c.Busy != 1 {
				t.Errorf("census %+v", c)
			}
			break
		}
	}
	stop()
}

func TestABurstInRealSandboxes(t *testing.T) {
	const n = 40
	e := begin(t, Config{Pool: 8})
	deploy(t, e, Function{Timeout: time.Minute})
	got := make(chan answer, n)
	for range n {
		go func() {
			a, err := try(e, `"spin"`)
			if err != nil {
				a.body = err.Error()
			}
			got <- a
		}()
	}
	for range n {
		a := <-got
		if a.body != `"spin"` {
			t.Errorf("got %+v", a)
			continue
		}
		sums(t, a.evidence)
	}
	if err := e.Discard(); err != nil {
		t.Error(err)
	}
	if a := send(t, e, "1"); a.evidence.Cause != results.CauseDeployed {
		t.Errorf("after Discard: %+v", a.evidence)
	}
}

func TestWhatCannotBeDeployed(t *testing.T) {
	e := begin(t, Config{})
	for _, f := range []Function{{}, {Name: "f"}} {
		if err := e.Deploy(f); err == nil {
			t.Errorf("%+v was deployed", f)
		}
	}
	if a := send(t, e, "1"); a.status != 404 {
		t.Errorf("invoke: %d", a.status)
	}
}

func BenchmarkWarm(b *testing.B) {
	for _, freeze := range []bool{true, false} {
		b.Run("freeze="+strconv.FormatBool(freeze), func(b *testing.B) {
			e := begin(b, Config{})
			deploy(b, e, Function{MemoryMB: 1769, NoFreeze: !freeze, RequestRate: -1})
			send(b, e, "1")
			var sum results.Phases
			n := 0
			for b.Loop() {
				a := send(b, e, "1")
				sum.Queue += a.evidence.Phases.Queue
				sum.Invoke += a.evidence.Phases.Invoke
				if a.evidence.Start != results.StartWarm {
					n++
				}
			}
			b.ReportMetric(float64(n), "cold")
			b.ReportMetric(float64(sum.Queue)/float64(b.N), "queue-ns/op")
			b.ReportMetric(float64(sum.Invoke)/float64(b.N), "invoke-ns/op")
		})
	}
}
