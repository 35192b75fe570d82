package invoke

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// stub answers with what it is told to, and remembers what it was asked.
type stub struct {
	result live.Result
	asked  live.Request
}

func (f *stub) Serve(r live.Request, answer func(live.Result)) {
	f.asked = r
	answer(f.result)
}

func lookup(f Function) Handler {
	return Handler{Lookup: func(name string) Function {
		if name == "hello" {
			return f
		}
		return nil
	}}
}

func ask(h http.Handler, method, path, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

const hello = "/2015-03-31/functions/hello/invocations"

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAResponse(t *testing.T) {
	e := results.Evidence{Environment: "e", Start: results.StartWarm, Served: 3, Received: 5, Responded: 9}
	f := &stub{result: live.Result{RequestID: "id", Outcome: results.OutcomeServed, Payload: []byte(`"hi"`), Evidence: e, Tail: []byte("log")}}
	r := ask(lookup(f), "POST", hello, `{"a":1}`, "Authorization", "AWS4-HMAC-SHA256 whatever", "X-Amz-Log-Type", "Tail",
		"X-Amz-Client-Context", base64.StdEncoding.EncodeToString([]byte(`{"c":1}`)), "X-Amzn-Trace-Id", "Root=1")
	if r.StatusCode != 200 || text(t, r) != `"hi"` {
		t.Errorf("got %v", r)
	}
	for k, want := range map[string]string{
		"X-Amzn-Requestid": "id", "X-Amz-Executed-Version": "$LATEST", "X-Amz-Function-Error": "", "X-Amz-Log-Result": "bG9n",
		"Content-Type": "application/json", results.EvidenceHeader: e.String(), OutcomeHeader: "",
	} {
		if got := r.Header.Get(k); got != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
	if a := f.asked; string(a.Payload) != `{"a":1}` || a.ClientContext != `{"c":1}` || a.TraceID != "Root=1" || !a.Tail {
		t.Errorf("function was asked %+v", a)
	}
	ask(lookup(f), "POST", hello, "")
	if string(f.asked.Payload) != "{}" || f.asked.Tail {
		t.Errorf("without a body: %+v", f.asked)
	}
}

func TestAFunctionErrorKeepsStatus200(t *testing.T) {
	f := &stub{result: live.Result{Outcome: results.OutcomeTimedOut, Reason: "Sandbox.Timedout", Payload: []byte("{}")}}
	r := ask(lookup(f), "POST", hello, "")
	if r.StatusCode != 200 || r.Header.Get("X-Amz-Function-Error") != "Unhandled" ||
		r.Header.Get(OutcomeHeader) != "timed-out" || r.Header.Get(results.ReasonHeader) != "Sandbox.Timedout" {
		t.Errorf("got %v", r)
	}
}

func TestAThrottleCarriesItsReasonAndEvidence(t *testing.T) {
	f := &stub{result: live.Result{Outcome: results.OutcomeThrottled, Reason: "ConcurrentInvocationLimitExceeded", Evidence: results.Evidence{Received: 1}}}
	r := ask(lookup(f), "POST", hello, "")
	want := `{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`
	if got := text(t, r); r.StatusCode != 429 || got != want || r.Header.Get("x-amzn-ErrorType") != "TooManyRequestsException" ||
		r.Header.Get(results.EvidenceHeader) != "received=1" || r.Header.Get("X-Amz-Function-Error") != "" {
		t.Errorf("got %v %s", r, got)
	}
}

// facts/aws.md 2.2: 429 comes with Retry-After, in whole seconds.
func TestAThrottleSaysWhenToRetryAndNoOtherOutcomeDoes(t *testing.T) {
	for _, tt := range []struct {
		outcome results.Outcome
		want    string
	}{{results.OutcomeThrottled, "1"}, {results.OutcomeServed, ""}} {
		r := ask(lookup(&stub{result: live.Result{Outcome: tt.outcome}}), "POST", hello, "")
		if got := r.Header.Get("Retry-After"); got != tt.want {
			t.Errorf("%v: Retry-After %q, want %q", tt.outcome, got, tt.want)
		}
	}
}

// facts/aws.md 1.2: the tenant of a request reaches its function.
func TestATenantIsPassedToTheFunction(t *testing.T) {
	f := &stub{}
	ask(lookup(f), "POST", hello, "", "X-Amz-Tenant-Id", "blue")
	if f.asked.TenantID != "blue" {
		t.Errorf("tenant %q", f.asked.TenantID)
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		rule, method, path, body string
		headers                  []string
		status                   int
		kind                     string
	}{
		{rule: "unknown function", path: "/2015-03-31/functions/other/invocations", status: 404, kind: "ResourceNotFoundException"},
		{rule: "unknown qualifier", path: hello + "?Qualifier=7", status: 404, kind: "ResourceNotFoundException"},
		{rule: "unknown qualifier in the name", path: "/2015-03-31/functions/hello:live/invocations", status: 404, kind: "ResourceNotFoundException"},
		{rule: "another path", path: "/", status: 404, kind: "UnknownOperationException"},
		{rule: "a slash in the name", path: "/2015-03-31/functions/a/b/invocations", status: 404, kind: "UnknownOperationException"},
		{rule: "another method", method: "GET", path: hello, status: 405, kind: "MethodNotAllowedException"},
		{rule: "over 6 MB", path: hello, body: strings.Repeat("x", maxRequest+1), status: 413, kind: "RequestTooLargeException"},
		{rule: "asynchronous", path: hello, headers: []string{"X-Amz-Invocation-Type", "Event"}, status: 501, kind: "NotImplementedException"},
		{rule: "no such type", path: hello, headers: []string{"X-Amz-Invocation-Type", "Maybe"}, status: 400, kind: "InvalidParameterValueException"},
		{rule: "client context that isn't base64", path: hello, headers: []string{"X-Amz-Client-Context", "{}"}, status: 400, kind: "InvalidRequestContentException"},
		{rule: "client context over 3583 bytes", path: hello, headers: []string{"X-Amz-Client-Context", strings.Repeat("e30K", 896)}, status: 400, kind: "InvalidRequestContentException"},
		{rule: "dry run", path: hello, headers: []string{"X-Amz-Invocation-Type", "DryRun"}, status: 204},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if tt.method == "" {
				tt.method = "POST"
			}
			f := &stub{}
			r := ask(lookup(f), tt.method, tt.path, tt.body, tt.headers...)
			if r.StatusCode != tt.status || r.Header.Get("x-amzn-ErrorType") != tt.kind {
				t.Errorf("got %d %s: %s", r.StatusCode, r.Header.Get("x-amzn-ErrorType"), text(t, r))
			}
			if f.asked.Payload != nil {
				t.Error("the function was invoked")
			}
		})
	}
}

