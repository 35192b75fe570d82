package first

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/api"
	"coldstorm/workloads/first/moment"
)

func TestTheHeaderIsTheRuntimeAPIs(t *testing.T) {
	if header != api.FirstInstructionHeader {
		t.Errorf("%s, want %s", header, api.FirstInstructionHeader)
	}
}

func TestTheFirstRequestToTheRuntimeAPITells(t *testing.T) {
	told := make(chan string, 1)
	echo := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.Header.Get(header) })
	here, other := httptest.NewServer(echo), httptest.NewServer(echo)
	defer here.Close()
	defer other.Close()
	client := &http.Client{Transport: &http.Transport{DialContext: telling((&net.Dialer{}).DialContext, here.Listener.Addr().String())}}
	for _, c := range []struct {
		rule, url string
		tells     bool
	}{
		{"another server hears nothing", other.URL, false},
		{"the first request tells", here.URL, true},
		{"the next doesn't", here.URL, false},
	} {
		res, err := client.Get(c.url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		got := <-told
		if n, err := strconv.ParseInt(got, 10, 64); (err == nil) != c.tells || c.tells && n != moment.At {
			t.Errorf("%s: %q", c.rule, got)
		}
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil || moment.At <= 0 || moment.At > now.Nano() {
		t.Errorf("first instruction at %d, now %d, %v", moment.At, now.Nano(), err)
	}
}
