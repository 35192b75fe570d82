package invoke

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"coldstorm/runtime/live"
	"coldstorm/runtime/plane"
)

func TestWhatTheControlAPIRefuses(t *testing.T) {
	s, _ := account(t, &workshop{}, Config{})
	create(t, s, "f")
	zip, err := json.Marshal(zipped(t, "x"))
	if err != nil {
		t.Fatal(err)
	}
	body := func(name, more string) string {
		return `{"FunctionName":"` + name + `","Role":"r","Runtime":"provided.al2023","Handler":"h","Code":{"ZipFile":` + string(zip) + `}` + more + `}`
	}
	const functions = "/2015-03-31/functions"
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
		kind, message            string
	}{
		{"body that is no JSON", "POST", functions, `{`, 400, "InvalidRequestContentException", "Could not parse request body into json"},
		{"no name", "POST", functions, `{}`, 400, "ValidationException", "functionName"},
		{"no role", "POST", functions, `{"FunctionName":"g"}`, 400, "ValidationException", "role"},
		{"no code", "POST", functions, `{"FunctionName":"g","Role":"r"}`, 400, "ValidationException", "code"},
		{"a name that can't be", "POST", functions, body("a b", ""), 400, "ValidationException", "functionName"},
		{"no runtime for a zip", "POST", functions, strings.Replace(body("g", ""), `"Runtime":"provided.al2023",`, "", 1), 400, "InvalidParameterValueException", "Runtime and Handler"},
		{"too little memory", "POST", functions, body("g", `,"MemorySize":127`), 400, "ValidationException", "between 128 and 10240"},
		{"too long a timeout", "POST", functions, body("g", `,"Timeout":901`), 400, "ValidationException", "between 1 and 900"},
		{"too much /tmp", "POST", functions, body("g", `,"EphemeralStorage":{"Size":10241}`), 400, "ValidationException", "between 512"},
		{"a reserved variable", "POST", functions, body("g", `,"Environment":{"Variables":{"AWS_REGION":"x"}}`), 400, "InvalidParameterValueException", "AWS_REGION"},
		{"more than 4 KB of variables", "POST", functions, body("g", `,"Environment":{"Variables":{"A":"`+strings.Repeat("x", 4096)+`"}}`), 400, "InvalidParameterValueException", "4KB"},
		{"layers", "POST", functions, body("g", `,"Layers":["arn"]`), 400, "InvalidParameterValueException", "not built"},
		{"another kind of package", "POST", functions, body("g", `,"PackageType":"Tar"`), 400, "ValidationException", "Zip|Image"},
		{"code in S3", "POST", functions, `{"FunctionName":"g","Role":"r","Runtime":"x","Handler":"h","Code":{"S3Bucket":"b"}}`, 400, "InvalidParameterValueException", "S3"},
		{"code that is no zip", "POST", functions, `{"FunctionName":"g","Role":"r","Runtime":"x","Handler":"h","Code":{"ZipFile":"AAAA"}}`, 400, "InvalidParameterValueException", "unzip"},
		{"a zip and an image", "POST", functions, body("g", `,"PackageType":"Image"`), 400, "InvalidParameterValueException", "ImageUri"},
		{"the same name", "POST", functions, body("f", ""), 409, "ResourceConflictException", "already exist"},
		{"no such function", "GET", functions + "/g", "", 404, "ResourceNotFoundException", "function:g"},
		{"no such version", "GET", functions + "/f?Qualifier=7", "", 404, "ResourceNotFoundException", "function:f:7"},
		{"two qualifiers", "GET", functions + "/f:1?Qualifier=7", "", 400, "InvalidParameterValueException", "derived qualifier"},
		{"a page of nothing", "GET", functions + "?MaxItems=0", "", 400, "ValidationException", "maxItems"},
		{"a marker of nobody's", "GET", functions + "?Marker=!", "", 400, "InvalidParameterValueException", "pagination"},
		{"another method", "PATCH", functions + "/f", "", 405, "MethodNotAllowedException", ""},
		{"another operation", "GET", "/2018-10-31/layers", "", 404, "UnknownOperationException", ""},
		{"a large request", "PUT", functions + "/f/configuration", `{"Description":"` + strings.Repeat("x", maxPlain) + `"}`, 413, "RequestTooLargeException", "UpdateFunctionConfiguration"},
		{"$LATEST alone", "DELETE", functions + "/f?Qualifier=$LATEST", "", 400, "InvalidParameterValueException", "$LATEST"},
		{"a negative reservation", "PUT", "/2017-10-31/functions/f/concurrency", `{"ReservedConcurrentExecutions":-1}`, 400, "ValidationException", ""},
		{"a mapping without a source", "POST", "/2015-03-31/event-source-mappings", `{"FunctionName":"f"}`, 400, "InvalidParameterValueException", "event source"},
		{"a URL of another kind", "POST", "/2021-10-31/functions/f/url", `{"AuthType":"SOME"}`, 400, "ValidationException", "authType"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			code, kind, out := talk(t, s, tt.method, tt.path, tt.body)
			message, _ := out["message"].(string)
			Message, _ := out["Message"].(string)
			if code != tt.status || kind != tt.kind || !strings.Contains(message+Message, tt.message) {
				t.Errorf("got %d %s %v", code, kind, out)
			}
		})
	}
	if code, kind, _ := talk(t, s, "POST", functions, body("g", ""), "Origin", "https://a.example"); code != 403 || kind != "AccessDeniedException" {
		t.Errorf("a page in a browser got %d %s", code, kind)
	}
	if _, _, out := talk(t, s, "GET", functions, ""); len(out["Functions"].([]any)) != 1 {
		t.Errorf("what was refused is there: %v", out)
	}
}

