package api

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const ext = "/2020-01-01/extension/"

// register registers an extension and returns its identifier.
func (r *runtime) register(name, events string) string {
	r.t.Helper()
	a := r.must("POST", ext+"register", strings.NewReader(`{"events":`+events+`}`), "Lambda-Extension-Name", name)
	if a.status != 200 {
		r.t.Fatalf("register %s: %d %s", name, a.status, a.body)
	}
	return a.header.Get(headerExtensionID)
}

// events asks for an extension's events, and hands each to got.
func (r *runtime) events(id string, got chan<- answer) {
	for {
		a, err := r.do("GET", ext+"event/next", nil, headerExtensionID, id)
		if err != nil || a.status != 200 {
			close(got)
			return
		}
		got <- a
	}
}

func TestInitEndsWhenTheRuntimeAndEveryExtensionAskForWork(t *testing.T) {
	for _, last := range []string{"runtime", "extension"} {
		t.Run(last+" is last", func(t *testing.T) {
			h, c := newHooks()
			c.Extensions = []string{"outside"}
			e, r := begin(t, c)
			id := r.register("outside", "[]")
			if !e.External() || !e.Extended() {
				t.Error("not known as external")
			}
			steps := map[string]func(){
				"runtime":   func() { r.do("GET", root+"invocation/next", nil) },
				"extension": func() { r.do("GET", ext+"event/next", nil, headerExtensionID, id) },
			}
			for name, step := range steps {
				if name != last {
					go step()
				}
			}
			for !e.asks(last != "runtime") {
			}
			if len(h.ready) != 0 {
				t.Error("ready too early")
			}
			go steps[last]()
			<-h.ready
		})
	}
}

// asks reports whether the runtime, or else an extension, waits for work.
func (e *Environment) asks(byRuntime bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if byRuntime {
		return len(e.waiting) > 0
	}
	return len(e.extensions) > 0 && e.extensions[0].waiting != nil
}

func TestExtensionsGetTheEventsThatTheyAskedFor(t *testing.T) {
	h, c := newHooks()
	c.Extensions = []string{"outside"}
	e, r := begin(t, c)
	outside, inside := make(chan answer), make(chan answer)
	go r.events(r.register("outside", `["INVOKE","SHUTDOWN"]`), outside)
	go r.events(r.register("inside", `["INVOKE"]`), inside)
	_, result := invoke(t, e, r, h, Invocation{ID: "7", ARN: "arn", TraceID: "Root=1", Deadline: time.UnixMilli(1700000000123)})
	const want = `{"eventType":"INVOKE","deadlineMs":1700000000123,"requestId":"7","invokedFunctionArn":"arn","tracing":{"type":"X-Amzn-Trace-Id","value":"Root=1"}}`
	for _, got := range []answer{<-outside, <-inside} {
		if got.body != want || got.header.Get("Content-Type") != "application/json" || !isID(got.header.Get("Lambda-Extension-Event-Identifier")) {
			t.Errorf("got %s %v", got.body, got.header)
		}
	}
	r.post("invocation/7/response", "ok")
	<-result
	if e.Shutdown("spindown", time.UnixMilli(5)) != true {
		t.Error("nobody wants to hear of the shutdown")
	}
	if got := <-outside; got.body != `{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":5}` {
		t.Errorf("got %s", got.body)
	}
	e.Close()
	if _, ok := <-inside; ok {
		t.Error("an internal extension got SHUTDOWN")
	}
}

func TestAnEnvironmentIsIdleOnceItsExtensionsAskAgain(t *testing.T) {
	h, c := newHooks()
	c.Extensions = []string{"outside"}
	e, r := begin(t, c)
	id := r.register("outside", `["INVOKE"]`)
	ask := func(got chan answer) {
		a, _ := r.do("GET", ext+"event/next", nil, headerExtensionID, id)
		got <- a
	}
	got := make(chan answer, 2)
	go ask(got)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	<-got
	r.post("invocation/7/response", "ok")
	<-result // the caller doesn't wait for extensions
	go r.do("GET", root+"invocation/next", nil)
	for !e.asks(true) {
	}
	if len(h.idle) != 0 {
		t.Error("idle while an extension works")
	}
	go ask(got)
	<-h.idle
}

