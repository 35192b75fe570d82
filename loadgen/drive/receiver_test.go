package drive_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// answers serves each connection by a function of its own until the test ends.
func answers(t *testing.T, serve func(n int64, c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(n.Add(1), c)
			}()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

// request reads one request without a body.
func request(c net.Conn) bool {
	var text strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(text.String(), "\r\n\r\n"); {
		if _, err := c.Read(b); err != nil {
			return false
		}
		text.Write(b)
	}
	return true
}

func TestResponsesInChunksAndToTheEndAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		last bool
	}{
		"chunks":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", false},
		"to the end":        {"HTTP/1.1 200 OK\r\n\r\nhello", true},
		"after a 100":       {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false},
		"without a return":  {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", false},
		"of a known length": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false},
	} {
		t.Run(name, func(t *testing.T) {
			url := answers(t, func(_ int64, conn net.Conn) {
				for request(conn) {
					for i := range len(c.text) { // a byte at a time
						if _, err := io.WriteString(conn, c.text[i:i+1]); err != nil {
							return
						}
					}
					if c.last {
						return
					}
				}
			})
			var bodies atomic.Int64
			all, rep := fire(t, drive.Attack{URL: url, Schedule: storm.Sequence{N: 4}, Check: func(body []byte) error {
				if string(body) == "hello" {
					bodies.Add(1)
				}
				return nil
			}})
			for _, s := range all {
				if s.Outcome != results.OutcomeServed || s.Bytes != 5 {
					t.Errorf("%s %q, %d bytes", s.Outcome, s.Reason, s.Bytes)
				}
			}
			if dialled := map[bool]int{true: 3}[c.last]; bodies.Load() != 4 || rep.Dialled != dialled {
				t.Errorf("%d bodies came whole; %d connections were made during the storm, want %d", bodies.Load(), rep.Dialled, dialled)
			}
		})
	}
}

