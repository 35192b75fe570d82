package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	for _, c := range []struct{ event, want string }{
		{`{"name":"Ada"}`, `{"greeting":"hello, Ada"}`},
		{`{}`, `{"greeting":"hello, world"}`},
		{`no JSON`, "invalid character"},
	} {
		w := httptest.NewRecorder()
		serve(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.event)))
		if got := w.Body.String(); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.event, got, c.want)
		}
	}
}
