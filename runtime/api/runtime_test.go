package api

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// runtime is the function's side: an HTTP client in the test's process.
type runtime struct {
	t    *testing.T
	base string
	http *http.Client
}

// begin serves an environment and returns it with a runtime that dials it.
func begin(t *testing.T, c Config) (*Environment, *runtime) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := New(l, c)
	transport := &http.Transport{}
	t.Cleanup(func() {
		e.Close()
		transport.CloseIdleConnections()
	})
	return e, &runtime{t: t, base: "http://" + l.Addr().String(), http: &http.Client{Transport: transport}}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (r *runtime) do(method, path string, body io.Reader, headers ...string) (answer, error) {
	req, err := http.NewRequest(method, r.base+path, body)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := r.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(b)}, err
}

func (r *runtime) must(method, path string, body io.Reader, headers ...string) answer {
	r.t.Helper()
	a, err := r.do(method, path, body, headers...)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

const root = "/2018-06-01/runtime/"

func (r *runtime) post(path, body string, headers ...string) answer {
	r.t.Helper()
	return r.must("POST", root+path, strings.NewReader(body), headers...)
}

// hooks collects what an environment reports.
type hooks struct {
	ready, idle chan results.Stamp
	failed      chan InitError
}

func newHooks() (hooks, Config) {
	h := hooks{make(chan results.Stamp, 9), make(chan results.Stamp, 9), make(chan InitError, 9)}
	return h, Config{
		FunctionName: "hello", Handler: "bootstrap",
		Ready: func(s results.Stamp) { h.ready <- s }, Idle: func(s results.Stamp) { h.idle <- s },
		InitError: func(e InitError) { h.failed <- e },
	}
}

// reply is what Invoke returned.
type reply struct {
	Response
	err error
}

// invoke starts an invocation once the runtime waits, and returns its event as
// the runtime got it and where its answer will be.
func invoke(t *testing.T, e *Environment, r *runtime, h hooks, inv Invocation) (event answer, result chan reply) {
	t.Helper()
	got, result := make(chan answer, 1), make(chan reply, 1)
	go func() {
		a, err := r.do("GET", root+"invocation/next", nil)
		if err != nil {
			a.body = err.Error()
		}
		got <- a
	}()
	select {
	case <-h.ready:
	case <-h.idle:
	}
	go func() {
		res, err := e.Invoke(inv)
		result <- reply{res, err}
	}()
	return <-got, result
}

func TestNextCarriesTheEventAndItsHeaders(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	deadline := time.UnixMilli(1700000000123)
	event, result := invoke(t, e, r, h, Invocation{
		ID: "id-1", ARN: "arn:aws:lambda:us-east-1:1:function:hello", Deadline: deadline,
		TraceID: "Root=1-2-3;Sampled=0", ClientContext: `{"a":1}`, Cognito: `{"b":2}`, TenantID: "blue", Payload: []byte(`{"x":true}`),
	})
	if event.status != 200 || event.body != `{"x":true}` {
		t.Fatalf("next: %d %q", event.status, event.body)
	}
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id":       "id-1",
		"Lambda-Runtime-Deadline-Ms":          "1700000000123",
		"Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:hello",
		"Lambda-Runtime-Trace-Id":             "Root=1-2-3;Sampled=0",
		"Lambda-Runtime-Client-Context":       `{"a":1}`,
		"Lambda-Runtime-Cognito-Identity":     `{"b":2}`,
		"Lambda-Runtime-Aws-Tenant-Id":        "blue",
		"Content-Type":                        "application/json",
	} {
		if got := event.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if a := r.post("invocation/id-1/response", "pong", "Content-Type", "text/x"); a.status != 202 || a.body != `{"status":"OK"}` {
		t.Errorf("response: %d %q", a.status, a.body)
	}
	got := <-result
	if got.err != nil || string(got.Payload) != "pong" || got.ContentType != "text/x" || got.ErrorType != "" {
		t.Errorf("invoke: %+v", got)
	}
	if first := e.FirstNext(); first == 0 || got.Delivered < first || got.Received < got.Delivered {
		t.Errorf("stamps out of order: first next %d, delivered %d, received %d", first, got.Delivered, got.Received)
	}
}

// A bootstrap in shell calls curl for every request: a connection each, and
// Expect before a large body.
func TestAConnectionForEachRequest(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	r.http.Transport = &http.Transport{DisableKeepAlives: true, ExpectContinueTimeout: time.Hour}
	for range 3 {
		_, result := invoke(t, e, r, h, Invocation{ID: "7"})
		if a := r.post("invocation/7/response", "ok", "Expect", "100-continue"); a.status != 202 {
			t.Errorf("response: %d %s", a.status, a.body)
		}
		if got := <-result; string(got.Payload) != "ok" {
			t.Errorf("got %+v", got)
		}
	}
}

func TestHeadersThatAreEmptyAreLeftOutAndLineBreaksDropped(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	event, _ := invoke(t, e, r, h, Invocation{ID: "1", ARN: "a\r\nEvil: yes"})
	if _, ok := event.header["Lambda-Runtime-Trace-Id"]; ok || event.header.Get("Evil") != "" {
		t.Errorf("headers %v", event.header)
	}
}

func TestAnswers(t *testing.T) {
	big := strings.Repeat("x", MaxPayload)
	chunked := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) } // length unknown
	tests := []struct {
		rule    string
		path    string
		body    io.Reader
		headers []string
		status  int
		kind    string // ErrorType
		payload string // how it begins; empty: not compared
		size    int
	}{
		{rule: "a chunked body counts", path: "response", body: chunked("abc"), status: 202, payload: "abc", size: 3},
		{rule: "the empty answer", path: "response", body: nil, status: 202},
		{rule: "the largest answer", path: "response", body: strings.NewReader(big), status: 202, size: MaxPayload},
		{rule: "streaming mode is buffered for a caller who doesn't stream", path: "response", body: chunked("s"), headers: []string{headerResponseMode, "streaming"}, status: 202, payload: "s", size: 1},
		{
			rule: "too large with a length", path: "response", body: strings.NewReader(big + "x"), status: 413, kind: "Function.ResponseSizeTooLarge",
			payload: `{"errorMessage":"Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`,
		},
		{
			rule: "too large, chunked", path: "response", body: chunked(big + "xyz"), status: 413, kind: "Function.ResponseSizeTooLarge",
			payload: `{"errorMessage":"Response payload size (6291559 bytes)`,
		},
		{
			rule: "another response mode", path: "response", body: strings.NewReader("x"), headers: []string{headerResponseMode, "dripping"}, status: 400,
			kind: "Runtime.InvalidResponseModeHeader", payload: `{"errorMessage":`,
		},
		{rule: "an error of a valid type", path: "error", body: strings.NewReader(`{"a":1}`), headers: []string{headerErrorType, "Function.Oops"}, status: 202, kind: "Function.Oops", payload: `{"a":1}`},
		{rule: "an error without a type", path: "error", body: strings.NewReader(`{}`), status: 202, kind: "Runtime.Unknown", payload: `{}`},
		{rule: "an error of another type", path: "error", body: strings.NewReader(`{}`), headers: []string{headerErrorType, "Function.no"}, status: 202, kind: "Function.Unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			h, c := newHooks()
			e, r := begin(t, c)
			_, result := invoke(t, e, r, h, Invocation{ID: "7"})
			if a := r.must("POST", root+"invocation/7/"+tt.path, tt.body, tt.headers...); a.status != tt.status {
				t.Errorf("runtime got %d %s, want %d", a.status, a.body, tt.status)
			}
			got := <-result
			if got.err != nil || got.ErrorType != tt.kind || !strings.HasPrefix(string(got.Payload), tt.payload) {
				t.Errorf("caller got type %q, payload %.200q, err %v", got.ErrorType, got.Payload, got.err)
			}
			if tt.kind == "" && len(got.Payload) != tt.size {
				t.Errorf("%d bytes, want %d", len(got.Payload), tt.size)
			}
		})
	}
}