// The endpoint closes every connection once it is made, but for the last ones: no
// trigger was sent on them, so none is lost with them.
func TestATriggerWhoseConnectionEndsBeforeItsTimeTakesAnother(t *testing.T) {
	url := answers(t, func(n int64, c net.Conn) {
		if n <= 10 {
			return
		}
		for request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	all, _ := fire(t, drive.Attack{URL: url, Schedule: storm.List{0, 0, 0, 0, 0, 50 * time.Millisecond, 50 * time.Millisecond}})
	served := 0
	for _, s := range all {
		if s.Outcome == results.OutcomeServed {
			served++
		} else if s.Sent == 0 && s.Reason == "" {
			t.Errorf("trigger %d: %s without a reason", s.Seq, s.Outcome)
		}
	}
	if served < 2 {
		t.Errorf("%d served of 7", served)
	}
}

// However many connections end while a trigger waits for its time, it is not failed before.
func TestATriggerIsNotFailedBeforeItsTime(t *testing.T) {
	url := answers(t, func(n int64, c net.Conn) {
		if n <= 3 { // holds them long enough to be taken
			c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			c.Read(make([]byte, 1))
			return
		}
		for request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	all, _ := fire(t, drive.Attack{URL: url, Schedule: storm.Burst{N: 1}, Lead: time.Second})
	if s := all[0]; s.Outcome != results.OutcomeServed {
		t.Errorf("%s %q", s.Outcome, s.Reason)
	}
}

// secureAnswers is answers over TLS, with what a client needs to trust it.
func secureAnswers(t *testing.T, serve func(n int64, c net.Conn)) (url string, trust *tls.Config) {
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS() // for its certificate
	t.Cleanup(srv.Close)
	url = answers(t, func(n int64, c net.Conn) { serve(n, tls.Server(c, srv.TLS)) })
	return strings.Replace(url, "http", "https", 1), srv.Client().Transport.(*http.Transport).TLSClientConfig
}

func TestAnEndpointThatSpeaksUnaskedOverTLSIsNotBelieved(t *testing.T) {
	url, trust := secureAnswers(t, func(n int64, c net.Conn) {
		if n <= 2 { // those that are made before the storm
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		for request(c) {
			io.WriteString(c, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	all, _ := fire(t, drive.Attack{
		URL: url, TLS: trust, Schedule: storm.List{0, 300 * time.Millisecond}, Lead: 200 * time.Millisecond,
	})
	for _, s := range all {
		if s.Outcome != results.OutcomeServed || s.Status != 202 {
			t.Errorf("%s %q, status %d, want the answer to the request", s.Outcome, s.Reason, s.Status)
		}
	}
}

func TestAnEndpointThatSpeaksUnaskedIsNotBelieved(t *testing.T) {
	url := answers(t, func(n int64, c net.Conn) {
		if n == 1 {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			io.Copy(io.Discard, c)
			return
		}
		for request(c) {
			io.WriteString(c, "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	all, _ := fire(t, drive.Attack{URL: url, Schedule: storm.List{50 * time.Millisecond}})
	if s := all[0]; s.Outcome != results.OutcomeServed || s.Status != 202 {
		t.Errorf("%s %q, status %d, want the answer to the request", s.Outcome, s.Reason, s.Status)
	}
}

// An endpoint need not read a request to its end to refuse it.
func TestAnAnswerThatComesBeforeTheRequestIsSent(t *testing.T) {
	for _, hangUp := range []bool{true, false} {
		url := answers(t, func(_ int64, c net.Conn) {
			if request(c) {
				io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
			}
			if !hangUp {
				io.Copy(io.Discard, c)
			}
		})
		var texts atomic.Int64
		all, _ := fire(t, drive.Attack{
			URL: url, Schedule: storm.Constant{Rate: 100, For: 100 * time.Millisecond},
			Payloads: []drive.Payload{{Body: []byte(strings.Repeat("x", 16<<20))}},
			Refused: func(body []byte) {
				if string(body) == "big" {
					texts.Add(1)
				}
			},
		})
		for _, s := range all {
			if s.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("hangs up: %v: %s %q, status %d", hangUp, s.Outcome, s.Reason, s.Status)
			}
		}
		if texts.Load() != int64(len(all)) {
			t.Errorf("hangs up: %v: %d of %d texts", hangUp, texts.Load(), len(all))
		}
	}
}

func TestAnAnswerThatComesBeforeTheRequestIsSentOverTLS(t *testing.T) {
	url, trust := secureAnswers(t, func(_ int64, c net.Conn) {
		if request(c) {
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
			request(c) // reads to the end of the body for a while
		}
	})
	all, _ := fire(t, drive.Attack{
		URL: url, TLS: trust, Schedule: storm.Sequence{N: 3}, Timeout: 5 * time.Second, Connections: 1,
		Payloads: []drive.Payload{{Body: []byte(strings.Repeat("x", 16<<20))}},
	})
	for _, s := range all {
		if s.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s %q, status %d", s.Outcome, s.Reason, s.Status)
		}
	}
}

// An endpoint that closes each connection after its answer, and does not say so: what
// waits for a connection does not get one that has ended.
func TestAConnectionThatEndsWithItsAnswerIsNotUsedAgain(t *testing.T) {
	url := answers(t, func(_ int64, c net.Conn) {
		if request(c) {
			raw, err := c.(*net.TCPConn).SyscallConn()
			if err != nil {
				t.Error(err)
				return
			}
			raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, 1) }) // the end goes with the answer
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	all, _ := fire(t, drive.Attack{URL: url, Schedule: storm.Burst{N: 300}, Connections: 20})
	failed := map[string]int{}
	for _, s := range all {
		if s.Outcome != results.OutcomeServed {
			failed[fmt.Sprint(s.Outcome, s.Reason)]++
		}
	}
	if len(failed) > 0 {
		t.Error(failed)
	}
}

func TestATimeoutEndsAStream(t *testing.T) {
	release := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-release
	})
	defer close(release)
	all, _ := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 3}, Timeout: 30 * time.Millisecond})
	for _, s := range all {
		if s.Outcome != results.OutcomeTimedOut || s.Reason != "client timeout" || s.Total() < 30*time.Millisecond {
			t.Errorf("%s %q after %v", s.Outcome, s.Reason, s.Total())
		}
	}
}

func TestAStopEndsStreams(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	release := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		stop()
		<-release
	})
	defer close(release)
	all, _ := fireUntil(t, ctx, drive.Attack{URL: srv.URL, Schedule: storm.Gap{N: 2, Gap: time.Hour}}, func(results.Sample) {})
	if s := all[0]; s.Outcome != results.OutcomeFailed || s.Reason != "stopped before the answer" {
		t.Errorf("%s %q", s.Outcome, s.Reason)
	}
}

func TestConnectionsAreDialledAheadOfTheirNeed(t *testing.T) {
	release := make(chan struct{})
	var arrived atomic.Int64
	srv := serve(t, func(http.ResponseWriter, *http.Request) {
		if arrived.Add(1) == 400 { // none is answered before
			close(release)
		}
		<-release
	})
	all, rep := fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Constant{Rate: 1000, For: 400 * time.Millisecond}})
	if len(all) != 400 || rep.Sent != 400 || rep.Dialled < 200 || rep.Waits != 0 {
		t.Errorf("%d sent, %d connections made during the storm, %d waits", rep.Sent, rep.Dialled, rep.Waits)
	}
}

func TestAStormLeavesNoDescriptor(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "x") })
	open := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		mine := 0
		for _, f := range all { // the endpoint's end of connections is of this process too
			if to, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && !strings.HasPrefix(to, "socket:") {
				mine++
			}
		}
		return mine
	}
	fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 5}}) // the Go runtime opens its own once
	before := open()
	for range 5 {
		fire(t, drive.Attack{URL: srv.URL, Schedule: storm.Burst{N: 50}})
	}
	srv.Close() // waits for connections to end, which it would not if the storms left them open
	if after := open(); after > before {
		t.Errorf("%d descriptors beside sockets after five storms, %d before", after, before)
	}
}
