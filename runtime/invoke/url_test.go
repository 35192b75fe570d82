package invoke

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// urled is an account with a function at a URL, which answers with what its
// caller's path says.
func urled(t *testing.T, config string) (url, id string, asked *urlEvent) {
	asked = &urlEvent{}
	s, server := account(t, &workshop{behave: func(_ live.Config, r live.Request) live.Result {
		if err := json.Unmarshal(r.Payload, asked); err != nil {
			t.Error(err)
		}
		if r.Stream != nil {
			return streamed(asked.RawPath, r.Stream)
		}
		switch asked.RawPath {
		case "/full":
			return live.Result{Payload: []byte(`{"statusCode":201,"headers":{"x-a":"b","content-type":"text/plain"},"cookies":["c=1","d=2"],"body":"aGk=","isBase64Encoded":true}`)}
		case "/plain":
			return live.Result{Payload: []byte(`{"hello":"there"}`)}
		case "/text":
			return live.Result{Payload: []byte(`"hi"`)}
		case "/nonsense":
			return live.Result{Payload: []byte(`{`)}
		case "/fails":
			return live.Result{Outcome: results.OutcomeFailed, Payload: []byte(`{"errorType":"X"}`)}
		}
		return live.Result{Outcome: results.OutcomeThrottled, Reason: "ConcurrentInvocationLimitExceeded"}
	}}, Config{})
	create(t, s, "f")
	code, kind, out := talk(t, s, "POST", "/2021-10-31/functions/f/url", config)
	if code != 201 {
		t.Fatal(code, kind, out)
	}
	url, _ = out["FunctionUrl"].(string)
	id = strings.Trim(strings.TrimPrefix(url, server.URL+urlPath), "/")
	return url, id, asked
}

func streamed(path string, out live.Stream) live.Result {
	switch path {
	case "/prelude":
		out.Begin(httpResponse)
		for _, piece := range []string{`{"statusCode":404,`, `"headers":{"x-a":"b"}}` + "\x00\x00\x00", "\x00\x00\x00\x00\x00gone ", "away"} {
			out.Write([]byte(piece))
		}
	case "/plain":
		out.Begin("text/csv")
		out.Write([]byte("a,b"))
	case "/broken":
		out.Begin("text/csv")
		out.Write([]byte("a,b"))
		return live.Result{Outcome: results.OutcomeFailed, Streamed: true}
	case "/nonsense":
		out.Begin(httpResponse)
		out.Write([]byte("no prelude"))
	default:
		return live.Result{Outcome: results.OutcomeFailed}
	}
	return live.Result{Streamed: true}
}

func get(t *testing.T, req *http.Request) (*http.Response, string) {
	t.Helper()
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return r, "cut"
	}
	return r, string(b)
}

