package drive

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func keepAll(answer) bool { return true }

// feedIn adds a response in pieces of a size, and returns what the last add found and
// how much was not added.
func feedIn(r *response, text []byte, size int) (what found, rest int, err error) {
	for len(text) > 0 && what == more && err == nil {
		n := min(size, len(text))
		what, err = r.add(text[:n], keepAll)
		text = text[n:]
	}
	return what, len(text), err
}

func TestAResponseOfALengthIsWholeAtItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		method, text, body string
		status             int
		last               bool
	}{
		"a body":                          {"POST", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", 200, false},
		"none":                            {"POST", "HTTP/1.1 202 Accepted\r\ncontent-length:0\r\n\r\n", "", 202, false},
		"a status that has no body":       {"POST", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, false},
		"a length without a body to HEAD": {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "", 200, false},
		"no reason phrase":                {"POST", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", 200, false},
		"the connection's last":           {"POST", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: foo, Close\r\n\r\nok", "ok", 200, true},
		"of HTTP/1.0":                     {"POST", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, true},
		"the connection's last by a second field": {"POST", "HTTP/1.1 200 OK\r\nConnection: foo\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", "ok", 200, true},
		"of HTTP/1.0 that is kept alive":          {"POST", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", "ok", 200, false},
	} {
		for size := 1; size <= len(c.text); size++ {
			var r response
			r.begin(c.method)
			what, rest, err := feedIn(&r, []byte(c.text), size)
			if what != whole || rest != 0 || err != nil {
				t.Fatalf("%s, %d bytes at once: found %d, %d left, %v", name, size, what, rest, err)
			}
			if g := r.got; g.status != c.status || string(g.body) != c.body || g.bytes != int64(len(c.body)) || g.last != c.last {
				t.Errorf("%s, %d bytes at once: %+v", name, size, g)
			}
		}
	}
}

func TestWhatFollowsAResponseMakesItTheLast(t *testing.T) {
	var r response
	r.begin("POST")
	what, err := r.add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more"), keepAll)
	if what != whole || err != nil || !r.got.last || string(r.got.body) != "ok" {
		t.Errorf("found %d, %v: %+v", what, err, r.got)
	}
}

func TestABodyThatIsNotNeededIsCountedAndNotKept(t *testing.T) {
	var r response
	r.begin("POST")
	text := "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000)
	for p := []byte(text); len(p) > 0; p = p[min(len(p), 4096):] {
		if _, err := r.add(p[:min(len(p), 4096)], func(answer) bool { return false }); err != nil {
			t.Fatal(err)
		}
	}
	if r.got.body != nil || r.got.bytes != 100000 || r.left != 0 || len(r.held) > 4096 {
		t.Errorf("%d bytes kept, %d counted, %d left, %d held", len(r.got.body), r.got.bytes, r.left, len(r.held))
	}
}

func TestResponsesWithoutALengthAreLeftToNetHTTP(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 200 OK\nContent-Length: 3\n\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\n\r\n",
		"HTTP/1.1  200 OK\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: foo,\r\n\tclose\r\n\r\n",
	} {
		var r response
		r.begin("POST")
		if what, err := r.add([]byte(text), keepAll); what != odd || err != nil || string(r.held) != text {
			t.Errorf("%q: found %d, %v, %q held", text, what, err, r.held)
		}
	}
}

// net/http says what is malformed, and why.
func TestAResponseThatIsNoneIsMalformed(t *testing.T) {
	for _, text := range []string{
		"what?\r\n\r\n", "HTTP/1.1 2 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/x.1 200 OK\r\n\r\n", "SMTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 5\u00a0\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nwhat?\r\n\r\nhello",
	} {
		var r response
		r.begin("POST")
		if what, err := r.add([]byte(text), keepAll); what != odd || err != nil {
			t.Errorf("%q: found %d, %v", text, what, err)
		}
		if got := receive(bufio.NewReader(strings.NewReader(text)), "POST", keepAll); got.err == nil {
			t.Errorf("%q: status %d", text, got.status)
		}
	}
	var r response
	r.begin("POST")
	if _, err := r.add([]byte("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", maxHead)), keepAll); err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("a head without an end: %v", err)
	}
}

// What is whole is what net/http reads of it, however it came in.
func FuzzResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello"), 7, false)
	f.Add([]byte("HTTP/1.0 429 Too Many\r\nconnection: keep-alive\r\nContent-Length: 0\r\n\r\n"), 1, false)
	f.Add([]byte("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), 3, true)
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1"), 100, true)
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: +1\r\nConnection: a\r\nConnection: close\r\n b\r\n\r\nh"), 9, false)
	f.Fuzz(func(t *testing.T, text []byte, size int, head bool) {
		method := http.MethodPost
		if head {
			method = http.MethodHead
		}
		var r response
		r.begin(method)
		what, rest, err := feedIn(&r, text, max(size, 1))
		if what != whole || err != nil {
			return
		}
		text = text[:len(text)-rest]
		in := bufio.NewReader(bytes.NewReader(text))
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			if !strings.Contains(err.Error(), "malformed MIME header") { // of field names and values net/http refuses more
				t.Fatalf("%q: %d, net/http: %v", text, r.got.status, err)
			}
			return
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != r.got.status || string(body) != string(r.got.body) && len(body) <= maxKept {
			t.Fatalf("%q: %d %q, net/http: %d %q %v", text, r.got.status, r.got.body, res.StatusCode, body, err)
		}
		if r.got.bytes != int64(len(body)) || r.got.last != (res.Close || in.Buffered() > 0) {
			t.Fatalf("%q: %d bytes, last %v; net/http: %d, close %v and %d after it", text, r.got.bytes, r.got.last, len(body), res.Close, in.Buffered())
		}
	})
}
