package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

// interpreters are what functions in each language need of a host.
var interpreters = map[string]string{"python": "/usr/bin/python3", "nodejs": "/usr/bin/node"}

// needInterpreter skips where a host has none.
func needInterpreter(t *testing.T, language string) {
	t.Helper()
	if _, err := os.Stat(interpreters[language]); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no %s: make deps installs it", interpreters[language])
	}
	t.Skipf("NEEDS %s", interpreters[language])
}

// deployHandler deploys a handler of the files under testdata/handlers/LANGUAGE.
func deployHandler(t *testing.T, e *Engine, language, handler string, f Function) {
	t.Helper()
	opener := &image.Opener{Copies: t.TempDir()}
	p := image.Package{Path: filepath.Join("testdata/handlers", language), Runtime: runtimes[language], Handler: handler}
	if p.Runtime == "" {
		p.Handler = map[string]string{"python": "app.echo", "nodejs": "index.echo"}[language] // by which the language is told
	}
	img, err := opener.OpenPackage(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(img.Runtime, language) {
		t.Fatalf("runtime %s", img.Runtime)
	}
	runtimes[language], img.Handler = img.Runtime, handler
	deployImage(t, e, img, f)
}

// runtimes are those that this host has, by language, as found.
var runtimes = map[string]string{}

// errorShape is how AWS's runtimes describe an error, in all of them together.
type errorShape struct {
	ErrorMessage string   `json:"errorMessage"`
	ErrorType    string   `json:"errorType"`
	RequestID    *string  `json:"requestId"`  // Python
	StackTrace   []string `json:"stackTrace"` // Python
	Trace        []string `json:"trace"`      // Node.js
}

func shape(t *testing.T, body string) (s errorShape) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Errorf("%v in %.200s", err, body)
	}
	return s
}

