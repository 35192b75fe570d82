package live

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// pipes is a listener of connections in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipes) Close() error   { close(l.done); return nil }
func (l *pipes) Addr() net.Addr { return nil }

// ask sends a request and returns its answer and the connection's end.
func (l *pipes) ask(method, path, body string, headers ...string) *http.Response {
	mine, theirs := net.Pipe()
	l.conns <- theirs
	go func() {
		fmt.Fprintf(mine, "%s %s HTTP/1.1\r\nContent-Length: %d\r\n%s\r\n\r\n%s", method, path, len(body), strings.Join(headers, "\r\n"), body)
	}()
	res, err := http.ReadResponse(bufio.NewReader(mine), nil)
	if err != nil {
		return nil
	}
	return res
}

// deaf is a sandbox that hears signals and doesn't end by them.
type deaf struct {
	*stillBox
	heard []syscall.Signal
}

func (b *deaf) Signal(s syscall.Signal) error { b.heard = append(b.heard, s); return nil }

// The budgets of facts about the shutdown phase: none, 500 ms, 2 s.
func TestShutdownIsBudgeted(t *testing.T) {
	tests := []struct {
		rule     string
		external bool
		events   string // registered for; empty: no extension
		why      *Failure
		budget   time.Duration
		signals  int
		event    string
	}{
		{"0 ms without extensions", false, "", errDiscarded, 0, 0, ""},
		{"500 ms with an internal one", false, `["INVOKE"]`, errDiscarded, 500 * time.Millisecond, 1, ""},
		{"2 s with an external one", true, `["SHUTDOWN"]`, errDiscarded, 2 * time.Second, 1, "spindown"},
		{"after a timeout", true, `["SHUTDOWN"]`, timeoutFailure("Task", time.Second), 2 * time.Second, 1, "timeout"},
		{"after a crash", true, `["SHUTDOWN"]`, exitFailure(Exit{Code: 1}), 2 * time.Second, 1, "failure"},
		{"the runtime has 300 ms of that, and nobody else wants more", true, `["INVOKE"]`, errDiscarded, 300 * time.Millisecond, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &pipes{make(chan net.Conn), make(chan struct{})}
				c := api.Config{}
				if tt.external {
					c.Extensions = []string{"x"}
				}
				env := api.New(l, c)
				got := make(chan string, 1)
				if tt.events != "" {
					res := l.ask("POST", "/2020-01-01/extension/register", `{"events":`+tt.events+`}`, "Lambda-Extension-Name: x")
					go func() {
						res := l.ask("GET", "/2020-01-01/extension/event/next", "", "Lambda-Extension-Identifier: "+res.Header.Get("Lambda-Extension-Identifier"))
						if res != nil {
							b, _ := io.ReadAll(io.LimitReader(res.Body, res.ContentLength))
							got <- string(b)
						}
					}()
				}
				synctest.Wait()
				box := &deaf{stillBox: &stillBox{done: make(chan struct{}), closing: make(chan struct{})}}
				u := &unit{runtimeEnded: make(chan struct{})}
				began := time.Now()
				u.shutdown(box, env, tt.why)
				if took := time.Since(began); took != tt.budget || len(box.heard) != tt.signals {
					t.Errorf("took %v, %d signals", took, len(box.heard))
				}
				if tt.event != "" {
					if body := <-got; !strings.Contains(body, `"shutdownReason":"`+tt.event+`"`) || !strings.Contains(body, fmt.Sprint(began.Add(2*time.Second).UnixMilli())) {
						t.Errorf("extension got %s", body)
					}
				}
				env.Close()
			})
		})
	}
}

func TestShutdownEndsEarlyWithTheSandbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &pipes{make(chan net.Conn), make(chan struct{})}
		env := api.New(l, api.Config{})
		l.ask("POST", "/2020-01-01/extension/register", `{}`, "Lambda-Extension-Name: x")
		box := &deaf{stillBox: &stillBox{done: make(chan struct{}), closing: make(chan struct{})}}
		began := time.Now()
		time.AfterFunc(100*time.Millisecond, func() { box.Stop() })
		(&unit{}).shutdown(box, env, errDiscarded)
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("took %v", took)
		}
		env.Close()
	})
}

func TestWhatASupervisorTells(t *testing.T) {
	tests := []struct {
		rule    string
		told    api.Exit
		kind    string
		message string
	}{
		{"the runtime's exit", api.Exit{Code: 1}, "Runtime.ExitError", "Runtime exited with error: exit status 1"},
		{"the runtime's signal", api.Exit{Code: -1, Signal: 9}, "Runtime.ExitError", "Runtime exited with error: signal: killed"},
		{"a runtime that can't be executed", api.Exit{Code: 127, Why: "no such file"}, "Runtime.InvalidEntrypoint", "no such file"},
		{"an extension's exit", api.Exit{Name: "x", Code: 2}, "Extension.Crash", "extension x ended: exit code 2"},
		{"an extension that can't be executed", api.Exit{Name: "x", Why: "exec format error"}, "Extension.LaunchError", "exec format error"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			f, l := deploy(t, func(g *guest) Exit {
				g.base += "/coldstorm"
				req, _ := http.NewRequestWithContext(g.ctx, "POST", g.base+"/exit", strings.NewReader(
					fmt.Sprintf(`{"name":%q,"code":%d,"signal":%d,"why":%q}`, tt.told.Name, tt.told.Code, tt.told.Signal, tt.told.Why)))
				if res, err := g.client.Do(req); err == nil {
					res.Body.Close()
				} else if !errors.Is(err, g.ctx.Err()) {
					t.Error(err)
				}
				return hang(g)
			}, Config{Extensions: []string{"x"}})
			r := f.Invoke(Request{})
			if r.Outcome != results.OutcomeFailed || r.ErrorType != tt.kind || !strings.Contains(string(r.Payload), tt.message) {
				t.Errorf("got %s %s", r.ErrorType, r.Payload)
			}
			if n := l.launched.Load(); n != 1 {
				t.Errorf("%d launches", n)
			}
		})
	}
}

func TestAnExtensionsErrorFailsTheInvocation(t *testing.T) {
	f, _ := deploy(t, func(g *guest) Exit {
		ext := func(path string, headers ...string) *http.Response {
			req, _ := http.NewRequestWithContext(g.ctx, "POST", g.base+"/2020-01-01/extension/"+path, strings.NewReader("{}"))
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			res, err := g.client.Do(req)
			if err != nil {
				return nil
			}
			res.Body.Close()
			return res
		}
		if res := ext("register", "Lambda-Extension-Name", "x"); res != nil {
			ext("init/error", "Lambda-Extension-Identifier", res.Header.Get("Lambda-Extension-Identifier"), "Lambda-Extension-Function-Error-Type", "Mine.Bad")
		}
		return hang(g)
	}, Config{Extensions: []string{"x"}})
	if r := f.Invoke(Request{}); r.ErrorType != "Extension.InitError" || !strings.Contains(string(r.Payload), "extension x: Mine.Bad") {
		t.Errorf("got %s %s", r.ErrorType, r.Payload)
	}
}
