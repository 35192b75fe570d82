package drive_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
	"coldstorm/results"
)

// TestTriggersTakeTargetsInTurn fires at two hosts, and holds what each got against
// what its targets are.
func TestTriggersTakeTargetsInTurn(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	host := func(name string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			got[fmt.Sprintf("%s %s %s %s %s", name, r.Method, r.URL.Path, r.Header.Get("X-Key"), body)]++
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	a, b := host("a"), host("b")
	attack := drive.Attack{
		Schedule: storm.Burst{N: 31}, Connections: 2, // fewer than triggers: they wait, of each host by themselves
		Targets: []drive.Target{
			{Method: "GET", URL: a + "/1"},
			{Method: "HEAD", URL: b + "/2", Header: http.Header{"X-Key": {"k"}}},
			{Method: "POST", URL: a + "/3", Body: []byte("three")},
		},
	}
	served := 0
	report, err := attack.Fire(context.Background(), func(s results.Sample) {
		if s.Outcome == results.OutcomeServed {
			served++
		}
	})
	if err != nil || served != 31 || report.Sent != 31 {
		t.Fatalf("%d served, %d sent: %v", served, report.Sent, err)
	}
	want := map[string]int{"a GET /1  ": 11, "b HEAD /2 k ": 10, "a POST /3  three": 10}
	for k, n := range want {
		if got[k] != n {
			t.Errorf("%q: %d times, want %d; all: %v", k, got[k], n, got)
		}
	}
}

func TestBadTargetsAreRefused(t *testing.T) {
	for want, a := range map[string]drive.Attack{
		"target 2: URL":      {Targets: []drive.Target{{URL: "http://h/"}, {URL: "h"}}},
		"neither routes nor": {Targets: []drive.Target{{URL: "http://h/"}}, Payloads: []drive.Payload{{Name: "x"}}},
		"target 1: net/http": {Targets: []drive.Target{{Method: "A B", URL: "http://h/"}}},
	} {
		a.Schedule = storm.Burst{N: 1}
		_, err := a.Fire(context.Background(), func(results.Sample) {})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