// invocations are events for handlers, and what AWS documents as their answers.
var invocations = []struct {
	rule, language, handler, event string
	config                         Function
	answer                         string // all of it, or
	message, kind                  string // of an error that the runtime reports, and
	trace                          string // what its first lines hold; a regular expression
	reason                         string // or an error that the platform reports, and
	has                            string // some of its payload
	next                           results.Cause
	init                           bool // the error is of init: the first of every environment
}{
	{rule: "answers", language: "python", handler: "app.echo", event: `{"a": [1, 2.5, null, true, "x"]}`, answer: `{"a": [1, 2.5, null, true, "x"]}`},
	{rule: "takes and gives any character", language: "python", handler: "app.length", event: `"aé漢😀"`, answer: "4"},
	{rule: "answers with null", language: "python", handler: "app.nothing", event: `1`, answer: "null"},
	{rule: "answers with bytes", language: "python", handler: "app.raw", event: `1`, answer: "\x01\x02é"},
	{rule: "answers with decimals", language: "python", handler: "app.money", event: `1`, answer: `[1.5, 3]`},
	{rule: "is a class's method", language: "python", handler: "package/inner.handler", event: `7`, answer: "7"},
	{rule: "raises", language: "python", handler: "app.fails", event: `{}`, message: "'action'", kind: "KeyError", trace: `^  File "/var/task/app.py", line \d+, in fails\n    return event\["action"\]\n$`},
	{rule: "raises its own", language: "python", handler: "app.raises", event: `{}`, message: "no such order: é", kind: "NoSuchOrder", trace: `line \d+, in raises`},
	{rule: "answers with what is no JSON", language: "python", handler: "app.odd", event: `{}`, message: "Unable to marshal response: Object of type object is not JSON serializable", kind: "Runtime.MarshalError"},
	{rule: "gets what is no JSON", language: "python", handler: "app.echo", event: `{`, message: "Unable to unmarshal input: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", kind: "Runtime.UnmarshalError"},
	{rule: "exits", language: "python", handler: "app.exits", event: `{}`, reason: "Runtime.ExitError", has: "exit status 3", next: "crashed"},
	{rule: "hangs", language: "python", handler: "app.hangs", event: `{}`, config: Function{Timeout: time.Second}, reason: "Sandbox.Timedout", has: "Task timed out after 1.00 seconds", next: "crashed"},
	{rule: "answers with too much", language: "python", handler: "app.large", event: `7340032`, reason: "Function.ResponseSizeTooLarge", has: "7340034 bytes"},
	{rule: "imports what is not there", language: "python", handler: "imports.handler", event: `{}`, message: "Unable to import module 'imports': No module named 'nowhere'", kind: "Runtime.ImportModuleError", init: true},
	{rule: "is in no module", language: "python", handler: "absent.handler", event: `{}`, message: "Unable to import module 'absent': No module named 'absent'", kind: "Runtime.ImportModuleError", init: true},
	{rule: "is not in its module", language: "python", handler: "app.absent", event: `{}`, message: "Handler 'absent' missing on module 'app'", kind: "Runtime.HandlerNotFound", init: true},
	{rule: "is no Python", language: "python", handler: "syntax.handler", event: `{}`, message: "Syntax error in module 'syntax': unmatched ')' (syntax.py, line 2)", kind: "Runtime.UserCodeSyntaxError", trace: `^  File "/var/task/syntax.py" Line 2\n`, init: true},
	{rule: "is named as a built-in module", language: "python", handler: "sys.exit", event: `{}`, message: "Cannot use built-in module sys as a handler module", kind: "Runtime.BuiltInModuleConflict", init: true},
	{rule: "raises when it is imported", language: "python", handler: "broken.handler", event: `{}`, message: "no configuration", kind: "RuntimeError", trace: `importlib`, init: true},

	{rule: "answers", language: "nodejs", handler: "index.echo", event: `{"a":[1,2.5,null,true,"x"]}`, answer: `{"a":[1,2.5,null,true,"x"]}`},
	{rule: "takes and gives any character", language: "nodejs", handler: "index.echo", event: `"aé漢😀"`, answer: `"aé漢😀"`},
	{rule: "answers with nothing", language: "nodejs", handler: "index.nothing", event: `1`, answer: "null"},
	{rule: "answers by a callback", language: "nodejs", handler: "callback.answers", event: `1`, answer: `{"timers":1}`},
	{rule: "answers by a callback before its timers", language: "nodejs", handler: "callback.hurries", event: `1`, answer: `{"timers":0}`},
	{rule: "answers by its context", language: "nodejs", handler: "callback.done", event: `1`, answer: `"done"`},
	{rule: "never answers", language: "nodejs", handler: "callback.forgets", event: `1`, answer: `null`},
	{rule: "is a CommonJS module in .cjs", language: "nodejs", handler: "common.handler", event: `1`, answer: `"cjs"`},
	{rule: "is a module by its package", language: "nodejs", handler: "esm/app.handler", event: `1`, answer: `"esm"`},
	{rule: "is a property of a property", language: "nodejs", handler: "callback.inner.handler", event: `1`, answer: `"inner"`},
	{rule: "streams", language: "nodejs", handler: "streams.handler", event: `1`, answer: "abé"},
	{rule: "streams an HTTP response", language: "nodejs", handler: "streams.http", event: `1`, answer: `{"statusCode":201,"headers":{"a":"b"}}` + "\x00\x00\x00\x00\x00\x00\x00\x00body"},
	{rule: "fails before it streams", language: "nodejs", handler: "streams.fails", event: `1`, message: "no stream", kind: "RangeError", trace: `^RangeError: no stream$`},
	{rule: "pipes into its stream", language: "nodejs", handler: "streams.pipes", event: `1`, answer: `ab{"c":1}`},
	{rule: "fails in its stream", language: "nodejs", handler: "streams.breaks", event: `1`, message: "half a stream", kind: "RangeError", trace: `^RangeError: half a stream$`},
	{rule: "doesn't end its stream", language: "nodejs", handler: "streams.forgets", event: `1`, message: "Response stream is not finished.", kind: "string"},
	{rule: "throws", language: "nodejs", handler: "index.fails", event: `{}`, message: "Cannot read properties of undefined (reading 'action')", kind: "TypeError", trace: `^TypeError: Cannot read.*`},
	{rule: "throws at once", language: "nodejs", handler: "callback.fails", event: `{}`, message: "no order é", kind: "RangeError", trace: `^RangeError: no order é$`},
	{rule: "calls back with text", language: "nodejs", handler: "callback.text", event: `{}`, message: "no order", kind: "string"},
	{rule: "answers with what is no JSON", language: "nodejs", handler: "index.cycle", event: `{}`, message: "Unable to stringify response body", kind: "Error", trace: "."},
	{rule: "rejects a promise that nobody waits for", language: "nodejs", handler: "index.rejects", event: `{}`, message: "Error: lost", kind: "Runtime.UnhandledPromiseRejection", trace: ".", next: "crashed"},
	{rule: "throws where nobody catches", language: "nodejs", handler: "callback.throws", event: `{}`, message: "late", kind: "Error", trace: `^Error: late$`, next: "crashed"},
	{rule: "exits", language: "nodejs", handler: "index.exits", event: `{}`, reason: "Runtime.ExitError", has: "exit status 3", next: "crashed"},
	{rule: "hangs", language: "nodejs", handler: "index.hangs", event: `{}`, config: Function{Timeout: time.Second}, reason: "Sandbox.Timedout", has: "Task timed out after 1.00 seconds", next: "crashed"},
	{rule: "answers with too much", language: "nodejs", handler: "index.large", event: `7340032`, reason: "Function.ResponseSizeTooLarge", has: "7340034 bytes"},
	{rule: "requires what is not there", language: "nodejs", handler: "requires.handler", event: `{}`, message: "Error: Cannot find module 'nowhere'\nRequire stack:\n- /var/task/requires.cjs\n- /var/runtime/bootstrap.mjs", kind: "Runtime.ImportModuleError", trace: `^Runtime.ImportModuleError: Error: Cannot find module 'nowhere'`, init: true},
	{rule: "is in no module", language: "nodejs", handler: "absent.handler", event: `{}`, message: "Error: Cannot find module 'absent'\nRequire stack:\n- /var/runtime/bootstrap.mjs", kind: "Runtime.ImportModuleError", trace: ".", init: true},
	{rule: "is not in its module", language: "nodejs", handler: "index.absent", event: `{}`, message: "index.absent is undefined or not exported", kind: "Runtime.HandlerNotFound", trace: ".", init: true},
	{rule: "is no function", language: "nodejs", handler: "index.text", event: `{}`, message: "index.text is not a function", kind: "Runtime.HandlerNotFound", trace: ".", init: true},
	{rule: "is no JavaScript", language: "nodejs", handler: "syntax.handler", event: `{}`, message: "SyntaxError: Unexpected token '}'", kind: "Runtime.UserCodeSyntaxError", trace: ".", init: true},
	{rule: "climbs", language: "nodejs", handler: "../index.handler", event: `{}`, message: "'../index.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names.", kind: "Runtime.MalformedHandlerName", trace: ".", init: true},
	{rule: "throws when it is loaded", language: "nodejs", handler: "broken.handler", event: `{}`, message: "no configuration", kind: "Error", trace: `^Error: no configuration$`, init: true},
}