func request2(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAFunctionURLsEvent(t *testing.T) {
	url, id, asked := urled(t, `{"AuthType":"NONE"}`)
	r := request2(t, "POST", url+"full?a=1&a=2&b=x%20y", `{"k":1}`)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cookie", "one=1; two=2")
	r.Header.Add("X-Many", "a")
	r.Header.Add("X-Many", "b")
	r.Header.Set("User-Agent", "test")
	get(t, r)
	e := asked
	same(t, "event", words(e.Version, e.RouteKey, e.RawPath, e.RawQueryString, e.Cookies, e.Query, e.Headers["x-many"], e.Body, e.IsBase64Encoded),
		"2.0 $default /full a=1&a=2&b=x%20y [one=1 two=2] map[a:1,2 b:x y] a,b {\"k\":1} false")
	c := e.RequestContext
	same(t, "context", words(c.APIID == id, c.HTTP.Method, c.HTTP.Path, c.HTTP.Protocol, c.HTTP.SourceIP, c.HTTP.UserAgent, c.Stage, c.RouteKey, c.DomainName == id+".lambda-url.us-east-1.on.aws"),
		"true POST /full HTTP/1.1 127.0.0.1 test $default $default true")

	get(t, request2(t, "POST", url+"full", "\xff\x00"))
	same(t, "binary body", words(asked.Body, asked.IsBase64Encoded), "/wA= true")

	byHost := request2(t, "GET", strings.Split(url, "/lambda-url/")[0]+"/plain", "")
	byHost.Host = id + ".lambda-url.us-east-1.localhost"
	if r, body := get(t, byHost); r.StatusCode != 200 || body != `{"hello":"there"}` {
		t.Errorf("by host: %d %s", r.StatusCode, body)
	}
}

func TestAFunctionURLsResponse(t *testing.T) {
	url, _, _ := urled(t, `{"AuthType":"NONE"}`)
	for path, want := range map[string]string{
		"full":     "201 hi text/plain b [c=1 d=2]",
		"plain":    `200 {"hello":"there"} application/json  []`,
		"text":     "200 hi application/json  []",
		"nonsense": `502 {"Message":"Internal Server Error"} application/json  []`,
		"fails":    `502 {"Message":"Internal Server Error"} application/json  []`,
		"other":    `429 {"Message":"Rate Exceeded."} application/json  []`,
	} {
		r, body := get(t, request2(t, "GET", url+path, ""))
		same(t, path, words(r.StatusCode, body, r.Header.Get("Content-Type"), r.Header.Get("X-A"), r.Header["Set-Cookie"]), want)
	}
}

func TestAFunctionURLStreams(t *testing.T) {
	url, _, _ := urled(t, `{"AuthType":"NONE","InvokeMode":"RESPONSE_STREAM"}`)
	for path, want := range map[string]string{
		"prelude":  "404 gone away b",
		"plain":    "200 a,b ",
		"broken":   "200 cut ",
		"nonsense": `502 {"Message":"Internal Server Error"} `,
		"fails":    `502 {"Message":"Internal Server Error"} `,
	} {
		r, body := get(t, request2(t, "GET", url+path, ""))
		same(t, path, strings.Join([]string{words(r.StatusCode), body, r.Header.Get("X-A")}, " "), want)
	}
}

func TestAFunctionURLForPagesInBrowsers(t *testing.T) {
	url, _, _ := urled(t, `{"AuthType":"NONE","Cors":{"AllowOrigins":["https://a.example"],"AllowMethods":["GET","PUT"],"AllowHeaders":["x-b"],"MaxAge":60}}`)
	r := request2(t, "OPTIONS", url+"plain", "")
	r.Header.Set("Origin", "https://a.example")
	r.Header.Set("Access-Control-Request-Method", "PUT")
	x, _ := get(t, r)
	h := x.Header
	same(t, "answer", words(h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Methods"), h.Get("Access-Control-Allow-Headers"), h.Get("Access-Control-Max-Age")),
		"https://a.example GET,PUT x-b 60")
	r = request2(t, "GET", url+"plain", "")
	r.Header.Set("Origin", "https://b.example")
	if x, _ := get(t, r); x.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin is let in")
	}
}

func TestAFunctionURLThatWantsASignature(t *testing.T) {
	url, _, asked := urled(t, `{"AuthType":"AWS_IAM"}`)
	if r, body := get(t, request2(t, "GET", url+"plain", "")); r.StatusCode != 403 || body != `{"Message":"Forbidden"}` {
		t.Errorf("without: %d %s", r.StatusCode, body)
	}
	r := request2(t, "GET", url+"plain", "")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 whatever")
	if x, _ := get(t, r); x.StatusCode != 200 || asked.RequestContext.Authorizer["iam"] == nil {
		t.Errorf("with one: %d %+v", x.StatusCode, asked.RequestContext)
	}
}

// FuzzPrelude feeds a function's streamed answer in pieces: whatever it is, the
// body that comes out is what follows the first eight NUL bytes.
func FuzzPrelude(f *testing.F) {
	f.Add([]byte("{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00body"), 3)
	f.Add([]byte("{}\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 1)
	f.Add([]byte("no"), 1)
	f.Fuzz(func(t *testing.T, answer []byte, size int) {
		if size < 1 {
			return
		}
		w := &discard{header: http.Header{}}
		o := &urlWriter{w: w}
		o.Begin(httpResponse)
		for rest := answer; len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := o.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
		if _, body, ok := bytes.Cut(answer, preludeEnd); ok && !bytes.Equal(w.body, body) {
			t.Errorf("body %q, want %q", w.body, body)
		}
	})
}

// discard is a response that goes nowhere.
type discard struct {
	header http.Header
	body   []byte
}

func (d *discard) Header() http.Header { return d.header }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Flush()              {}
func (d *discard) Write(p []byte) (int, error) {
	d.body = append(d.body, p...)
	return len(p), nil
}
