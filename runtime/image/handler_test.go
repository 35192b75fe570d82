package image

import (
	"bufio"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHandlersAreFound says which packages run how: language and handler, or
// their own bootstrap, or an error with what to do.
func TestHandlersAreFound(t *testing.T) {
	boot := file{"bootstrap", 0o755, "#!/bin/sh"}
	py := file{"lambda_function.py", 0o644, "def lambda_handler(event, context):\n    pass\n"}
	mjs := file{"index.mjs", 0o644, "export const handler = async () => {};\n"}
	app := file{"app.py", 0o644, "def main(event, context):\n    pass\n"}
	for _, c := range []struct {
		rule             string
		files            []file
		runtime, handler string
		want             string // language and handler; empty: its bootstrap
		err              error
		says             string
	}{
		{"the usual handler in Python", []file{py, app}, "", "", "python lambda_function.lambda_handler", nil, ""},
		{"the usual handler in an ES module", []file{mjs, {"package.json", 0o644, "{}"}}, "", "", "nodejs index.handler", nil, ""},
		{"the usual handler in CommonJS", []file{{"index.js", 0o644, "exports.handler = async () => {};"}}, "", "", "nodejs index.handler", nil, ""},
		{"the usual handler in .cjs", []file{{"index.cjs", 0o644, "module.exports = { handler() {} };"}}, "", "", "nodejs index.handler", nil, ""},
		{"the usual handler in a bundle", []file{{"index.js", 0o644, "__export(a, {\n  handler: () => b\n});\nmodule.exports = c(a);"}}, "", "", "nodejs index.handler", nil, ""},
		{"a named handler", []file{app}, "", "app.main", "python app.main", nil, ""},
		{"a named handler in a folder", []file{{"src/api/app.py", 0o644, ""}}, "", "src/api/app.main", "python src/api/app.main", nil, ""},
		{"a named handler in a package", []file{{"src/app.py", 0o644, ""}}, "", "src.app.main", "python src.app.main", nil, ""},
		{"a named handler in a property", []file{{"src/app.js", 0o644, ""}}, "", "src/app.a.b", "nodejs src/app.a.b", nil, ""},
		{"a runtime without a handler has its usual one", []file{app}, "nodejs22.x", "", "nodejs index.handler", nil, ""},
		{"a runtime with a handler from a layer", []file{app}, "python3.13", "wrapper.main", "python wrapper.main", nil, ""},
		{"a bootstrap is executed", []file{boot, py, mjs}, "", "", "", nil, ""},
		{"a bootstrap gets its handler", []file{boot, app}, "", "app.main", "", nil, ""},
		{"a bootstrap is executed for a runtime that decides what AWS offers", []file{boot}, "java21", "", "", nil, ""},
		{"also for one of ours", []file{boot}, "python3.13", "", "", nil, ""},
		{"but not if that has a handler", []file{boot, app}, "python3.13", "app.main", "python app.main", nil, ""},
		{"provided is a bootstrap", []file{py}, "provided.al2023", "", "", nil, ""},

		{"two languages", []file{py, mjs}, "", "", "", ErrNoHandler, "lambda_function.lambda_handler, index.handler"},
		{"a file without a handler", []file{{"lambda_function.py", 0o644, "def main(): pass"}}, "", "", "", ErrNoHandler, "--handler lambda_function.NAME, a function of lambda_function.py"},
		{"another file", []file{app, {"notes.txt", 0o644, ""}}, "", "", "", ErrNoBootstrap, "but app.py, notes.txt: name the handler: --handler app.lambda_handler"},
		{"another file of JavaScript", []file{{"main.js", 0o644, ""}}, "", "", "", ErrNoHandler, "--handler main.handler"},
		{"no file", nil, "", "", "", ErrNoBootstrap, "go build"},
		{"many files", []file{{"a", 0o644, ""}, {"b", 0o644, ""}, {"c", 0o644, ""}, {"d", 0o644, ""}, {"e", 0o644, ""}, {"f", 0o644, ""}, {"g", 0o644, ""}}, "", "", "", ErrNoHandler, "but a, b, c, d, e, f, ...: "},
		{"a handler of no module", []file{app}, "", "main.main", "", ErrNoHandler, "no module of handler main.main"},
		{"a handler without a function", []file{app}, "python3.13", "app", "", ErrNoHandler, `handler "app"`},
		{"a runtime of another language", []file{py}, "java21", "a.B::c", "", ErrNoHandler, "no runtime of java21"},
		{"a folder named as a handler's file", []file{{"index.js/a", 0o644, "exports.handler"}}, "", "", "", ErrNoHandler, ""},
	} {
		src := &src{dir: makeDir(t, c.files)}
		list, err := src.list()
		if err != nil {
			t.Fatal(err)
		}
		l, handler, err := Package{Path: src.dir, Runtime: c.runtime, Handler: c.handler}.managed(src, list)
		if !errors.Is(err, c.err) || c.err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.rule, err)
		}
		if c.err != nil {
			hinted(t, c.rule, err)
		}
		got := ""
		if l != nil {
			got = l.name + " " + handler
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("app.main", "app.py", "def main")
	f.Add("src/index.a.b", "src/index.mjs", "export const handler")
	f.Add("..", "...py", "")
	f.Fuzz(func(t *testing.T, handler, name, text string) {
		dir := t.TempDir()
		if fs.ValidPath(name) && os.WriteFile(filepath.Join(dir, filepath.Base(name)), []byte(text), 0o600) != nil {
			return
		}
		src := &src{dir: dir}
		list, err := src.list()
		if err != nil {
			t.Fatal(err)
		}
		for _, runtime := range []string{"", "python3.13", "nodejs22.x"} {
			l, found, err := Package{Runtime: runtime, Handler: handler}.managed(src, list)
			if (l == nil) != (err != nil) || l != nil && handler != "" && found != handler {
				t.Errorf("%q: %v, %q, %v", runtime, l, found, err)
			}
		}
	})
}

// fakeHost makes a host that has programs by their path below its /usr/bin, each
// saying a version.
func fakeHost(t *testing.T, programs map[string]string) {
	t.Helper()
	dir := t.TempDir()
	bin := filepath.Join(dir, "usr/bin")
	for name, says := range programs {
		at := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(at), 0o755)
		if err := os.WriteFile(at, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(at) != bin {
			os.MkdirAll(bin, 0o755)
			os.Symlink(at, filepath.Join(bin, filepath.Base(name)))
		}
	}
	dirs, top := hostDirs, hostTop
	t.Cleanup(func() { hostDirs, hostTop = dirs, top })
	hostDirs, hostTop = []string{bin}, []string{filepath.Join(dir, "usr") + "/"}
	t.Setenv("PATH", filepath.Join(dir, "home/me/bin")+":/usr/bin:/bin")
}

func TestInterpretersAreFound(t *testing.T) {
	both := map[string]string{"usr/bin/python3": "Python 3.11.2", "usr/bin/python3.12": "Python 3.12.1", "usr/bin/node": "v20.20.2"}
	for _, c := range []struct {
		rule              string
		programs          map[string]string
		language, runtime string
		want, says        string
	}{
		{"the usual one", both, "python", "", "usr/bin/python3 python3.11", ""},
		{"the one that is asked for", both, "python", "python3.12", "usr/bin/python3.12 python3.12", ""},
		{"under another name", both, "python", "python3.11", "usr/bin/python3 python3.11", ""},
		{"Node.js", both, "nodejs", "", "usr/bin/node nodejs20.x", ""},
		{"another version", both, "nodejs", "nodejs22.x", "", "no interpreter of nodejs22.x under /usr, which has nodejs20.x: --runtime nodejs20.x"},
		{"another version of Python", both, "python", "python3.13", "", "which has python3.11: --runtime python3.11"},
		{"none", map[string]string{"usr/bin/sh": ""}, "nodejs", "", "", "apt-get install nodejs"},
		{"one that a sandbox wouldn't see", map[string]string{"home/me/bin/python3": "Python 3.11.7"}, "python", "", "", "home/me/bin/python3, is not seen by a function"},
		{"a program that is none", map[string]string{"usr/bin/node": "a directed graph"}, "nodejs", "", "", "no interpreter"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			fakeHost(t, c.programs)
			i, err := languageOf(c.language).onHost(c.runtime)
			if c.says != "" {
				if err == nil || !errors.Is(err, ErrNoInterpreter) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %q", err, c.says)
				}
				hinted(t, c.rule, err)
				return
			}
			if got := strings.TrimPrefix(i.path, filepath.Dir(filepath.Dir(hostDirs[0]))+"/") + " " + i.runtime; err != nil || got != c.want {
				t.Errorf("%q, want %q (%v)", got, c.want, err)
			}
		})
	}
}

