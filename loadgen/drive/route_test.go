package drive_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"coldstorm/loadgen/drive"
	"coldstorm/loadgen/storm"
)

func TestTriggersGoWhereTheirRouteSays(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	srv := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path+" "+string(body)]++
	})
	fire(t, drive.Attack{
		URL: srv.URL, Schedule: storm.Burst{N: 90}, Payloads: []drive.Payload{{Name: "x", Body: []byte("1")}},
		Route: func(seq int) int { return min(seq%9, 2) }, Routes: []string{srv.URL + "/a", srv.URL + "/b", srv.URL + "/c"},
	})
	if got["/a 1"] != 10 || got["/b 1"] != 10 || got["/c 1"] != 70 || len(got) != 3 {
		t.Errorf("arrived at %v", got)
	}
}

func TestRoutesThatAnAttackCannotTake(t *testing.T) {
	first := func(int) int { return 0 }
	for _, c := range []struct {
		rule   string
		attack drive.Attack
		want   string
	}{
		{"a route without routes", drive.Attack{Route: first}, "need each other"},
		{"routes without a route", drive.Attack{Routes: []string{"http://here/"}}, "need each other"},
		{"another host", drive.Attack{Route: first, Routes: []string{"http://there/"}}, "not on the host"},
		{"another scheme", drive.Attack{Route: first, Routes: []string{"https://here/"}}, "not on the host"},
		{"no URL", drive.Attack{Route: first, Routes: []string{"http://here/%zz"}}, "invalid URL escape"},
	} {
		c.attack.URL, c.attack.Schedule = "http://here/", storm.Burst{N: 1}
		if _, err := c.attack.Fire(t.Context(), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.rule, err, c.want)
		}
	}
}
