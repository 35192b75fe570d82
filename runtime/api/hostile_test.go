package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"coldstorm/results"
)

func (r *runtime) dial() net.Conn {
	r.t.Helper()
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	return nc
}

// What is no request is answered as AWS's emulator (net/http's server) answers
// it, and a connection that works is not disturbed.
func TestMalformedRequestsAreRefusedAndHarmNobody(t *testing.T) {
	tests := []struct{ rule, sent, answer string }{
		{"no request at all", "hello\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"a header without a colon", "GET /2018-06-01/ping HTTP/1.1\r\nx\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"two lengths that differ", "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"a head that has no end", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", maxHeader+4096), "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
		{"a head of 1 MiB counts", "GET /2018-06-01/ping HTTP/1.1\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", "HTTP/1.1 200 OK\r\n"},
		{"half a head", "GET /2018-06-01/pi", "HTTP/1.1 400 Bad Request\r\n"},
		{"nothing", "", ""},
		{"chunks that are none", "POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"trailers that are none", "POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
		{"trailers that have no end", "POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + strings.Repeat("x", maxHeader+4096), "HTTP/1.1 400 Bad Request\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			h, c := newHooks()
			e, r := begin(t, c)
			_, result := invoke(t, e, r, h, Invocation{ID: "7"})
			nc := r.dial().(*net.TCPConn)
			go func() {
				io.WriteString(nc, tt.sent)
				nc.CloseWrite()
			}()
			if line, _ := bufio.NewReader(nc).ReadString('\n'); line != tt.answer {
				t.Errorf("got %q, want %q", line, tt.answer)
			}
			if a := r.post("invocation/7/response", "ok"); a.status != 202 {
				t.Errorf("the answer after it: %d %s", a.status, a.body)
			}
			if got := <-result; string(got.Payload) != "ok" {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestASlowBodyHoldsUpItsOwnEnvironmentAlone(t *testing.T) {
	h, c := newHooks()
	slow, r := begin(t, c)
	_, stuck := invoke(t, slow, r, h, Invocation{ID: "7"})
	nc := r.dial()
	fmt.Fprintf(nc, "POST %sinvocation/7/response HTTP/1.1\r\nContent-Length: 9\r\n\r\nslo", root)
	for slow.reading() != 1 {
	}
	if a := r.post("invocation/7/response", "second"); a.status != 400 || !strings.Contains(a.body, "InvalidRequestID") {
		t.Errorf("a second answer meanwhile: %d %s", a.status, a.body)
	}
	h2, c2 := newHooks()
	other, r2 := begin(t, c2)
	_, result := invoke(t, other, r2, h2, Invocation{ID: "7"})
	r2.post("invocation/7/response", "ok")
	if got := <-result; string(got.Payload) != "ok" {
		t.Errorf("the other environment: %+v", got)
	}
	slow.Abort(io.ErrNoProgress)
	if got := <-stuck; got.err != io.ErrNoProgress {
		t.Errorf("got %+v", got)
	}
	slow.Close() // doesn't wait for the body
}

func TestARuntimeThatHungUpGetsItsEventWithItsNextNext(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	nc := r.dial()
	fmt.Fprintf(nc, "GET %sinvocation/next HTTP/1.1\r\n\r\n", root)
	<-h.ready
	nc.Close()
	result := make(chan reply, 1)
	go func() {
		res, err := e.Invoke(Invocation{ID: "7", Payload: []byte("x")})
		result <- reply{res, err}
	}()
	for e.pending() != 1 {
	}
	if a := r.must("GET", root+"invocation/next", nil); a.body != "x" {
		t.Errorf("next: %d %q", a.status, a.body)
	}
	r.post("invocation/7/response", "ok")
	if got := <-result; string(got.Payload) != "ok" {
		t.Errorf("got %+v", got)
	}
}

func (e *Environment) pending() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.out)
}

// FuzzConversation feeds the connection of a runtime that has an event with a
// peer's bytes: whatever they are, what comes back is HTTP, the caller gets one
// outcome, and nothing stays behind.
func FuzzConversation(f *testing.F) {
	f.Add([]byte("POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"+headerErrorType+": Function.X\r\n"+headerErrorBody+": e30=\r\n\r\n"), true)
	f.Add([]byte("POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n"), true)
	f.Add([]byte("POST /2018-06-01/runtime/invocation/7/error HTTP/1.1\r\nContent-Type: application/vnd.aws.lambda.error.cause+json\r\nContent-Length: 2\r\n\r\n{}"), false)
	f.Add([]byte("GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n\r\n"), false)
	f.Add([]byte("POST /2018-06-01/runtime/invocation/7/response HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), false)
	f.Fuzz(func(t *testing.T, b []byte, streams bool) {
		l := newPipeListener()
		ready := make(chan struct{})
		e := New(l, Config{SnapStart: true, Ready: func(results.Stamp) { close(ready) }})
		first := l.dial()
		go io.WriteString(first, "GET "+root+"invocation/next HTTP/1.1\r\n\r\n")
		<-ready
		inv := Invocation{ID: "7", Payload: []byte("x")}
		if streams {
			inv.Stream = &caller{}
		}
		done := make(chan reply, 1)
		go func() {
			res, err := e.Invoke(inv)
			done <- reply{res, err}
		}()
		if _, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil {
			t.Fatal(err)
		}
		peer := l.dial()
		heard := make(chan error, 1)
		go func() {
			r := bufio.NewReader(peer)
			for {
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					if _, peeked := r.Peek(1); peeked == nil {
						heard <- err
						return
					}
					heard <- nil
					return
				}
				io.Copy(io.Discard, res.Body)
			}
		}()
		peer.Write(b)
		peer.Close()
		e.Close()
		<-done
		if err := <-heard; err != nil {
			t.Errorf("what came back is no HTTP: %v", err)
		}
	})
}