func TestAHandlersImage(t *testing.T) {
	fakeHost(t, map[string]string{"usr/bin/python3": "Python 3.11.2", "usr/bin/node": "v22.1.0"})
	files := []file{{"lambda_function.py", 0o600, "def lambda_handler(event, context): pass"}}
	store := t.TempDir()
	img, err := Open(makeDir(t, files), store)
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := Open(makeZip(t, true, files), store)
	if err != nil || zipped.Digest != img.Digest || !slices.Equal(zipped.Layers, img.Layers) || zipped.Kind != KindZip {
		t.Errorf("a zip: %+v, %v", zipped, err)
	}
	if !img.HostUsr || !img.Managed || img.Runtime != "python3.11" || img.Handler != "lambda_function.lambda_handler" || img.Dir != "/var/task" ||
		!strings.Contains(img.Reason, "handler lambda_function.lambda_handler runs in ") || img.Runtime != "python3.11" {
		t.Errorf("%+v", img)
	}
	var seen []string
	filepath.WalkDir(img.Layers[0], func(p string, d fs.DirEntry, err error) error {
		fi, _ := d.Info()
		if want := fs.FileMode(0o444); !d.IsDir() && fi.Mode() != want || d.IsDir() && fi.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v", p, fi.Mode())
		}
		seen = append(seen, strings.TrimPrefix(p, img.Layers[0]))
		return err
	})
	if !slices.Contains(seen, "/var/runtime/bootstrap.py") {
		t.Errorf("the runtime's layer has %v", seen)
	}
	python := img.Argv[0]
	for _, c := range []struct {
		memory int
		env    []string
		want   []string
	}{
		{128, nil, []string{python, "-u", "/var/runtime/bootstrap.py"}},
		{128, []string{"A=1", "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap"}, []string{"/opt/wrap", python, "-u", "/var/runtime/bootstrap.py"}},
		{128, []string{"AWS_LAMBDA_EXEC_WRAPPER="}, []string{python, "-u", "/var/runtime/bootstrap.py"}},
	} {
		if got := img.Command(c.memory, c.env); !slices.Equal(got, c.want) {
			t.Errorf("%q", got)
		}
	}
	js, err := Open(makeDir(t, []file{{"index.mjs", 0o600, "export const handler = 1"}}), store)
	if want := []string{js.Argv[0], "--expose-gc", "--max-http-header-size=81920", "--max-semi-space-size=51", "--max-old-space-size=922", "/var/runtime/bootstrap.mjs"}; err != nil || !slices.Equal(js.Command(1024, nil), want) {
		t.Errorf("%q, %v", js.Command(1024, nil), err)
	}
	if want := "NODE_PATH=/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"; !slices.Contains(js.Env, want) {
		t.Errorf("%q", js.Env)
	}
	own := Image{Argv: []string{"/var/task/bootstrap"}, Runtime: "python3.13"}
	if got := own.Command(128, []string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap"}); !slices.Equal(got, own.Argv) {
		t.Errorf("a bootstrap's command: %q", got)
	}
}