func TestAnExtensionThatIsBusyGetsItsEventWithItsNextNext(t *testing.T) {
	h, c := newHooks()
	c.Extensions = []string{"outside"}
	e, r := begin(t, c)
	id := r.register("outside", `["INVOKE","SHUTDOWN"]`)
	first := make(chan answer)
	go func() {
		a, _ := r.do("GET", ext+"event/next", nil, headerExtensionID, id)
		first <- a
	}()
	invoke(t, e, r, h, Invocation{ID: "7"})
	<-first
	e.Shutdown("failure", time.UnixMilli(5))
	if a := r.must("GET", ext+"event/next", nil, headerExtensionID, id); !strings.Contains(a.body, `"shutdownReason":"failure"`) {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestExtensionErrorsEndTheEnvironment(t *testing.T) {
	for _, tt := range []struct{ path, kind string }{{"init/error", "Extension.InitError"}, {"exit/error", "Extension.ExitError"}} {
		_, c := newHooks()
		c.Extensions = []string{"outside"}
		failed := make(chan ExtensionError, 9)
		c.ExtensionError = func(e ExtensionError) { failed <- e }
		_, r := begin(t, c)
		id := r.register("outside", `[]`)
		if a := r.must("POST", ext+tt.path, nil, headerExtensionID, id); a.status != 403 || !strings.Contains(a.body, "Extension.MissingHeader") {
			t.Errorf("without a type: %d %s", a.status, a.body)
		}
		for range 2 { // the first counts
			if a := r.must("POST", ext+tt.path, nil, headerExtensionID, id, headerExtensionType, "Mine.Bad"); a.status != 202 || a.body != `{"status":"OK"}` {
				t.Errorf("%s: %d %s", tt.path, a.status, a.body)
			}
		}
		if got := <-failed; got != (ExtensionError{"outside", tt.kind, "Mine.Bad"}) || len(failed) != 0 {
			t.Errorf("told %+v", got)
		}
		if a := r.must("GET", ext+"event/next", nil, headerExtensionID, id); a.status != 403 || !strings.Contains(a.body, "Extension.InvalidExtensionState") {
			t.Errorf("next: %d %s", a.status, a.body)
		}
	}
}

func TestAtMostTenExtensions(t *testing.T) {
	_, r := begin(t, Config{})
	for i := range 10 {
		r.register(fmt.Sprint(i), "[]")
	}
	if a := r.must("POST", ext+"register", strings.NewReader("{}"), "Lambda-Extension-Name", "more"); a.status != 403 || !strings.Contains(a.body, `"Extension.TooManyExtensions"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestExtensionsOfManagedInstancesCanNotHaveInvoke(t *testing.T) {
	_, r := begin(t, Config{MaxConcurrency: 2})
	if a := r.must("POST", ext+"register", strings.NewReader(`{"events":["INVOKE"]}`), "Lambda-Extension-Name", "x"); a.status != 403 || !strings.Contains(a.body, "Extension.InvalidEventType") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestAnExternalExtensionRegistersOnceAndInTheRuntimesInit(t *testing.T) {
	h, c := newHooks()
	c.Extensions, c.AccountID = []string{"outside"}, "123456789012"
	_, r := begin(t, c)
	a := r.must("POST", ext+"register", strings.NewReader("{}"), "Lambda-Extension-Name", "outside", "Lambda-Extension-Accept-Feature", "other, accountId")
	if a.body != `{"accountId":"123456789012","functionName":"hello","functionVersion":"$LATEST","handler":"bootstrap"}` {
		t.Errorf("got %s", a.body)
	}
	if a := r.must("POST", ext+"register", strings.NewReader("{}"), "Lambda-Extension-Name", "outside"); a.status != 403 || !strings.Contains(a.body, "State transition from Registered to Registered failed for extension outside") {
		t.Errorf("again: %d %s", a.status, a.body)
	}
	if len(h.ready) != 0 {
		t.Error("ready")
	}
}

func TestFailLeavesExtensionsWaitingForShutdown(t *testing.T) {
	h, c := newHooks()
	c.Extensions = []string{"outside"}
	e, r := begin(t, c)
	got := make(chan answer)
	go r.events(r.register("outside", `["SHUTDOWN"]`), got)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	e.Fail(ErrNotReady)
	if res := <-result; res.err != ErrNotReady {
		t.Errorf("got %+v", res)
	}
	e.Shutdown("timeout", time.UnixMilli(1))
	if a := <-got; !strings.Contains(a.body, `"shutdownReason":"timeout"`) {
		t.Errorf("got %s", a.body)
	}
}