func TestHandlers(t *testing.T) {
	e := begin(t, Config{})
	for _, tt := range invocations {
		t.Run(tt.language+" "+tt.rule, func(t *testing.T) {
			needInterpreter(t, tt.language)
			deployHandler(t, e, tt.language, tt.handler, tt.config)
			a := send(t, e, tt.event)
			failed := a.header.Get("X-Amz-Function-Error") == "Unhandled"
			if a.status != 200 || failed != (tt.kind+tt.reason != "") {
				t.Errorf("got %d %s: %.300s", a.status, a.header.Get("Coldstorm-Reason"), a.body)
			}
			switch {
			case tt.reason != "":
				if a.header.Get("Coldstorm-Reason") != tt.reason || !strings.Contains(a.body, tt.has) {
					t.Errorf("got %s: %.300s", a.header.Get("Coldstorm-Reason"), a.body)
				}
			case tt.kind != "":
				s := shape(t, a.body)
				trace := append(s.StackTrace, s.Trace...)
				if s.ErrorMessage != tt.message || s.ErrorType != tt.kind {
					t.Errorf("got %s: %q", s.ErrorType, s.ErrorMessage)
				}
				if tt.trace == "" && len(trace) > 0 || tt.trace != "" && (len(trace) == 0 || !regexp.MustCompile(tt.trace).MatchString(trace[0])) {
					t.Errorf("trace %q", trace)
				}
				if tt.language == "python" && (s.RequestID == nil || !tt.init && *s.RequestID != a.header.Get("X-Amzn-Requestid")) {
					t.Errorf("request id in %s", a.body)
				}
			case a.body != tt.answer:
				t.Errorf("got %.300q", a.body)
			}
			sums(t, a.evidence)
			if tt.init {
				return
			}
			if next := send(t, e, tt.event); next.evidence.Cause != tt.next {
				t.Errorf("next start: %+v", next.evidence)
			}
		})
	}
}