// What is under way when a function is changed ends in the old code, and what
// comes after sees the new one.
func TestAnUpdateLosesNothing(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	shop := &workshop{behave: func(c live.Config, r live.Request) live.Result {
		if string(r.Payload) == `"held"` {
			close(entered)
			<-release
		}
		return live.Result{Payload: []byte(c.Env["COLOUR"])}
	}}
	s, server := account(t, shop, Config{})
	create(t, s, "f")
	paint := func(colour string) {
		code, kind, _ := talk(t, s, "PUT", "/2015-03-31/functions/f/configuration", `{"Environment":{"Variables":{"COLOUR":"`+colour+`"}}}`)
		if code != 200 {
			t.Fatal(code, kind)
		}
	}
	post := func(event string) <-chan answered {
		out := make(chan answered, 1)
		go func() {
			r, err := http.Post(server.URL+invocations, "application/json", strings.NewReader(event))
			if err != nil {
				out <- answered{err: err}
				return
			}
			defer r.Body.Close()
			var b bytes.Buffer
			_, err = b.ReadFrom(r.Body)
			out <- answered{r.StatusCode, b.String(), err}
		}()
		return out
	}
	paint("red")
	old := post(`"held"`)
	<-entered
	paint("blue")
	if a := <-post(`"next"`); a.body != "blue" {
		t.Errorf("after the update: %+v", a)
	}
	close(release)
	if a := <-old; a.body != "red" || a.status != 200 {
		t.Errorf("from before the update: %+v", a)
	}
}

// FuzzRequests sends anything at all to an account: nothing that a client says
// may bring it down.
func FuzzRequests(f *testing.F) {
	for _, o := range operations {
		f.Add(o.method, strings.ReplaceAll(o.path, "{}", "f"), `{"FunctionName":"f","Role":"r"}`)
	}
	f.Add("POST", "/2021-11-15/functions/f/response-streaming-invocations", "{}")
	f.Add("POST", "/2014-11-13/functions/f/invoke-async/", "{}")
	f.Add("GET", "/lambda-url/x/y?z", "")
	s := New(Config{Deployer: &workshop{}})
	f.Cleanup(func() { s.Close() })
	create(f, s, "f")
	f.Fuzz(func(t *testing.T, method, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || method == "" || strings.ContainsAny(method, " \t\r\n") {
			return
		}
		r := &http.Request{Method: method, URL: u, Host: "localhost", Header: http.Header{}, Body: http.NoBody, Proto: "HTTP/1.1"}
		if body != "" {
			r = httptest.NewRequest("POST", "/", strings.NewReader(body))
			r.Method, r.URL = method, u
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 502 {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	})
}

func TestVersionsOfAFunctionAreBoundTogether(t *testing.T) {
	w := &workshop{}
	s, _ := account(t, w, Config{Environment: live.Config{ScaleOutBurst: 5, ScaleOutRate: 1}})
	for _, name := range []string{"one", "other"} {
		create(t, s, name)
		if code, body, _ := talk(t, s, "POST", "/2015-03-31/functions/"+name+"/versions", "{}"); code != 201 {
			t.Fatal(code, body)
		}
	}
	bound := map[string]*plane.ScaleOut{}
	seen := 0
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.deployed {
		seen++
		if b := bound[p.config.Name]; p.config.ScaleOut == nil || b != nil && b != p.config.ScaleOut {
			t.Errorf("version %s of %s has a bound of its own: %p, %p", p.config.Version, p.config.Name, p.config.ScaleOut, b)
		}
		bound[p.config.Name] = p.config.ScaleOut
		if p.config.ProvisionedRate != 10 {
			t.Errorf("a provisioned environment takes %g requests a second", p.config.ProvisionedRate)
		}
	}
	if seen != 4 || bound["one"] == bound["other"] {
		t.Errorf("%d deployed, bounds %v", seen, bound)
	}
}

// AWS Lambda quotas: a zip of exactly 50 MB is still looked into.
func TestAnUploadedZipIsAtMost50MB(t *testing.T) {
	for size, want := range map[int]string{50 * 1024 * 1024: "InvalidParameterValueException", 50*1024*1024 + 1: "RequestTooLargeException"} {
		if _, err := (codeInput{ZipFile: make([]byte, size)}).code("Zip"); err == nil || err.name != want {
			t.Errorf("%d bytes of no zip: %v, want %s", size, err, want)
		}
	}
}
