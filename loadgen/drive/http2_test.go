package drive_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// twoServer serves HTTP/2 alone: over TLS, or by prior knowledge. conns counts its
// connections.
func twoServer(t *testing.T, secure bool, h http.HandlerFunc) (srv *httptest.Server, conns *atomic.Int64) {
	t.Helper()
	conns = new(atomic.Int64)
	srv = httptest.NewUnstartedServer(h)
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP2(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	if srv.EnableHTTP2 = secure; secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv, conns
}

func TestHTTP2WithAndWithoutTLS(t *testing.T) {
	for _, secure := range []bool{true, false} {
		var protos sync.Map
		srv, conns := twoServer(t, secure, func(w http.ResponseWriter, r *http.Request) {
			protos.Store(r.Proto+" "+r.Method+" "+r.URL.Path+" "+r.Header.Get("X-Key")+" "+r.Header.Get("Content-Type"), true)
			body, _ := io.ReadAll(r.Body)
			w.Write(body)
		})
		a := drive.Attack{
			URL: srv.URL + "/f", Header: http.Header{"X-Key": {"1"}}, HTTP2: true, Schedule: storm.Burst{N: 60}, Payloads: []drive.Payload{{Body: []byte("an event")}},
			Check: func(body []byte) error {
				if string(body) != "an event" {
					return fmt.Errorf("%q came back", body)
				}
				return nil
			},
		}
		if secure {
			a.TLS = srv.Client().Transport.(*http.Transport).TLSClientConfig
		}
		all, rep := fire(t, a)
		for _, s := range all {
			if s.Outcome != results.OutcomeServed || s.Bytes != 8 || s.Sent < s.Intended || s.Done < s.Sent {
				t.Fatalf("secure %v: %s %q, %d bytes, sent %v after its time", secure, s.Outcome, s.Reason, s.Bytes, s.Lag())
			}
		}
		protos.Range(func(k, _ any) bool {
			if k != "HTTP/2.0 POST /f 1 application/json" {
				t.Errorf("the endpoint saw %v", k)
			}
			return true
		})
		if conns.Load() != 1 || rep.Accuracy != drive.AccuracyHTTP2 || rep.Sent != 60 {
			t.Errorf("secure %v: %d connections, accuracy %s, %d sent", secure, conns.Load(), rep.Accuracy, rep.Sent)
		}
	}
}

// More at once than streams on a connection go over others.
func TestHTTP2DialsAsManyConnectionsAsStreamsTake(t *testing.T) {
	var inside atomic.Int64
	all300 := make(chan struct{})
	srv, conns := twoServer(t, false, func(http.ResponseWriter, *http.Request) {
		if inside.Add(1) == 600 {
			close(all300)
		}
		<-all300
	})
	srv.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
	all, _ := fire(t, drive.Attack{URL: srv.URL, HTTP2: true, Schedule: storm.Burst{N: 600}})
	for _, s := range all {
		if s.Outcome != results.OutcomeServed {
			t.Fatalf("%s %q", s.Outcome, s.Reason)
		}
	}
	if n := conns.Load(); n < 3 || n > 600 {
		t.Errorf("%d connections", n)
	}
}

func TestHTTP2OverAUnixSocketToTargetsInTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var paths sync.Map
	srv := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := paths.LoadOrStore(r.Method+" "+r.Host+r.URL.Path, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	})}
	srv.Protocols.SetUnencryptedHTTP2(true)
	go srv.Serve(l)
	defer srv.Close()
	fire(t, drive.Attack{Socket: path, HTTP2: true, Schedule: storm.Burst{N: 10}, Targets: []drive.Target{
		{Method: "GET", URL: "http://one/a"}, {Method: "PUT", URL: "http://one/b", Body: []byte("x")},
	}})
	for _, want := range []string{"GET one/a", "PUT one/b"} {
		if n, ok := paths.Load(want); !ok || n.(*atomic.Int64).Load() != 5 {
			t.Errorf("%s: %v", want, n)
		}
	}
}

func TestFailuresOfHTTP2AreNamed(t *testing.T) {
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	old.Config.ErrorLog = log.New(io.Discard, "", 0)
	old.StartTLS() // offers HTTP/1.1 alone
	defer old.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	reset, _ := twoServer(t, false, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	release := make(chan struct{})
	slow, _ := twoServer(t, false, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	for _, tt := range []struct {
		url, reason string
		outcome     results.Outcome
	}{
		{old.URL, "no HTTP/2", results.OutcomeFailed},
		{gone.URL, "connection refused", results.OutcomeFailed},
		{reset.URL, "stream reset", results.OutcomeFailed},
		{slow.URL, "client timeout", results.OutcomeTimedOut},
	} {
		a := drive.Attack{URL: tt.url, HTTP2: true, Schedule: storm.Burst{N: 3}, Timeout: 50 * time.Millisecond}
		if strings.HasPrefix(tt.url, "https") {
			a.TLS = old.Client().Transport.(*http.Transport).TLSClientConfig
		}
		if tt.reason != "client timeout" {
			a.Timeout = 0
		}
		all, _ := fire(t, a)
		for _, s := range all {
			if s.Outcome != tt.outcome || s.Reason != tt.reason {
				t.Errorf("%s: %s %q", tt.reason, s.Outcome, s.Reason)
			}
		}
	}
}

func TestHTTP2StopsAtOnce(t *testing.T) {
	release := make(chan struct{})
	srv, _ := twoServer(t, false, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	outcomes := map[results.Outcome]int{}
	began := make(chan struct{})
	go func() {
		<-began
		cancel()
	}()
	a := drive.Attack{URL: srv.URL, HTTP2: true, Schedule: storm.Constant{Rate: 10, For: 100 * time.Second}}
	once := sync.OnceFunc(func() { close(began) })
	a.Route = func(seq int) int { once(); return 0 }
	a.Routes = []string{srv.URL}
	rep, err := a.Fire(ctx, func(s results.Sample) {
		mu.Lock()
		outcomes[s.Outcome]++
		mu.Unlock()
	})
	if err != nil || !rep.Stopped || outcomes[results.OutcomeUnsent] < 900 {
		t.Errorf("%v, stopped %v: %v", err, rep.Stopped, outcomes)
	}
}
