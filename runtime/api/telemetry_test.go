package api

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// subscribe sends a subscription of an extension that registers for it.
func (r *runtime) subscribe(name, path, body string) answer {
	r.t.Helper()
	return r.must("PUT", path, strings.NewReader(body), headerExtensionID, r.register(name, "[]"))
}

func TestSubscriptions(t *testing.T) {
	to := `,"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}}`
	all := `{"schemaVersion":"2022-12-13","types":["platform","function","extension"]`
	buffer := func(s string) string { return all + `,"buffering":{` + s + `}` + to }
	tests := []struct {
		rule, body string
		status     int
		has        string
	}{
		{"all types", all + to, 200, `"OK"`},
		{"no types", `{"types":[]` + to, 400, `"ValidationError"`},
		{"another type", `{"types":["other"]` + to, 400, "other"},
		{"no JSON", `{`, 400, "ValidationError"},
		{"maxItems from 1,000", buffer(`"maxItems":999`), 400, "maxItems"},
		{"maxItems to 10,000", buffer(`"maxItems":10000`), 200, ""},
		{"and no more", buffer(`"maxItems":10001`), 400, "maxItems"},
		{"maxBytes from 262,144", buffer(`"maxBytes":262143`), 400, "maxBytes"},
		{"maxBytes to 1,048,576", buffer(`"maxBytes":1048577`), 400, "maxBytes"},
		{"timeoutMs from 25", buffer(`"timeoutMs":24`), 400, "timeoutMs"},
		{"timeoutMs to 30,000", buffer(`"timeoutMs":30001`), 400, "timeoutMs"},
		{"the least of each", buffer(`"timeoutMs":25,"maxItems":1000,"maxBytes":262144`), 200, ""},
		{"TCP", all + `,"destination":{"protocol":"TCP","port":8080}}`, 200, ""},
		{"TCP without a port", all + `,"destination":{"protocol":"TCP"}}`, 400, "port"},
		{"no destination", all + `}`, 400, "protocol"},
		{"a host outside", all + `,"destination":{"protocol":"HTTP","URI":"http://example.com:80"}}`, 400, "example.com"},
		{"https", all + `,"destination":{"protocol":"HTTP","URI":"https://sandbox.localdomain:80"}}`, 400, "URI"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			_, r := begin(t, Config{Dial: (&net.Dialer{}).DialContext})
			if a := r.subscribe("x", "/2022-07-01/telemetry", tt.body); a.status != tt.status || !strings.Contains(a.body, tt.has) {
				t.Errorf("got %d %s", a.status, a.body)
			}
		})
	}
}

func TestWhoMaySubscribe(t *testing.T) {
	_, r := begin(t, Config{})
	if a := r.must("PUT", "/2022-07-01/telemetry", strings.NewReader("{}")); a.status != 403 || !strings.Contains(a.body, "Extension.MissingExtensionIdentifier") {
		t.Errorf("nobody: %d %s", a.status, a.body)
	}
	if a := r.subscribe("x", "/2022-07-01/telemetry", "{}"); a.status != 202 || a.body != `{"errorMessage":"Telemetry API is not supported","errorType":"Telemetry.NotSupported"}` {
		t.Errorf("where there is none: %d %s", a.status, a.body)
	}
	if a := r.subscribe("y", "/2020-08-15/logs", "{}"); a.status != 202 || !strings.Contains(a.body, "Logs.NotSupported") {
		t.Errorf("logs where there are none: %d %s", a.status, a.body)
	}
	if a := r.must("POST", "/2022-07-01/telemetry", nil); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
}

// received is a destination's server.
func received(t *testing.T) (uri string, batches chan []json.RawMessage) {
	batches = make(chan []json.RawMessage, 99)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var b []json.RawMessage
		if err := json.NewDecoder(req.Body).Decode(&b); err != nil || req.Method != "POST" || req.Host != sandboxHost {
			t.Errorf("%s %s: %v", req.Method, req.Host, err)
		}
		batches <- b
	}))
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return "http://sandbox.localdomain:" + port + "/in", batches
}

