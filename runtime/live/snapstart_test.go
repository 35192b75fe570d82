package live

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
)

// waits is a runtime that asks for its restore, then serves.
func waits(g *guest) Exit {
	if g.send("GET", "restore/next", "") == 200 {
		return echo(g)
	}
	return Exit{}
}

func TestRestoredEnvironments(t *testing.T) {
	var log bytes.Buffer
	f, l := deploy(t, waits, Config{SnapStart: true, KeepAlive: time.Hour, Log: &log, RuntimeVersion: "python:3.13.v16", RuntimeVersionARN: "arn:x"})
	for _, want := range []results.Start{results.StartRestored, results.StartWarm} {
		r := f.Invoke(Request{ID: string(want), Payload: []byte("x")})
		e := r.Evidence
		if e.Start != want || r.Outcome != results.OutcomeServed || e.Phases.InitDuration() != 0 || (e.Phases.Restore > 0) != (want == results.StartRestored) || e.Phases.Sum() != e.Responded.Sub(e.Received) {
			t.Errorf("%+v", r)
		}
	}
	env := strings.Join(l.boxes[0].spec.Env, " ")
	if !strings.Contains(env, "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start") || strings.Contains(env, "AWS_LAMBDA_LOG_") {
		t.Errorf("environment %s", env)
	}
	f.Close()
	if want := regexp.MustCompile(`^RESTORE_START Runtime Version: python:3.13.v16\tRuntime Version ARN: arn:x
RESTORE_REPORT Restore Duration: [\d.]+ ms
START RequestId: restored Version: \$LATEST
END RequestId: restored
REPORT RequestId: restored\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: 8 MB\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t
START RequestId: warm`); !want.Match(log.Bytes()) {
		t.Errorf("log:\n%s", &log)
	}
}

func TestFailedRestores(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		behave func(*guest) Exit
		limit  time.Duration
		kind   string
		line   string
	}{
		{"a hook fails", func(g *guest) Exit {
			g.send("GET", "restore/next", "")
			g.send("POST", "restore/error", `{"errorType":"Mine"}`, "Lambda-Runtime-Function-Error-Type", "Function.Mine")
			return hang(g)
		}, 0, "Function.Mine", "Status: error\tError Type: Function.Mine"},
		{"it exits", func(g *guest) Exit { g.send("GET", "restore/next", ""); return Exit{Code: 3} }, 0, "Runtime.ExitError", "Status: error\tError Type: Runtime.ExitError"},
		{"it takes too long", func(g *guest) Exit { g.send("GET", "restore/next", ""); return hang(g) }, time.Millisecond, "Sandbox.Timedout", "Status: timeout"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			var log bytes.Buffer
			f, l := deploy(t, tt.behave, Config{SnapStart: true, InitLimit: tt.limit, Log: &log})
			r := f.Invoke(Request{ID: "1"})
			if late := tt.limit > 0; r.RestoreTimedOut != late || (r.Reason == "SnapStartTimeoutException") != late {
				t.Errorf("restore timed out: %v, reason %s", r.RestoreTimedOut, r.Reason)
			}
			if r.ErrorType != tt.kind || r.Evidence.Phases.Restore <= 0 || r.Evidence.Phases.InitDuration() != 0 {
				t.Errorf("%+v", r)
			}
			f.Close()
			if want := regexp.MustCompile(`(?m)^RESTORE_REPORT Restore Duration: [\d.]+ ms\t` + tt.line + "$"); len(want.FindAll(log.Bytes(), -1)) != 1 || strings.Contains(log.String(), "INIT_REPORT") {
				t.Errorf("log:\n%s", &log)
			}
			if n := l.launched.Load(); n != 1 {
				t.Errorf("%d launches", n)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	said := func(g *guest) Exit { g.print("no such\nfile\n"); return Exit{Code: 2} }
	for _, tt := range []struct {
		rule   string
		behave func(*guest) Exit
		take   error
		want   string // of the error; none
		log    string
	}{
		{rule: "waits", behave: waits, log: `^INIT_REPORT Init Duration: [\d.]+ ms\n$`},
		{rule: "waits in vain", behave: waits, take: errors.New("it has 2 threads"), want: "publish f: it has 2 threads"},
		{rule: "exits", behave: said, want: "publish f: init: Runtime.ExitError: Runtime exited with error: exit status 2: file", log: `^no such\nfile\nINIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError\n$`},
		{rule: "reports an error", behave: func(g *guest) Exit { g.post("init/error", `{"errorType":"Mine"}`); return hang(g) }, want: `publish f: init failed: {"errorType":"Mine"}`},
		{rule: "knows nothing of it", behave: echo, want: "publish f: init: Runtime.Unknown: its runtime asked for work"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			var log bytes.Buffer
			l, taken := &fake{t: t, behave: tt.behave}, 0
			took, err := Publish(context.Background(), l, Config{Name: "f", Log: &log}, func(Sandbox) error { taken++; return tt.take })
			if tt.want == "" && (err != nil || took <= 0) || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("took %v, error %v", took, err)
			}
			if waiting := tt.rule[:5] == "waits"; (taken == 1) != waiting || l.alive.Load() != 0 {
				t.Errorf("taken %d times, %d alive", taken, l.alive.Load())
			}
			if !regexp.MustCompile(tt.log).Match(log.Bytes()) {
				t.Errorf("log:\n%s", &log)
			}
		})
	}
}

func TestRehearse(t *testing.T) {
	l := &fake{t: t, behave: func(g *guest) Exit {
		if g.send("GET", "restore/next", "") == 200 {
			t.Error("it was woken")
		}
		return Exit{}
	}}
	if err := Rehearse(context.Background(), l, Config{Name: "f"}); err != nil || l.alive.Load() != 0 {
		t.Errorf("%v, %d alive", err, l.alive.Load())
	}
	l.behave = func(g *guest) Exit { g.print("coldstorm: restore: open /x failed\n"); return Exit{Code: 125} }
	if err := Rehearse(context.Background(), l, Config{Name: "f"}); err == nil || !strings.HasSuffix(err.Error(), "exit status 125: coldstorm: restore: open /x failed") {
		t.Errorf("got %v", err)
	}
	l.refuse = errors.New("no room")
	if err := Rehearse(context.Background(), l, Config{Name: "f"}); err == nil || !strings.HasSuffix(err.Error(), "no room") {
		t.Errorf("got %v", err)
	}
}

// TestPublishHasItsOwnLimit holds that an init that is published has 130 seconds.
func TestPublishHasItsOwnLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		_, err := Publish(context.Background(), &still{}, Config{Name: "f"}, nil)
		if err == nil || !strings.Contains(err.Error(), "Init timed out after 130.00 seconds") || time.Since(began) != 130*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// facts/aws.md 3.2.
func TestARestoreWithItsHooksIsLimitedTo10SecondsUnlessSet(t *testing.T) {
	c := Config{SnapStart: true, InitializationType: "snap-start", Timeout: 900 * time.Second}
	if got := c.withDefaults().InitLimit; got != 10*time.Second {
		t.Errorf("unset: %v", got)
	}
	c.InitLimit = time.Second
	if got := c.withDefaults().InitLimit; got != time.Second {
		t.Errorf("set to a second: %v", got)
	}
}
