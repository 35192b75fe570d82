package invoke

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"coldstorm/runtime/live"
)

// answered is what the caller of one trigger of a storm got.
type answered struct {
	status int
	body   string
	err    error
}

// burst sends n triggers at once, and each answer to what is returned.
func burst(client *http.Client, url string, n int) <-chan answered {
	all := make(chan answered, n)
	for i := range n {
		go func() {
			r, err := client.Post(url, "application/json", strings.NewReader(fmt.Sprint(i)))
			if err != nil {
				all <- answered{err: err}
				return
			}
			b, err := io.ReadAll(r.Body)
			r.Body.Close()
			all <- answered{r.StatusCode, string(b), err}
		}()
	}
	return all
}

const reservedBody = `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`

// Of 1,000 triggers at once of a function that has reserved 500, 500 run and 500
// are throttled. The function waits until the throttles are there, so it outlasts
// the burst however slow the machine is.
func TestABurstBeyondTheReservationIsThrottledAndNothingIsLost(t *testing.T) {
	const n, reserved = 1000, 500
	release := make(chan struct{})
	s, server := account(t, &workshop{behave: func(_ live.Config, r live.Request) live.Result {
		<-release
		return live.Result{Payload: r.Payload}
	}}, Config{})
	create(t, s, "f")
	if code, kind, _ := talk(t, s, "PUT", "/2017-10-31/functions/f/concurrency", fmt.Sprintf(`{"ReservedConcurrentExecutions":%d}`, reserved)); code != 200 {
		t.Fatal(code, kind)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	all := burst(client, server.URL+"/2015-03-31/functions/f/invocations", n)
	for range n - reserved {
		if a := <-all; a.err != nil || a.status != 429 || a.body != reservedBody {
			t.Fatalf("got %+v, want a throttle", a)
		}
	}
	close(release)
	seen := map[string]bool{}
	for range reserved {
		a := <-all
		if a.err != nil || a.status != 200 {
			t.Fatalf("got %+v, want an answer", a)
		}
		seen[a.body] = true
	}
	if len(seen) != reserved {
		t.Errorf("%d different answers, want %d", len(seen), reserved)
	}
	// What was refused has taken nothing: as many run again.
	all = burst(client, server.URL+"/2015-03-31/functions/f/invocations", reserved)
	for range reserved {
		if a := <-all; a.status != 200 {
			t.Fatalf("afterwards: %+v", a)
		}
	}
}

// One caller who sends each trigger after the answer to the last is never
// throttled, not even with one invocation at once.
func TestACallerOfOneAtATimeIsNotThrottled(t *testing.T) {
	s, server := account(t, &workshop{}, small(1))
	create(t, s, "f")
	for range 200 {
		if a := <-burst(server.Client(), server.URL+"/2015-03-31/functions/f/invocations", 1); a.status != 200 {
			t.Fatalf("got %+v", a)
		}
	}
}

func TestFunctionsWithoutAReservationShareTheAccount(t *testing.T) {
	release := make(chan struct{})
	s, server := account(t, &workshop{behave: func(c live.Config, _ live.Request) live.Result {
		if c.Name == "held" {
			<-release
		}
		return live.Result{Payload: []byte("1")}
	}}, small(2))
	create(t, s, "held")
	create(t, s, "other")
	all := burst(server.Client(), server.URL+"/2015-03-31/functions/held/invocations", 3)
	if a := <-all; a.status != 429 || !strings.Contains(a.body, `"ConcurrentInvocationLimitExceeded"`) {
		t.Errorf("got %+v", a)
	}
	if code, kind, out := talk(t, s, "POST", "/2015-03-31/functions/other/invocations", "1"); code != 429 || kind != "TooManyRequestsException" || out["Reason"] != "ConcurrentInvocationLimitExceeded" {
		t.Errorf("the other function got %d %s %v", code, kind, out)
	}
	close(release)
	for range 2 {
		if a := <-all; a.status != 200 {
			t.Errorf("got %+v", a)
		}
	}
}