// seen is what the handlers named seen tell of their surroundings.
type seen struct {
	Environ map[string]string
	Context map[string]any
	Folder  string
	Search  []string
}

func TestWhatHandlersSee(t *testing.T) {
	e := begin(t, Config{})
	for language, want := range map[string]struct{ handler, search, mine string }{
		"python": {"app.seen", "/var/task /opt/python/lib/python", "PYTHONPATH"},
		"nodejs": {"index.seen", "/opt/nodejs/node", "NODE_PATH"},
	} {
		t.Run(language, func(t *testing.T) {
			needInterpreter(t, language)
			deployHandler(t, e, language, want.handler, Function{
				MemoryMB: 512, Timeout: time.Minute,
				Env: map[string]string{"MINE": "é", "_HANDLER": "not.me", "AWS_EXECUTION_ENV": "not me", "TZ": ":Europe/Paris"},
			})
			client := base64.StdEncoding.EncodeToString([]byte(`{"client":{"installation_id":"i7"},"custom":{"k":"v"},"env":{"locale":"fr"}}`))
			a := send(t, e, `{}`, "X-Amz-Client-Context", client, "X-Amzn-Trace-Id", "Root=1-2-3;Sampled=1")
			var s seen
			if err := json.Unmarshal([]byte(a.body), &s); err != nil {
				t.Fatalf("%v in %s", err, a.body)
			}
			for name, value := range map[string]string{
				"MINE": "é", "_HANDLER": want.handler, "TZ": ":Europe/Paris", "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
				"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_REGION": "us-east-1", "_X_AMZN_TRACE_ID": "Root=1-2-3;Sampled=1",
			} {
				if s.Environ[name] != value {
					t.Errorf("%s is %q, want %q", name, s.Environ[name], value)
				}
			}
			if got := s.Environ["AWS_EXECUTION_ENV"]; !strings.HasPrefix(got, "AWS_Lambda_"+language) {
				t.Errorf("AWS_EXECUTION_ENV is %q", got)
			}
			if search := strings.Join(s.Search, " "); s.Folder != "/var/task" || !strings.HasPrefix(search, want.search) {
				t.Errorf("in %s, searches %s", s.Folder, search)
			}
			context, _ := json.Marshal(s.Context)
			for name, value := range map[string]any{
				"request": a.header.Get("X-Amzn-Requestid"), "name": "f", "version": "$LATEST", "memory": "512", "arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
				"group": "/aws/lambda/f", "stream": s.Environ["AWS_LAMBDA_LOG_STREAM_NAME"], "installation": "i7", "custom": "v", "locale": "fr",
			} {
				if s.Context[name] != value {
					t.Errorf("context's %s: %v in %s", name, s.Context[name], context)
				}
			}
			if left, _ := s.Context["remaining"].(float64); left <= 0 || left > 60_000 {
				t.Errorf("remaining time %v", s.Context["remaining"])
			}

			deployHandler(t, e, language, want.handler, Function{Env: map[string]string{want.mine: "/tmp/mine"}})
			a = send(t, e, `{}`)
			if err := json.Unmarshal([]byte(a.body), &s); err != nil || s.Environ[want.mine] != "/tmp/mine" {
				t.Errorf("%s is %q (%v)", want.mine, s.Environ[want.mine], err)
			}
			if left, ok := s.Environ["_X_AMZN_TRACE_ID"]; ok && left != "" {
				t.Logf("trace %q", left)
			}
		})
	}
}

