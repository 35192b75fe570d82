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
	l := &fake{t: t, behave: func(g *guest) Exit {
		g.subscribe(port, "platform", "function")
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

// On Managed Instances a report is all that ends an invocation.
func TestTelemetryOfManagedInstances(t *testing.T) {
	type event struct {
		Type   string
		Record map[string]any
	}
	const n = 3
	events, meet := make(chan event, 99), newGate(n)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var batch []event
		json.NewDecoder(r.Body).Decode(&batch)
		for _, e := range batch {
			events <- e
		}
	}))
	defer s.Close()
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	l := &fake{t: t, behave: func(g *guest) Exit {
		g.subscribe(port, "platform")
		return loops(n, func(g *guest, id, event string) *Exit {
			meet.pass()
			g.post("invocation/"+id+"/response", event)
			return nil
		})(g)
	}}
	f := New(reachedLauncher{l}, Config{KeepAlive: -1, MaxConcurrency: n})
	defer f.Close()
	ids := map[string]bool{}
	for _, r := range invokeAll(f, n, false) {
		ids[r.RequestID] = true
	}
	got := map[string]int{}
	for got["platform.report"] < n {
		e := <-events
		got[e.Type]++
		switch id, _ := e.Record["requestId"].(string); e.Type {
		case "platform.start":
			if !ids[id] {
				t.Errorf("start of %s", id)
			}
		case "platform.report":
			if m := e.Record["metrics"].(map[string]any); !ids[id] || e.Record["status"] != "success" || len(m) != 1 || m["durationMs"] == nil {
				t.Errorf("report %v", e.Record)
			}
			delete(ids, id)
		case "platform.initStart":
			if e.Record["initializationType"] != "lambda-managed-instances" {
				t.Errorf("initStart %v", e.Record)
			}
		}
	}
	if got["platform.start"] != n || got["platform.runtimeDone"] != 0 || got["platform.initReport"] != 1 {
		t.Errorf("events %v", got)
	}
}

// subscribe registers an internal extension that is told events of these types at a port
// of this machine.
func (g *guest) subscribe(port string, types ...string) {
	h := g.extension("POST", "register", `{"events":[]}`, "Lambda-Extension-Name", "x")
	id := h.Get("Lambda-Extension-Identifier")
	body := `{"types":["` + strings.Join(types, `","`) + `"],"buffering":{"timeoutMs":25},"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:` + port + `"}}`
	req, _ := http.NewRequestWithContext(g.ctx, "PUT", g.base+"/2022-07-01/telemetry", strings.NewReader(body))
	req.Header.Set("Lambda-Extension-Identifier", id)
	if res, err := g.client.Do(req); err == nil {
		res.Body.Close()
	}
	go g.extension("GET", "event/next", "", "Lambda-Extension-Identifier", id)
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
