package live

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
)

// taker is a Stream that keeps what it gets.
type taker struct{ got strings.Builder }

func (s *taker) Begin(contentType string)          { s.got.WriteString(contentType + ":") }
func (s *taker) Write(p []byte) (n int, err error) { return s.got.Write(p) }

// drip answers with a chunked body and then does what then says.
func drip(g *guest, id string, trailer http.Header, parts io.Reader) int {
	req, _ := http.NewRequestWithContext(g.ctx, "POST", g.base+"/2018-06-01/runtime/invocation/"+id+"/response", parts)
	req.Header.Set("Content-Type", "text/x")
	req.Trailer = trailer
	res, err := g.client.Do(req)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

func TestAStreamedInvocation(t *testing.T) {
	tests := []struct {
		rule     string
		answer   func(g *guest, id string) *Exit
		outcome  results.Outcome
		kind     string
		payload  string
		written  string
		streamed bool
	}{
		{
			rule:    "its response goes to the stream",
			answer:  func(g *guest, id string) *Exit { drip(g, id, nil, strings.NewReader("whole")); return nil },
			outcome: results.OutcomeServed, written: "text/x:whole", streamed: true,
		},
		{
			rule: "an error after a part is told with the result",
			answer: func(g *guest, id string) *Exit {
				drip(g, id, http.Header{"Lambda-Runtime-Function-Error-Type": {"Function.Broke"}, "Lambda-Runtime-Function-Error-Body": {"eyJhIjoxfQ=="}}, io.MultiReader(strings.NewReader("part")))
				return nil
			},
			outcome: results.OutcomeFailed, kind: "Function.Broke", payload: `{"a":1}`, written: "text/x:part", streamed: true,
		},
		{
			rule:    "an error before the first byte is no stream",
			answer:  func(g *guest, id string) *Exit { g.post("invocation/"+id+"/error", `{"a":1}`); return nil },
			outcome: results.OutcomeFailed, kind: "Runtime.Unknown", payload: `{"a":1}`,
		},
		{
			rule: "a timeout ends it",
			answer: func(g *guest, id string) *Exit {
				r, w := io.Pipe()
				context.AfterFunc(g.ctx, func() { w.Close() }) // its process is killed
				go io.WriteString(w, "part")
				drip(g, id, nil, r)
				return nil
			},
			outcome: results.OutcomeTimedOut, kind: "Sandbox.Timedout", payload: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 0.30 seconds"}`,
			written: "text/x:part", streamed: true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			c := Config{Timeout: time.Minute}
			if tt.outcome == results.OutcomeTimedOut {
				c.Timeout = 300 * time.Millisecond
			}
			f, _ := deploy(t, serve(func(g *guest, id, _ string) *Exit { return tt.answer(g, id) }), c)
			s := &taker{}
			r := f.Invoke(Request{ID: "ID", Stream: s})
			if r.Outcome != tt.outcome || r.ErrorType != tt.kind || string(r.Payload) != tt.payload || s.got.String() != tt.written || r.Streamed != tt.streamed {
				t.Errorf("got %+v %s, written %q", r, r.Payload, s.got.String())
			}
			sums(t, r.Evidence)
		})
	}
}
