package drive_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// whims are what an endpoint may do of a connection.
var whims = []func(c net.Conn){
	func(net.Conn) {}, // closes it at once
	func(c net.Conn) { // answers twice and closes it without a word
		for i := 0; i < 2 && request(c); i++ {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	},
	func(c net.Conn) { // chunks, and the last of them
		for i := 0; i < 3 && request(c); i++ {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
			io.WriteString(c, "0\r\n\r\n")
		}
	},
	func(c net.Conn) { // half an answer
		if request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok")
		}
	},
	func(c net.Conn) { // half a head
		if request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
		}
	},
	func(c net.Conn) { // a reset
		if request(c) {
			beneath(c).SetLinger(0)
		}
	},
	func(c net.Conn) { // an answer to nothing
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		request(c)
	},
	func(c net.Conn) { // more than the answer
		if request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more")
			request(c)
		}
	},
	func(c net.Conn) { // no answer before the timeout
		request(c)
		io.Copy(io.Discard, c)
	},
	func(c net.Conn) { // an odd one that does not end
		if request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nok")
			io.Copy(io.Discard, c)
		}
	},
	func(c net.Conn) { // to the end of what it sends
		if request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nok")
			beneath(c).CloseWrite()
			io.Copy(io.Discard, c)
		}
	},
	func(c net.Conn) { // as it should
		for request(c) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	},
}

func beneath(c net.Conn) *net.TCPConn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	return c.(*net.TCPConn)
}

// Whatever an endpoint does of its connections, each trigger ends once, and the storm
// leaves nothing behind.
func TestEachTriggerEndsOnceWhateverTheEndpointDoes(t *testing.T) {
	whim := func(n int64, c net.Conn) { whims[n%int64(len(whims))](c) }
	plain := answers(t, whim)
	secure, trust := secureAnswers(t, whim)
	before := runtime.NumGoroutine()
	for _, sch := range []storm.Schedule{
		storm.Burst{N: 200},
		storm.Constant{Rate: 2000, For: 100 * time.Millisecond},
		storm.Loop{N: 200, Callers: 8},
	} {
		for _, stopAt := range []int{0, 70} { // 0: never
			for _, url := range []string{plain, secure} {
				if served := whimsOf(t, drive.Attack{URL: url, TLS: trust, Schedule: sch}, stopAt); served == 0 {
					t.Errorf("%s at %s: none was served", sch, url)
				}
			}
		}
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before+len(whims) && time.Now().Before(end); {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before+len(whims) {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines after the storms, %d before:\n%s", after, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// whimsOf fires a, stops it once so many triggers have ended, and returns how many were
// served.
func whimsOf(t *testing.T, a drive.Attack, stopAt int) (served int) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	a.Connections, a.Timeout, a.Check = 24, 30*time.Millisecond, func([]byte) error { return nil }
	ended := 0
	fireUntil(t, ctx, a, func(s results.Sample) {
		if ended++; ended == stopAt {
			stop()
		}
		if s.Outcome == results.OutcomeServed {
			served++
		}
	})
	return served
}
