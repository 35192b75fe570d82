package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
)

// still launches sandboxes in which nothing ever happens, without a socket or a
// pipe, so that time can be virtual.
type still struct {
	mu    sync.Mutex
	boxes []*stillBox
}

type stillBox struct {
	spec    Spec
	birth   Birth
	done    chan struct{}
	once    sync.Once
	closing chan struct{}
}

func (s *still) Launch(_ context.Context, spec Spec) (Sandbox, error) {
	b := &stillBox{spec: spec, done: make(chan struct{}), closing: make(chan struct{})}
	b.birth = Birth{Listener: b, Mode: "cold", Ready: results.Now(), Exec: results.Now()}
	s.mu.Lock()
	s.boxes = append(s.boxes, b)
	s.mu.Unlock()
	return b, nil
}

func (b *stillBox) Accept() (net.Conn, error) { <-b.closing; return nil, net.ErrClosed }
func (b *stillBox) Addr() net.Addr            { return nil }
func (b *stillBox) Birth() Birth              { return b.birth }
func (b *stillBox) Freeze() error             { return nil }
func (b *stillBox) Thaw() error               { return nil }
func (b *stillBox) SetCPU(float64) error      { return nil }
func (b *stillBox) Usage() (Usage, error)     { return Usage{}, nil }
func (b *stillBox) Crowded() bool             { return false }
func (b *stillBox) Stop() error               { b.once.Do(func() { close(b.done) }); return nil }
func (b *stillBox) Done() <-chan struct{}     { return b.done }
func (b *stillBox) Exit() Exit                { <-b.done; return Exit{Signal: syscall.SIGKILL} }

func (b *stillBox) Close() error {
	select {
	case <-b.closing:
	default:
		close(b.closing)
	}
	return nil
}

func TestInitPhaseIsLimitedTo10SecondsAndRunsAgainUnderTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &still{}
		f := New(l, Config{KeepAlive: -1})
		began := time.Now()
		r := f.Invoke(Request{ID: "ID", Tail: true})
		if took := time.Since(began); took != 13*time.Second {
			t.Errorf("took %v, want 10 s of init and the timeout of 3 s", took)
		}
		if len(l.boxes) != 2 || l.boxes[0].spec.ID != l.boxes[1].spec.ID {
			t.Errorf("%d launches", len(l.boxes))
		}
		if r.Outcome != results.OutcomeTimedOut || !strings.Contains(string(r.Payload), "Task timed out after 3.00 seconds") {
			t.Errorf("got %s", r.Payload)
		}
		want := "INIT_REPORT Init Duration: 3000.00 ms\tPhase: invoke\tStatus: timeout\nSTART RequestId: ID Version: $LATEST\nEND RequestId: ID\n" +
			"REPORT RequestId: ID\tDuration: 3000.00 ms\t"
		if !strings.HasPrefix(string(r.Tail), want) || !strings.HasSuffix(string(r.Tail), "\tStatus: timeout\n") {
			t.Errorf("tail %q", r.Tail)
		}
		f.Close()
	})
}

func TestTimeoutsReach900Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := New(&still{}, Config{KeepAlive: -1, Timeout: MaxTimeout, InitLimit: time.Second})
		began := time.Now()
		if r := f.Invoke(Request{}); r.Outcome != results.OutcomeTimedOut || time.Since(began) != 901*time.Second {
			t.Errorf("%s after %v", r.Outcome, time.Since(began))
		}
		f.Close()
	})
}

// tryTwice hangs in its first init and serves after the second.
func tryTwice(then func(*guest) Exit, first func(*guest) Exit) func(*guest) Exit {
	var mu sync.Mutex
	tried := 0
	return func(g *guest) Exit {
		mu.Lock()
		tried++
		n := tried
		mu.Unlock()
		if n == 1 {
			return first(g)
		}
		return then(g)
	}
}