// asked is a request of a runtime.
type asked struct {
	path string
	http.Header
	body string
}

// runtimeAPI answers a runtime's requests by handle, in its own process and outside of a
// sandbox, until handle returns false. It returns what the runtime wrote.
func runtimeAPI(t *testing.T, language, handler string, files []file, env []string, handle func(w *bufio.Writer, a asked) bool) string {
	t.Helper()
	l := languageOf(language)
	i, err := l.onHost("")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NEEDS %s: %v", language, err)
	}
	layer, err := l.layer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := exec.Command(i.path, filepath.Join(layer, runtimeDir, l.main))
	cmd.Dir = makeDir(t, files)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "_HANDLER=" + handler, "AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String()}, env...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		listener.Close()
		close(ended)
	}()
	if c, err := listener.Accept(); err == nil {
		in, w := bufio.NewReader(c), bufio.NewWriter(c)
		for more := true; more; {
			req, err := http.ReadRequest(in)
			if err != nil {
				break
			}
			var body strings.Builder
			if _, err := bufio.NewReader(req.Body).WriteTo(&body); err != nil {
				break
			}
			more = handle(w, asked{req.URL.Path, req.Header, body.String()})
			w.Flush()
		}
		c.Close()
	}
	<-ended
	return out.String()
}

const (
	apiEvent  = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nLambda-Runtime-Aws-Request-Id: r1\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\nLambda-Runtime-Invocation-Id: a1\r\nLambda-Runtime-Cognito-Identity: {\"cognitoIdentityId\":\"c1\"}\r\n\r\n{}"
	apiTaken  = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
	apiStale  = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
	apiNoMore = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"
)

// TestRuntimesFollowTheProtocol says what runtimes send beyond what a caller sees:
// the attempt's id, and that they go on after an answer that came too late and end
// when there is no more work.
func TestRuntimesFollowTheProtocol(t *testing.T) {
	for _, c := range []struct {
		language, handler string
		files             []file
	}{
		{"python", "app.main", []file{{"app.py", 0o644, "def main(event, context):\n    return context.identity.cognito_identity_id\n"}}},
		{"nodejs", "app.main", []file{{"app.mjs", 0o644, "export const main = async (event, context) => context.identity.cognitoIdentityId;\n"}}},
	} {
		t.Run(c.language, func(t *testing.T) {
			var got []asked
			out := runtimeAPI(t, c.language, c.handler, c.files, nil, func(w *bufio.Writer, a asked) bool {
				got = append(got, a)
				w.WriteString([]string{apiEvent, apiStale, apiEvent, apiTaken, apiNoMore}[len(got)-1])
				return len(got) < 5
			})
			if len(got) != 5 || got[4].path != "/2018-06-01/runtime/invocation/next" {
				t.Fatalf("asked %v\n%s", got, out)
			}
			for _, a := range []asked{got[1], got[3]} {
				if a.path != "/2018-06-01/runtime/invocation/r1/response" || a.Get("Lambda-Runtime-Invocation-Id") != "a1" || a.body != `"c1"` {
					t.Errorf("answered %v", a)
				}
			}
			if !strings.Contains(out, "no event from the Runtime API: 403 no") {
				t.Errorf("wrote %q", out)
			}
		})
	}
}

func TestHooksAroundASnapshot(t *testing.T) {
	hooks := file{"app.py", 0o644, `
from snapshot_restore_py import register_after_restore, register_before_snapshot

order = []
register_before_snapshot(order.append, "second")
register_before_snapshot(order.append, "first")

@register_after_restore
def restored():
    order.append("restored")

def main(event, context):
    return order
`}
	var got []asked
	out := runtimeAPI(t, "python", "app.main", []file{hooks}, []string{"AWS_LAMBDA_INITIALIZATION_TYPE=snap-start"}, func(w *bufio.Writer, a asked) bool {
		got = append(got, a)
		w.WriteString([]string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", apiEvent, apiTaken}[len(got)-1])
		return len(got) < 3
	})
	if len(got) != 3 || got[0].path != "/2018-06-01/runtime/restore/next" || got[2].body != `["first", "second", "restored"]` {
		t.Errorf("asked %v\n%s", got, out)
	}
}
