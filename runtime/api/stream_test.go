package api

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// caller is a Stream that keeps what it gets.
type caller struct {
	contentType string
	got         bytes.Buffer
	begun       int
	fails       error
	parts       chan string // nil: nobody wants to see them one by one
}

func (s *caller) Begin(contentType string) { s.begun++; s.contentType = contentType }

func (s *caller) Write(p []byte) (int, error) {
	s.got.Write(p)
	if s.parts != nil {
		s.parts <- string(p)
	}
	return len(p), s.fails
}

// stream sends an answer to invocation 7 piece by piece, with trailers.
func (r *runtime) stream(body io.Reader, trailer http.Header, headers ...string) (answer, error) {
	req, err := http.NewRequest("POST", r.base+root+"invocation/7/response", io.MultiReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Trailer = trailer
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := r.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(b)}, err
}

func TestAStreamedResponseReachesItsCallerBeforeItEnds(t *testing.T) {
	for _, mode := range []string{"", "streaming"} { // aws-lambda-go sends no mode
		t.Run("mode="+mode, func(t *testing.T) {
			h, c := newHooks()
			e, r := begin(t, c)
			s := &caller{parts: make(chan string)}
			_, result := invoke(t, e, r, h, Invocation{ID: "7", Stream: s})
			in, out := io.Pipe()
			status := make(chan int, 1)
			go func() {
				headers := []string{"Content-Type", "text/x"}
				if mode != "" {
					headers = append(headers, headerResponseMode, mode)
				}
				a, err := r.stream(in, nil, headers...)
				if err != nil {
					t.Error(err)
				}
				status <- a.status
			}()
			for _, part := range []string{"one", "two"} {
				io.WriteString(out, part)
				if got := <-s.parts; got != part {
					t.Errorf("got %q, want %q", got, part)
				}
			}
			out.Close()
			got := <-result
			if got.err != nil || !got.Streamed || got.Size != 6 || len(got.Payload) > 0 || got.ErrorType != "" || got.Begun < got.Delivered || got.Received < got.Begun {
				t.Errorf("got %+v", got)
			}
			if s.contentType != "text/x" || s.begun != 1 || <-status != 202 {
				t.Errorf("type %q, begun %d times", s.contentType, s.begun)
			}
		})
	}
}

func TestStreamedAnswers(t *testing.T) {
	stack := strings.Repeat("x", 100<<10) // far more than a reader's buffer
	tests := []struct {
		rule    string
		max     int64
		body    string
		trailer http.Header
		headers []string
		status  int
		kind    string
		payload string
		written string
	}{
		{rule: "the empty response", status: 202},
		{rule: "an error in trailers ends a response that began", body: "part", trailer: http.Header{headerErrorType: {"Function.Broke"}, headerErrorBody: {base64.StdEncoding.EncodeToString([]byte(stack))}}, status: 202, kind: "Function.Broke", payload: stack, written: "part"},
		{rule: "an error without a body has its type alone", body: "part", trailer: http.Header{headerErrorType: {"odd"}}, status: 202, kind: "Runtime.Unknown", payload: `{"errorMessage":"","errorType":"Runtime.Unknown"}`, written: "part"},
		{rule: "the largest response", max: 4, body: "four", status: 202, written: "four"},
		{rule: "a response that is too large", max: 4, body: "fives", status: 413, kind: "Function.ResponseSizeTooLarge", payload: `{"errorMessage":"Response payload size (5 bytes) exceeded maximum allowed payload size (4 bytes).","errorType":"Function.ResponseSizeTooLarge"}`},
		{rule: "another mode", body: "x", headers: []string{headerResponseMode, "dripping"}, status: 400, kind: "Runtime.InvalidResponseModeHeader", payload: `{"errorMessage":"Invalid response mode \"dripping\"","errorType":"Runtime.InvalidResponseModeHeader"}`},
		{rule: "no bound", max: -1, body: strings.Repeat("y", MaxPayload+1), status: 202, written: strings.Repeat("y", MaxPayload+1)},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			h, c := newHooks()
			c.MaxStream, c.StreamRate = tt.max, -1
			e, r := begin(t, c)
			s := &caller{}
			_, result := invoke(t, e, r, h, Invocation{ID: "7", Stream: s})
			a, err := r.stream(strings.NewReader(tt.body), tt.trailer, tt.headers...)
			if err != nil || a.status != tt.status {
				t.Errorf("runtime got %d %s, %v", a.status, a.body, err)
			}
			got := <-result
			if got.err != nil || got.ErrorType != tt.kind || string(got.Payload) != tt.payload || s.got.String() != tt.written {
				t.Errorf("caller got %q, %.200q, written %.100q, %v", got.ErrorType, got.Payload, s.got.String(), got.err)
			}
			if streamed := tt.status != 400; got.Streamed != streamed {
				t.Errorf("streamed is %v", got.Streamed)
			}
		})
	}
}