func TestAnInitOverItsLimitRunsAgainWithinTheFirstInvocation(t *testing.T) {
	var log bytes.Buffer
	f, l := deploy(t, tryTwice(echo, hang), Config{InitLimit: 20 * time.Millisecond, Timeout: time.Minute, Log: &log})
	r := f.Invoke(Request{ID: "one", Payload: []byte("x")})
	sums(t, r.Evidence)
	if r.Outcome != results.OutcomeServed || string(r.Payload) != "x" || r.Evidence.Cause != results.CauseDeployed || l.launched.Load() != 2 {
		t.Errorf("got %+v", r)
	}
	if p := r.Evidence.Phases; p.Init < 20*time.Millisecond {
		t.Errorf("init of %v", p.Init)
	}
	if warm := f.Invoke(Request{ID: "two"}); warm.Evidence.Start != results.StartWarm {
		t.Errorf("then %+v", warm.Evidence)
	}
	f.Close()
	if !regexp.MustCompile(`^INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: timeout\nSTART RequestId: one Version: \$LATEST\nEND RequestId: one\n`+
		`REPORT RequestId: one\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\t\n`).Match(log.Bytes()) || strings.Contains(log.String(), "\tInit Duration") {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestAFailedInitRunsAgainOnlyWhereThatIsAskedFor(t *testing.T) {
	fails := func(*guest) Exit { return Exit{Code: 1} }
	for _, again := range []bool{false, true} {
		f, l := deploy(t, tryTwice(echo, fails), Config{RerunFailedInit: again})
		r := f.Invoke(Request{})
		if served := r.Outcome == results.OutcomeServed; served != again || (l.launched.Load() == 2) != again {
			t.Errorf("rerun %v: %s after %d launches", again, r.Outcome, l.launched.Load())
		}
	}
	f, l := deploy(t, fails, Config{RerunFailedInit: true})
	if r := f.Invoke(Request{}); r.ErrorType != "Runtime.ExitError" || l.launched.Load() != 2 {
		t.Errorf("got %s after %d launches", r.ErrorType, l.launched.Load())
	}
}

// A crash or a timeout resets the environment: its next invocation runs init as
// a part of itself, and the REPORT line has no Init Duration.
func TestInitIsSuppressedAfterACrashOrATimeout(t *testing.T) {
	for _, kind := range []string{"crash", "timeout"} {
		t.Run(kind, func(t *testing.T) {
			f, l := deploy(t, serve(func(g *guest, id, event string) *Exit {
				switch event {
				case "crash":
					return &Exit{Code: 1}
				case "timeout":
					x := hang(g)
					return &x
				}
				g.post("invocation/"+id+"/response", event)
				return nil
			}), Config{Timeout: 200 * time.Millisecond})
			bad := f.Invoke(Request{ID: "bad", Payload: []byte(kind)})
			<-l.boxes[0].Done()
			r := f.Invoke(Request{ID: "ID", Tail: true})
			if r.Outcome != results.OutcomeServed || r.Evidence.Environment != bad.Evidence.Environment || r.Evidence.Cause != results.CauseCrashed {
				t.Fatalf("got %+v, before %+v", r.Evidence, bad.Evidence)
			}
			stream := func(g *guest) string {
				for _, e := range g.spec.Env {
					if v, ok := strings.CutPrefix(e, "AWS_LAMBDA_LOG_STREAM_NAME="); ok {
						return v
					}
				}
				return ""
			}
			if a, b := stream(l.boxes[0]), stream(l.boxes[1]); a != b || a == "" {
				t.Errorf("log streams %q, %q", a, b)
			}
			sums(t, r.Evidence)
			p := r.Evidence.Phases
			want := fmt.Sprintf("START RequestId: ID Version: $LATEST\nEND RequestId: ID\nREPORT RequestId: ID\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: 128 MB\tMax Memory Used: 8 MB\t\n",
				ms(p.Invoke+p.Init), r.Evidence.Billed.Milliseconds())
			if p.Init == 0 || string(r.Tail) != want {
				t.Errorf("tail %q, want %q", r.Tail, want)
			}
		})
	}
}

func TestASuppressedInitIsUnderTheTimeout(t *testing.T) {
	f, l := deploy(t, tryTwice(hang, serve(func(*guest, string, string) *Exit { return &Exit{Code: 1} })), Config{Timeout: 50 * time.Millisecond, InitLimit: time.Hour})
	f.Invoke(Request{})
	<-l.boxes[0].Done()
	r := f.Invoke(Request{ID: "ID", Tail: true})
	if r.Outcome != results.OutcomeTimedOut || !strings.Contains(string(r.Payload), "Task timed out after 0.05 seconds") || !strings.Contains(string(r.Tail), "\tPhase: invoke\tStatus: timeout\n") {
		t.Errorf("got %s %q", r.Payload, r.Tail)
	}
}

// term is a guest that hears signals.
type term struct {
	*guest
	heard func(syscall.Signal)
}

func (b term) Signal(s syscall.Signal) error { b.heard(s); return nil }

type termLauncher struct {
	*fake
	heard func(*guest, syscall.Signal)
}

func (l termLauncher) Launch(ctx context.Context, s Spec) (Sandbox, error) {
	b, err := l.fake.Launch(ctx, s)
	if err != nil {
		return nil, err
	}
	return term{b.(*guest), func(s syscall.Signal) { l.heard(b.(*guest), s) }}, nil
}

// extend registers an internal extension that waits for ever, as aws-lambda-go's
// for SIGTERM does.
func (g *guest) extend() {
	const id = "Lambda-Extension-Identifier"
	h := g.extension("POST", "register", `{"events":[]}`, "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	go g.extension("GET", "event/next", "", id, h.Get(id))
}

func TestSIGTERMOnlyIfAnExtensionIsRegistered(t *testing.T) {
	for _, extended := range []bool{true, false} {
		heard := make(chan syscall.Signal, 1)
		l := termLauncher{&fake{t: t, behave: func(g *guest) Exit {
			if extended {
				g.extend()
			}
			return echo(g)
		}}, func(g *guest, s syscall.Signal) {
			if g.frozen.Load() {
				t.Error("a frozen environment was sent a signal")
			}
			heard <- s
			g.kill() // it ends by itself
		}}
		f := New(l, Config{KeepAlive: -1})
		if r := f.Invoke(Request{}); r.Outcome != results.OutcomeServed {
			t.Errorf("got %+v", r)
		}
		f.Close()
		if n := len(heard); (n == 1) != extended {
			t.Errorf("extended %v: %d signals", extended, n)
		}
	}
}

func TestLimitsOfAConfiguration(t *testing.T) {
	ok := func(c Config) bool { return c.Check() == nil }
	long := map[string]string{"A": strings.Repeat("x", MaxEnvBytes-1)}
	tests := []struct {
		rule string
		c    Config
		ok   bool
	}{
		{"defaults", Config{}, true},
		{"memory from 128 MB", Config{MemoryMB: 127}, false},
		{"memory to 10,240 MB", Config{MemoryMB: 10240}, true},
		{"and no more", Config{MemoryMB: 10241}, false},
		{"/tmp from 512 MB", Config{EphemeralMB: 511}, false},
		{"/tmp to 10,240 MB", Config{EphemeralMB: 10240}, true},
		{"and no more", Config{EphemeralMB: 10241}, false},
		{"a timeout from 1 s", Config{Timeout: time.Second - 1}, false},
		{"a timeout to 900 s", Config{Timeout: 900 * time.Second}, true},
		{"and no more", Config{Timeout: 901 * time.Second}, false},
		{"4 KB of variables", Config{Env: long}, true},
		{"and no more", Config{Env: map[string]string{"A": long["A"], "B": ""}}, false},
	}
	for _, tt := range tests {
		if ok(tt.c) != tt.ok {
			t.Errorf("%s: %v", tt.rule, tt.c.Check())
		}
	}
}

func TestTheSandboxGetsTheQuotaOfTmp(t *testing.T) {
	f, l := deploy(t, echo, Config{EphemeralMB: 2048})
	f.Invoke(Request{})
	if got := l.boxes[0].spec.TmpMB; got != 2048 {
		t.Errorf("got %d MB", got)
	}
}

func TestEnvironPrecedence(t *testing.T) {
	c := Config{
		Runtime: "python3.13", LogFormat: "JSON", LogLevel: "INFO", XRayDaemon: "169.254.79.129:2000", MaxConcurrency: 4,
		Credentials: &Credentials{"id", "secret", "token"},
		Env: map[string]string{
			"AWS_ACCESS_KEY_ID": "dropped", "AWS_EXECUTION_ENV": "dropped", "AWS_LAMBDA_MAX_CONCURRENCY": "dropped", "_AWS_XRAY_DAEMON_PORT": "dropped",
			"AWS_LAMBDA_LOG_LEVEL": "DEBUG", "AWS_XRAY_CONTEXT_MISSING": "mine", "LANG": "C", "PATH": "/mine", "LD_LIBRARY_PATH": "", "TZ": "CET",
		},
	}.withDefaults()
	got := "\n" + strings.Join(c.environ("s"), "\n") + "\n"
	for _, want := range []string{
		"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token", "AWS_EXECUTION_ENV=AWS_Lambda_python3.13",
		"AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=DEBUG", "AWS_XRAY_CONTEXT_MISSING=mine", "AWS_XRAY_DAEMON_ADDRESS=169.254.79.129:2000",
		"_AWS_XRAY_DAEMON_ADDRESS=169.254.79.129", "_AWS_XRAY_DAEMON_PORT=2000", "AWS_LAMBDA_MAX_CONCURRENCY=4",
		"LANG=C", "PATH=/mine", "LD_LIBRARY_PATH=", "TZ=CET", "AWS_LAMBDA_INITIALIZATION_TYPE=lambda-managed-instances",
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("lacks %s:%s", want, got)
		}
	}
	if strings.Contains(got, "dropped") {
		t.Errorf("kept a reserved name:%s", got)
	}
	c = Config{Runtime: "provided.al2023"}.withDefaults()
	if got := strings.Join(c.environ("s"), "\n"); strings.Contains(got, "AWS_EXECUTION_ENV") || strings.Contains(got, "AWS_ACCESS_KEY") {
		t.Errorf("provided:%s", got)
	}
}

// Lines byte for byte, but for what is measured.
func TestLinesOfTheLifeCycle(t *testing.T) {
	timeout, crash := timeoutFailure("Task", 3*time.Second), failed("Extension.Crash", "it crashed")
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	version := Config{RuntimeVersion: "python:3.12.v16", RuntimeVersionARN: "arn:aws:lambda:us-east-1::runtime:0"}
	for _, tt := range []struct{ rule, got, want string }{
		{"INIT_START", string(version.appendInitStart(nil, "")), "INIT_START Runtime Version: python:3.12.v16\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:0\n"},
		{"INIT_START of an unknown version", string(Config{}.appendInitStart(nil, "")), ""},
		{"INIT_REPORT, init", string(appendInitReport(nil, 1236040*time.Microsecond, initOwn, timeout)), "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout\n"},
		{"INIT_REPORT, invoke", string(appendInitReport(nil, time.Second, initSuppressed, crash)), "INIT_REPORT Init Duration: 1000.00 ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\n"},
		{"RESTORE_REPORT", string(AppendRestoreReport(nil, 1236040*time.Microsecond, exitFailure(Exit{Code: 1}))), "RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: error\tError Type: Runtime.ExitError\n"},
		{"RESTORE_REPORT of a good restore", string(AppendRestoreReport(nil, time.Millisecond, nil)), "RESTORE_REPORT Restore Duration: 1.00 ms\n"},
		{"the older line of a timeout", string(timeout.appendText(nil, "ID", at)), "2026-01-02T03:04:05.678Z ID Task timed out after 3.00 seconds\n\n"},
		{"the older lines of an end", string(exitFailure(Exit{}).appendText(nil, "ID", at)), "RequestId: ID Error: Runtime exited without providing a reason\nRuntime.ExitError\n"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.rule, tt.got, tt.want)
		}
	}
}

func TestFreeTextIsASetting(t *testing.T) {
	for _, on := range []bool{false, true} {
		f, _ := deploy(t, serve(func(*guest, string, string) *Exit { return &Exit{Code: 1} }), Config{FreeText: on})
		r := f.Invoke(Request{ID: "ID", Tail: true})
		if has := strings.Contains(string(r.Tail), "RequestId: ID Error: Runtime exited with error: exit status 1\nRuntime.ExitError\nEND"); has != on {
			t.Errorf("%v: %s", on, r.Tail)
		}
	}
}

func TestARefusedLaunchOfTheSecondInitFailsTheInvocation(t *testing.T) {
	f, l := deploy(t, nil, Config{InitLimit: 20 * time.Millisecond, Timeout: time.Minute})
	l.behave = func(g *guest) Exit {
		l.mu.Lock()
		l.refuse = errors.New("no room")
		l.mu.Unlock()
		return hang(g)
	}
	if r := f.Invoke(Request{}); r.ErrorType != "Sandbox.Failure" || !strings.Contains(string(r.Payload), "no room") {
		t.Errorf("got %s", r.Payload)
	}
}

func TestTheInitLimitIsLongerWhereNobodyWaitsForIt(t *testing.T) {
	for _, tt := range []struct {
		kind    string
		timeout time.Duration
		want    time.Duration
	}{
		{"", 900 * time.Second, 10 * time.Second},
		{"on-demand", 0, 10 * time.Second},
		{"provisioned-concurrency", 0, 130 * time.Second},
		{"snap-start", 129 * time.Second, 130 * time.Second},
		{"lambda-managed-instances", 900 * time.Second, 900 * time.Second},
	} {
		if got := (Config{InitializationType: tt.kind, Timeout: tt.timeout}).withDefaults().InitLimit; got != tt.want {
			t.Errorf("%q with a timeout of %v: %v, want %v", tt.kind, tt.timeout, got, tt.want)
		}
	}
}

func TestSnapStartHasNoNamesOfItsLog(t *testing.T) {
	got := strings.Join(Config{InitializationType: "snap-start"}.withDefaults().environ("s"), "\n")
	if strings.Contains(got, "AWS_LAMBDA_LOG_") || !strings.Contains(got, "AWS_LAMBDA_INITIALIZATION_TYPE=snap-start") {
		t.Error(got)
	}
}