func TestEventsOfTheTypesAskedForArriveInBatches(t *testing.T) {
	uri, batches := received(t)
	e, r := begin(t, Config{Dial: (&net.Dialer{}).DialContext})
	e.Emit("platform.start", time.Now(), 0) // nobody listens yet
	if a := r.subscribe("x", "/2022-07-01/telemetry", `{"types":["platform","function"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"`+uri+`"}}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	e.Emit("extension", at, "not asked for")
	e.Emit("function", at, "a line")
	e.Emit("platform.runtimeDone", at, map[string]string{"requestId": "7"})
	var got []string
	for len(got) < 3 {
		for _, m := range <-batches {
			got = append(got, string(m))
		}
	}
	if !strings.Contains(got[0], `"platform.telemetrySubscription"`) || !strings.Contains(got[0], `"record":{"name":"x","state":"Subscribed","types":["platform","function"]}`) {
		t.Errorf("first %s", got[0])
	}
	if got[1] != `{"time":"2026-01-02T03:04:05.678Z","type":"function","record":"a line"}` ||
		got[2] != `{"time":"2026-01-02T03:04:05.678Z","type":"platform.runtimeDone","record":{"requestId":"7"}}` {
		t.Errorf("got %v", got[1:])
	}
}

func TestATCPDestinationGetsALineForEachEvent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, r := begin(t, Config{Dial: (&net.Dialer{}).DialContext})
	port := l.Addr().(*net.TCPAddr).Port
	r.subscribe("x", "/2020-08-15/logs", `{"types":["function"],"buffering":{"timeoutMs":25},"destination":{"protocol":"TCP","port":`+strconv.Itoa(port)+`}}`)
	e.Emit("function", time.UnixMilli(0), "one\n")
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(nc)
	if string(b) != `{"time":"1970-01-01T00:00:00.000Z","type":"function","record":"one\n"}`+"\n" {
		t.Errorf("got %q", b)
	}
}

func TestWhatASlowSubscriberCanNotTakeIsDroppedAndCounted(t *testing.T) {
	s := &subscriber{subscription: subscription{items: 1000, bytes: minBytes}, wake: make(chan struct{}, 1)}
	for range 1002 {
		s.put(json.RawMessage("12"))
	}
	batch := s.take()
	if len(batch) != 1001 || !strings.Contains(string(batch[1000]), `"droppedBytes":4,"droppedRecords":2`) || !strings.Contains(string(batch[1000]), "platform.logsDropped") {
		t.Errorf("%d events, last %s", len(batch), batch[len(batch)-1])
	}
	big := json.RawMessage(strings.Repeat("x", minBytes-1))
	s.put(big)
	s.put(big)
	if batch := s.take(); len(batch) != 2 || !strings.Contains(string(batch[1]), `"droppedRecords":1`) {
		t.Errorf("%d events", len(batch))
	}
}

func TestASubscriberThatIsGoneHoldsNothingUp(t *testing.T) {
	stuck := make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // takes the batch and never answers
		if nc, err := l.Accept(); err == nil {
			defer nc.Close()
			close(stuck)
			io.Copy(io.Discard, nc)
		}
	}()
	e, r := begin(t, Config{Dial: (&net.Dialer{}).DialContext})
	r.subscribe("x", "/2022-07-01/telemetry", `{"types":["platform"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox:`+strconv.Itoa(l.Addr().(*net.TCPAddr).Port)+`"}}`)
	<-stuck
	e.Close() // ends the delivery
}

func TestASubscriptionAfterInitIsRefused(t *testing.T) {
	h, c := newHooks()
	c.Dial = (&net.Dialer{}).DialContext
	e, r := begin(t, c)
	id := r.register("x", "[]")
	go r.do("GET", ext+"event/next", nil, headerExtensionID, id)
	invoke(t, e, r, h, Invocation{ID: "7"})
	if a := r.must("PUT", "/2022-07-01/telemetry", strings.NewReader("{}"), headerExtensionID, id); a.status != 403 || !strings.Contains(a.body, "Telemetry.SubscriptionClosed") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func FuzzSubscription(f *testing.F) {
	f.Add([]byte(`{"types":["platform"],"buffering":{"maxItems":1000},"destination":{"protocol":"HTTP","URI":"http://sandbox:1"}}`))
	f.Add([]byte(`{"types":["function"],"destination":{"protocol":"TCP","port":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSubscription(b)
		if err != nil {
			return
		}
		_, port, err := net.SplitHostPort(s.address)
		if err != nil || port == "0" || s.items < minItems || s.items > maxItems || s.bytes < minBytes || s.bytes > maxBytes || s.wait < minWait || s.wait > maxWait {
			t.Errorf("accepted %+v", s)
		}
		if strings.ContainsAny(s.path, "\r\n ") {
			t.Errorf("path %q", s.path)
		}
	})
}
