package engine

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/plane"
	"coldstorm/runtime/trigger"
)

// completions opens the stream of those of an engine's events.
func completions(t *testing.T, e *Engine) *json.Decoder {
	t.Helper()
	stream, err := http.Get(e.URL() + "/coldstorm/completions")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stream.Body.Close() })
	if stream.StatusCode != http.StatusOK {
		t.Fatal("completions:", stream.Status)
	}
	return json.NewDecoder(stream.Body)
}

func TestEventsReachWhatIsDeployed(t *testing.T) {
	e := begin(t, Config{})
	deploy(t, e, Function{KeepAlive: time.Minute})
	orders := trigger.Source{Queue: &trigger.Queue{Name: "orders", Function: "f"}}
	events := Events{Async: plane.AsyncRules{Retries: 1, RetryDelay: time.Millisecond, MaxAge: time.Minute}, Sources: []trigger.Source{orders}}
	if err := e.Attach(events); err != nil {
		t.Fatal(err)
	}
	if err := e.Attach(events); err == nil {
		t.Error("attached twice")
	}
	done := completions(t, e)
	for _, c := range []struct {
		publish func() (*http.Response, error)
		header  string
		source  string
		start   results.Start
	}{
		{func() (*http.Response, error) {
			return http.Post(e.URL()+"/coldstorm/publish/orders", "", strings.NewReader("1"))
		}, trigger.TriggerHeader, "queue orders", results.StartCold},
		{func() (*http.Response, error) {
			r, err := http.NewRequest(http.MethodPost, e.InvokeURL("f"), strings.NewReader("1"))
			if err != nil {
				return nil, err
			}
			r.Header.Set("X-Amz-Invocation-Type", "Event")
			return http.DefaultClient.Do(r)
		}, "X-Amzn-Requestid", "asynchronous f", results.StartWarm},
	} {
		answer, err := c.publish()
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		var x trigger.Completion
		if err := done.Decode(&x); err != nil {
			t.Fatal(err)
		}
		evidence, err := results.ParseEvidence(x.Evidence)
		if err != nil || x.Trigger != answer.Header.Get(c.header) || x.Source != c.source || x.Outcome != results.OutcomeServed || evidence.Start != c.start {
			t.Errorf("%d, then %+v, error %v, want a %s start of %s", answer.StatusCode, x, err, c.start, c.source)
		}
	}
	if a, err := invoked(e, "f", "1"); err != nil || a.evidence.Start != results.StartWarm {
		t.Errorf("a request beside events: %s start, error %v", a.evidence.Start, err)
	}
	if err := e.Detach(); err != nil {
		t.Fatal(err)
	}
	if err := done.Decode(&trigger.Completion{}); err != io.EOF {
		t.Errorf("completions after the end: error %v", err)
	}
	if a, err := http.Post(e.URL()+"/coldstorm/publish/orders", "", nil); err != nil || a.StatusCode != http.StatusNotFound {
		t.Errorf("published to a queue that is gone: %v, error %v", a, err)
	}
}

func TestADeploymentEndsTheEventsOfTheLast(t *testing.T) {
	e := begin(t, Config{})
	deploy(t, e, Function{})
	if err := e.Attach(Events{Sources: []trigger.Source{{Queue: &trigger.Queue{Name: "q", Function: "another"}}}}); err == nil {
		t.Error("a queue of a function that is not deployed was taken")
	}
	if err := e.Attach(Events{}); err != nil {
		t.Fatal(err)
	}
	done := completions(t, e)
	deploy(t, e, Function{})
	if err := done.Decode(&trigger.Completion{}); err != io.EOF {
		t.Errorf("completions after another deployment: error %v", err)
	}
	if err := e.Detach(); err != nil {
		t.Error(err)
	}
}
