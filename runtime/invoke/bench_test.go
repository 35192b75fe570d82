package invoke

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// answering is a function that answers at once.
type answering struct{}

func (answering) Serve(r live.Request, answer func(live.Result)) {
	answer(live.Result{RequestID: "id", Outcome: results.OutcomeServed, Payload: r.Payload})
}

// BenchmarkInvoke compares what the Invoke API adds to a function: for the one
// that a run deploys, and for one of an account.
func BenchmarkInvoke(b *testing.B) {
	s, _ := account(b, &workshop{}, Config{})
	create(b, s, "hello")
	for name, h := range map[string]http.Handler{
		"handler": Handler{Lookup: func(string) Function { return answering{} }}, "account": s,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/2015-03-31/functions/hello/invocations", strings.NewReader(`{"name":"x"}`))
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}