func TestAnErrorBeforeTheFirstByteIsNotStreamed(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	s := &caller{}
	_, result := invoke(t, e, r, h, Invocation{ID: "7", Stream: s})
	r.post("invocation/7/error", `{"a":1}`, headerErrorType, "Function.Oops")
	if got := <-result; got.Streamed || s.begun != 0 || got.ErrorType != "Function.Oops" || string(got.Payload) != `{"a":1}` {
		t.Errorf("got %+v", got)
	}
}

func TestAStreamThatBreaksOffIsATruncatedResponse(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	s := &caller{}
	_, result := invoke(t, e, r, h, Invocation{ID: "7", Stream: s})
	nc, err := net.Dial("tcp", strings.TrimPrefix(r.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(nc, "POST %sinvocation/7/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", root)
	nc.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(nc)
	nc.Close()
	if got := <-result; got.ErrorType != "Runtime.TruncatedResponse" || !got.Streamed || s.got.String() != "half" {
		t.Errorf("got %+v, written %q", got, s.got.String())
	}
	if !bytes.Contains(b, []byte("TruncatedHTTPRequest")) {
		t.Errorf("runtime got %q", b)
	}
}

func TestACallerWhoGivesUpDoesNotEndTheInvocation(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	s := &caller{fails: errors.New("gone")}
	_, result := invoke(t, e, r, h, Invocation{ID: "7", Stream: s})
	if a, err := r.stream(strings.NewReader(strings.Repeat("x", 5*pieceSize)), nil); err != nil || a.status != 202 {
		t.Errorf("runtime got %d, %v", a.status, err)
	}
	if got := <-result; got.err != nil || got.Size != 5*pieceSize || s.got.Len() > pieceSize {
		t.Errorf("got %+v, %d bytes written", got, s.got.Len())
	}
}

func TestAbortEndsAStreamWhoseCallerIsSlow(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	s := &slowCaller{entered: make(chan struct{}), leave: make(chan struct{})}
	_, result := invoke(t, e, r, h, Invocation{ID: "7", Stream: s})
	go r.stream(strings.NewReader("abc"), nil)
	<-s.entered
	e.Abort(io.ErrNoProgress)
	e.Close() // doesn't wait for the caller
	close(s.leave)
	if got := <-result; got.err != io.ErrNoProgress || !got.Streamed {
		t.Errorf("got %+v", got)
	}
}

// slowCaller takes nothing before leave is closed.
type slowCaller struct{ entered, leave chan struct{} }

func (*slowCaller) Begin(string) {}

func (s *slowCaller) Write(p []byte) (int, error) {
	close(s.entered)
	<-s.leave
	return len(p), nil
}

// reading is the number of answers that are being read.
func (e *Environment) reading() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.out {
		if p.answering {
			n++
		}
	}
	return n
}

// Sixty seconds of a function that writes as fast as it may.
func TestAStreamIsHeldBackTo2MBASecondAfter6MB(t *testing.T) {
	now := results.Stamp(1)
	th := Config{}.throttle(now)
	sent := 0
	for now < results.Stamp(60*time.Second) {
		wait := th.take(pieceSize, now)
		now = now.Add(wait)
		sent += pieceSize
		if sent <= StreamBurst && wait != 0 {
			t.Fatalf("byte %d was held back by %v", sent, wait)
		}
	}
	if want := StreamBurst + 60*StreamRate; sent < want || sent > want+2*pieceSize {
		t.Errorf("%d bytes in a minute, want %d", sent, want)
	}
	if free := (Config{StreamRate: -1}).throttle(now); free.take(1<<40, now) != 0 {
		t.Error("held back without a bound")
	}
	if th := (Config{StreamBurst: 10, StreamRate: 10}).throttle(now); th.take(10, now) != 0 || th.take(5, now) != time.Second/2 {
		t.Error("the bounds of Config don't count")
	}
}

// facts/aws.md 1.5.
func TestAStreamIsAtMost200MBUnlessSet(t *testing.T) {
	if got := (Config{}).maxStream(); got != 200*1024*1024 {
		t.Errorf("unset: %d bytes", got)
	}
	if got := (Config{MaxStream: 7}).maxStream(); got != 7 {
		t.Errorf("set to 7: %d bytes", got)
	}
}
