package live

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// reached is a guest whose servers are on this machine.
type reached struct{ *guest }

func (reached) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

type reachedLauncher struct{ *fake }

func (l reachedLauncher) Launch(ctx context.Context, s Spec) (Sandbox, error) {
	b, err := l.fake.Launch(ctx, s)
	if err != nil {
		return nil, err
	}
	return reached{b.(*guest)}, nil
}

// An internal extension that subscribed hears of an environment's whole life.
func TestTelemetryOfAnEnvironment(t *testing.T) {
	type event struct {
		Type   string
		Record any
	}
	events := make(chan event, 99)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var batch []event
		json.NewDecoder(r.Body).Decode(&batch)
		for _, e := range batch {
			events <- e
		}
	}))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	body := `{"types":["platform","function"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:` + port + `"}}`
	l := &fake{t: t, behave: func(g *guest) Exit {
		h := g.extension("POST", "register", `{"events":[]}`, "Lambda-Extension-Name", "x")
		id := h.Get("Lambda-Extension-Identifier")
		req, _ := http.NewRequestWithContext(g.ctx, "PUT", g.base+"/2022-07-01/telemetry", strings.NewReader(body))
		req.Header.Set("Lambda-Extension-Identifier", id)
		if res, err := g.client.Do(req); err == nil {
			res.Body.Close()
		}
		go g.extension("GET", "event/next", "", "Lambda-Extension-Identifier", id)
		return serve(func(g *guest, id, event string) *Exit {
			g.print("a line\n")
			g.post("invocation/"+id+"/response", event)
			return nil
		})(g)
	}}
	f := New(reachedLauncher{l}, Config{KeepAlive: -1, NoFreeze: true})
	defer f.Close()
	r := f.Invoke(Request{ID: "one", Payload: []byte("12345"), TraceID: "Root=1"})
	want := []string{
		"platform.initStart", "platform.telemetrySubscription", "platform.initRuntimeDone", "platform.initReport", "platform.start", "function",
		"platform.runtimeDone", "platform.report",
	}
	var seen []string
	got := map[string]map[string]any{}
	for len(seen) < len(want) {
		e := <-events
		seen = append(seen, e.Type)
		if m, ok := e.Record.(map[string]any); ok {
			got[e.Type] = m
		} else if e.Record != "a line\n" {
			t.Errorf("%s: %v", e.Type, e.Record)
		}
	}
	slices.Sort(want) // the function's line is read when it is read
	slices.Sort(seen)
	if !slices.Equal(seen, want) {
		t.Errorf("got %v", seen)
	}
	if d := got["platform.runtimeDone"]; d["requestId"] != "one" || d["status"] != "success" || d["metrics"].(map[string]any)["producedBytes"] != 5.0 || len(d["spans"].([]any)) != 2 {
		t.Errorf("runtimeDone %v", d)
	}
	if m := got["platform.report"]["metrics"].(map[string]any); m["billedDurationMs"] != float64(r.Evidence.Billed.Milliseconds()) || m["memorySizeMB"] != 128.0 || m["initDurationMs"] == nil {
		t.Errorf("report %v", m)
	}
	if tr := got["platform.start"]["tracing"].(map[string]any); tr["value"] != "Root=1" {
		t.Errorf("start %v", got["platform.start"])
	}
	if i := got["platform.initStart"]; i["phase"] != "init" || i["functionName"] != "function" || i["initializationType"] != "on-demand" {
		t.Errorf("initStart %v", i)
	}
}

// extension calls the Extensions API.
func (g *guest) extension(method, path, body string, headers ...string) http.Header {
	req, _ := http.NewRequestWithContext(g.ctx, method, g.base+"/2020-01-01/extension/"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := g.client.Do(req)
	if err != nil {
		return http.Header{}
	}
	res.Body.Close()
	return res.Header
}