func TestLogsOfHandlers(t *testing.T) {
	const at = `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
	e := begin(t, Config{})
	for _, tt := range []struct {
		rule, language, handler string
		env                     map[string]string
		lines                   []string // regular expressions; ID is the request's
	}{
		{"text", "python", "logs.handler", nil, []string{
			"printed é", `\[WARNING\]\t` + at + `\tID\tcareful`, `\[ERROR\] ValueError: two\nTraceback \(most recent call last\):\n  File "/var/task/logs.py", line \d+, in handler\n    raise ValueError\("two"\)\n`,
		}},
		{"text of a level", "python", "logs.handler", map[string]string{"AWS_LAMBDA_LOG_LEVEL": "DEBUG"}, []string{`\[DEBUG\]\t` + at + `\tID\tdetail 7`}},
		{"JSON", "python", "logs.handler", map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"}, []string{
			`\{"timestamp": "` + at + `", "level": "WARNING", "message": "careful", "logger": "root", "requestId": "ID", "order": 7\}`, `"level": "ERROR", "errorMessage": "two", "errorType": "ValueError", "requestId": "ID"`,
		}},
		{"text", "nodejs", "logs.handler", nil, []string{
			at + `\tID\tINFO\tprinted \{ a: 'é' \}`, at + `\tID\tWARN\tcareful`, at + `\tID\tDEBUG\tdetail 7`, at + `\tID\tERROR\tInvoke Error \t\{"errorType":"RangeError","errorMessage":"two","stack":\["RangeError: two",`,
		}},
		{"text of a level", "nodejs", "logs.handler", map[string]string{"AWS_LAMBDA_LOG_LEVEL": "WARN"}, []string{`START .*\n` + at + `\tID\tWARN\tcareful`}},
		{"JSON", "nodejs", "logs.handler", map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON"}, []string{
			`\{"timestamp":"` + at + `","level":"WARN","requestId":"ID","message":"careful"\}`, `"level":"ERROR","requestId":"ID","message":\{"errorType":"RangeError","errorMessage":"two"`,
		}},
	} {
		t.Run(tt.language+" "+tt.rule, func(t *testing.T) {
			needInterpreter(t, tt.language)
			deployHandler(t, e, tt.language, tt.handler, Function{Env: tt.env})
			a := send(t, e, `{}`, "X-Amz-Log-Type", "Tail")
			tail, err := base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result"))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range tt.lines {
				if !regexp.MustCompile(strings.ReplaceAll(line, "ID", a.header.Get("X-Amzn-Requestid"))).Match(tail) {
					t.Errorf("no %s in\n%s", line, tail)
				}
			}
		})
	}
}

// TestLargeEvents says that an event of Lambda's largest size goes both ways, and
// that its environment goes on.
func TestLargeEvents(t *testing.T) {
	e := begin(t, Config{})
	event := `"` + strings.Repeat("é", 3<<20-500) + `"`
	for language, handler := range map[string]string{"python": "app.length", "nodejs": "index.length"} {
		t.Run(language, func(t *testing.T) {
			needInterpreter(t, language)
			deployHandler(t, e, language, handler, Function{MemoryMB: 1024})
			for _, want := range []results.Start{results.StartCold, results.StartWarm} {
				if a := send(t, e, event); a.body != "3145228" || a.evidence.Start != want {
					t.Errorf("got %d %.100s, start %s", a.status, a.body, a.evidence.Start)
				}
			}
		})
	}
}

// TestWrapper says that a function's AWS_LAMBDA_EXEC_WRAPPER starts its
// interpreter, with what AWS's gives it.
func TestWrapper(t *testing.T) {
	e := begin(t, Config{})
	for language, handler := range map[string]string{"python": "app.seen", "nodejs": "index.seen"} {
		t.Run(language, func(t *testing.T) {
			needInterpreter(t, language)
			deployHandler(t, e, language, handler, Function{Env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"}})
			if a := send(t, e, `{}`); !strings.Contains(a.body, `WRAPPED`) || !strings.Contains(a.body, "bootstrap") {
				t.Errorf("got %s", a.body)
			}
		})
	}
}