func TestNamesOfAFunction(t *testing.T) {
	for _, name := range []string{
		"hello", "hello:$LATEST", "123456789012:function:hello", "arn:aws:lambda:us-east-1:123456789012:function:hello",
		"arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Ahello%3A%24LATEST",
	} {
		r := ask(lookup(&stub{}), "POST", "/2015-03-31/functions/"+name+"/invocations", "")
		if r.StatusCode != 200 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
}

func TestTheLargestRequestChunked(t *testing.T) {
	f := &stub{}
	for size, want := range map[int]int{maxRequest: 200, maxRequest + 1: 413} {
		r := httptest.NewRequest("POST", hello, io.MultiReader(strings.NewReader(strings.Repeat("x", size))))
		w := httptest.NewRecorder()
		if lookup(f).ServeHTTP(w, r); w.Code != want {
			t.Errorf("%d bytes: %d", size, w.Code)
		}
	}
}

// gate lets nobody through before all are there.
type gate struct{ all sync.WaitGroup }

func (g *gate) Serve(r live.Request, answer func(live.Result)) {
	g.all.Done()
	g.all.Wait()
	answer(live.Result{Outcome: results.OutcomeServed, Payload: r.Payload})
}

func TestAThousandRequestsAtOnce(t *testing.T) {
	const n = 1000
	g := &gate{}
	g.all.Add(n)
	s := httptest.NewServer(lookup(g))
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	failed := make(chan error, n)
	for i := range n {
		go func() {
			res, err := client.Post(s.URL+hello, "application/json", strings.NewReader(fmt.Sprint(i)))
			if err == nil {
				b, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if string(b) != fmt.Sprint(i) {
					err = fmt.Errorf("request %d: %d %s", i, res.StatusCode, b)
				}
			}
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzFunctionName(f *testing.F) {
	f.Add("/2015-03-31/functions/hello/invocations", "")
	f.Add("/2015-03-31/functions/arn:aws:lambda:r:a:function:hello:$LATEST/invocations", "$LATEST")
	f.Fuzz(func(t *testing.T, path, qualifier string) {
		name, ok := functionName(path)
		if !ok {
			return
		}
		lookup(&stub{}).find(name, qualifier) // doesn't panic
	})
}

func ExampleHandler() {
	h := Handler{Lookup: func(string) Function {
		return &stub{result: live.Result{Outcome: results.OutcomeServed, Payload: []byte(`"pong"`)}}
	}}
	s := httptest.NewServer(h)
	defer s.Close()
	res, err := http.Post(s.URL+"/2015-03-31/functions/ping/invocations", "application/json", strings.NewReader("{}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	fmt.Println(res.Status, string(b))
	// Output: 200 OK "pong"
}