func TestAnErrorInTrailersFailsTheInvocation(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	req, _ := http.NewRequest("POST", r.base+root+"invocation/7/response", io.MultiReader(strings.NewReader("part")))
	req.Trailer = http.Header{headerErrorType: {"Function.Broke"}, headerErrorBody: {"eyJhIjoxfQ=="}}
	res, err := r.http.Do(req)
	if err != nil || res.StatusCode != 202 {
		t.Fatal(res, err)
	}
	res.Body.Close()
	if got := <-result; got.ErrorType != "Function.Broke" || string(got.Payload) != `{"a":1}` {
		t.Errorf("got %q %q", got.ErrorType, got.Payload)
	}
}

func TestStateMachineRefuses(t *testing.T) {
	type step struct {
		method, path string
		status       int
		has          string
	}
	post := func(path string, status int, has string) step { return step{"POST", root + path, status, has} }
	tests := []struct {
		rule  string
		state string // reached first: started, running or sent
		steps []step
	}{
		{"no answer before the first next", "started", []step{
			post("invocation/7/response", 403, "State transition from Started to InvocationResponse failed for runtime. Error: State transition is not allowed"),
			post("invocation/7/error", 403, "from Started to InvocationErrorResponse"),
		}},
		{"init/error is final", "started", []step{
			post("init/error", 202, `{"status":"OK"}`),
			post("init/error", 403, "from InitError to InitError"),
			{"GET", root + "invocation/next", 403, "InvalidStateTransition"},
		}},
		{"no init/error after init", "running", []step{post("init/error", 403, "from Running to InitError")}},
		{"an unknown id", "running", []step{post("invocation/8/response", 400, "InvalidRequestID"), post("invocation/8/error", 400, "InvalidRequestID")}},
		{"a second answer", "sent", []step{
			post("invocation/7/response", 400, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`),
			post("invocation/7/error", 400, "InvalidRequestID"),
		}},
		{"next while running renders the event again", "running", []step{{"GET", root + "invocation/next", 200, "the event"}}},
		{"no such path", "started", []step{post("invocation/7/other", 404, ""), post("invocation/", 404, ""), post("invocation/7", 404, "")}},
		{"a wrong method", "started", []step{{"GET", root + "invocation/7/response", 405, ""}, post("invocation/next", 405, "")}},
		{"ping", "started", []step{{"GET", "/2018-06-01/ping", 200, "pong"}}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			h, c := newHooks()
			e, r := begin(t, c)
			if tt.state != "started" {
				invoke(t, e, r, h, Invocation{ID: "7", Payload: []byte("the event")})
			}
			if tt.state == "sent" {
				r.post("invocation/7/response", "x")
			}
			for _, s := range tt.steps {
				a := r.must(s.method, s.path, nil)
				if a.status != s.status || !strings.Contains(a.body, s.has) {
					t.Errorf("%s %s: %d %s, want %d %s", s.method, s.path, a.status, a.body, s.status, s.has)
				}
			}
		})
	}
}

func TestInitErrorIsReportedWithItsTypeSanitised(t *testing.T) {
	h, c := newHooks()
	_, r := begin(t, c)
	r.post("init/error", `{"errorType":"x"}`, headerErrorType, "no such type")
	if got := <-h.failed; got.Type != "Runtime.Unknown" || string(got.Payload) != `{"errorType":"x"}` {
		t.Errorf("got %q %q", got.Type, got.Payload)
	}
}

func TestAnInitErrorIsToldBeforeTheRuntimeIsAnswered(t *testing.T) {
	told := false
	_, r := begin(t, Config{InitError: func(InitError) { told = true }})
	if a := r.post("init/error", `{}`); a.status != 202 || !told {
		t.Errorf("%d, told %v", a.status, told)
	}
}

func TestATruncatedAnswerMayBeSentAgain(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "POST %sinvocation/7/response HTTP/1.1\r\nContent-Length: 99\r\n\r\nhalf", root)
	nc.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(nc)
	nc.Close()
	if !bytes.Contains(b, []byte("TruncatedHTTPRequest")) {
		t.Errorf("got %q", b)
	}
	r.post("invocation/7/response", "whole")
	if got := <-result; string(got.Payload) != "whole" {
		t.Errorf("caller got %+v", got)
	}
}

func TestANewerNextTakesThePlaceOfAnOlder(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	ask := func() net.Conn {
		nc, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { nc.Close() })
		fmt.Fprintf(nc, "GET %sinvocation/next HTTP/1.1\r\n\r\n", root)
		return nc
	}
	older := ask()
	<-h.ready
	newer := ask()
	if b, err := io.ReadAll(older); len(b) > 0 || err != nil {
		t.Errorf("older got %q, %v", b, err)
	}
	go e.Invoke(Invocation{ID: "7", Payload: []byte("x")})
	if line, err := bufio.NewReader(newer).ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
		t.Errorf("newer got %q, %v", line, err)
	}
}

func TestAbortEndsTheInvocationAndRefusesTheRest(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	e.Abort(io.ErrNoProgress)
	if got := <-result; got.err != io.ErrNoProgress || got.Delivered == 0 {
		t.Errorf("got %+v", got)
	}
	if a := r.post("invocation/7/response", "late"); a.status != 410 || !strings.Contains(a.body, `"ErrorRuntimeInvokeTimeout"`) {
		t.Errorf("late answer: %d %s", a.status, a.body)
	}
	if _, err := e.Invoke(Invocation{}); err != ErrClosed {
		t.Errorf("invoke after abort: %v", err)
	}
}

func TestDrainReadsWhatADeadRuntimeHadSent(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	fmt.Fprintf(nc, "POST %sinvocation/7/response HTTP/1.1\r\nContent-Length: 2\r\n\r\nok", root)
	nc.Close()
	e.Drain(io.ErrUnexpectedEOF)
	// The new connection may still have been in the listener's backlog.
	if got := <-result; got.err == nil && string(got.Payload) != "ok" || got.err != nil && got.err != io.ErrUnexpectedEOF {
		t.Errorf("got %+v", got)
	}
}

func TestDrainDoesNotWaitForExtensions(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	a := r.must("POST", "/2020-01-01/extension/register", strings.NewReader("{}"), "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "GET /2020-01-01/extension/event/next HTTP/1.1\r\nLambda-Extension-Identifier: %s\r\n\r\n", a.header.Get("Lambda-Extension-Identifier"))
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	for e.connections() < 2 { // the extension's may be in the backlog
		goruntime.Gosched()
	}
	r.http.CloseIdleConnections() // the runtime dies with its event unanswered
	e.Drain(io.ErrUnexpectedEOF)
	if got := <-result; got.err != io.ErrUnexpectedEOF {
		t.Errorf("got %+v", got)
	}
}

func (e *Environment) connections() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns)
}

func TestInvokeNeedsARuntimeThatWaits(t *testing.T) {
	e, _ := begin(t, Config{})
	if _, err := e.Invoke(Invocation{}); err != ErrNotReady {
		t.Errorf("before the first next: %v", err)
	}
	e.Close()
	if _, err := e.Invoke(Invocation{}); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

func TestExtensions(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	const ext = "/2020-01-01/extension/"
	a := r.must("POST", ext+"register", strings.NewReader(`{"events":null}`), "Lambda-Extension-Name", "GoLangEnableSIGTERM")
	id := a.header.Get("Lambda-Extension-Identifier")
	if a.status != 200 || len(id) != 36 || a.body != `{"functionName":"hello","functionVersion":"$LATEST","handler":"bootstrap"}` || !e.Extended() {
		t.Errorf("register: %d %q %s", a.status, id, a.body)
	}
	for _, tt := range []struct{ path, name, id, body, kind string }{
		{"register", "", "", "{}", "Extension.InvalidExtensionName"},
		{"register", "x", "", "{", "InvalidRequestFormat"},
		{"register", "x", "", `{"events":["SHUTDOWN"]}`, "Extension.InvalidEventType"},
		{"register", "GoLangEnableSIGTERM", "", `{}`, "Extension.InvalidExtensionState"},
		{"event/next", "", "nobody", "", "Extension.InvalidExtensionIdentifier"},
		{"event/next", "", "", "", "Extension.MissingExtensionIdentifier"},
		{"event/next", "", "00000000-0000-0000-0000-000000000000", "", "Extension.UnknownExtensionIdentifier"},
	} {
		if a := r.must("POST", ext+tt.path, strings.NewReader(tt.body), "Lambda-Extension-Name", tt.name, "Lambda-Extension-Identifier", tt.id); a.status != 403 || !strings.Contains(a.body, tt.kind) {
			t.Errorf("%+v: %d %s", tt, a.status, a.body)
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := r.do("GET", ext+"event/next", nil, "Lambda-Extension-Identifier", id)
		ended <- err
	}()
	invoke(t, e, r, h, Invocation{ID: "7"}) // an event for the runtime, none for the extension
	if a := r.must("POST", ext+"register", strings.NewReader("{}"), "Lambda-Extension-Name", "late"); !strings.Contains(a.body, "RegistrationClosed") {
		t.Errorf("late registration: %s", a.body)
	}
	e.Close()
	if err := <-ended; err == nil {
		t.Error("event/next returned an event")
	}
}

func TestSanitizeErrorType(t *testing.T) {
	for in, want := range map[string]string{
		"": "Runtime.Unknown", "Function.Oops": "Function.Oops", "Runtime.ExitError": "Runtime.ExitError",
		"Function.": "Function.Unknown", "Function.x": "Function.Unknown", "Function.A1": "Function.Unknown", "Function.A": "Function.Unknown",
		"Runtime.a": "Runtime.Unknown", "Sandbox.Timedout": "Runtime.Unknown", "Function": "Runtime.Unknown", "Function.Aé": "Function.Unknown",
	} {
		if got := SanitizeErrorType(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzSanitizeErrorType(f *testing.F) {
	f.Add("Function.Oops")
	f.Add("Runtime.\xff")
	f.Fuzz(func(t *testing.T, s string) {
		once := SanitizeErrorType(s)
		if SanitizeErrorType(once) != once {
			t.Errorf("%q: %q is not stable", s, once)
		}
	})
}

// FuzzConnection feeds a connection with a peer's bytes: nothing may panic or
// stay behind.
func FuzzConnection(f *testing.F) {
	f.Add([]byte("GET /2018-06-01/ping HTTP/1.1\r\n\r\n"))
	f.Add([]byte("POST /2018-06-01/runtime/init/error HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nContent-Length: 7\r\n\r\nab"))
	f.Add([]byte("GET /2018-06-01/runtime/invocation/next HTTP/1.0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newPipeListener()
		e := New(l, Config{})
		peer := l.dial()
		go io.Copy(io.Discard, peer)
		peer.Write(b)
		peer.Close()
		e.Close()
	})
}

// pipeListener hands out in-memory connections.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) dial() net.Conn {
	a, b := net.Pipe()
	l.conns <- a
	return b
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return nil }
