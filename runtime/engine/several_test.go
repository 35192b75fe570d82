package engine

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"coldstorm/results"
)

// several deploys the function of AWS's client for Go whose invocations meet.
func several(t *testing.T, e *Engine, f Function) {
	t.Helper()
	img, err := built("several")
	if err != nil {
		t.Fatal(err)
	}
	f.MemoryMB = 512
	deployImage(t, e, img, f)
}

// sendAll sends events at once.
func sendAll(t *testing.T, e *Engine, events ...string) []answer {
	t.Helper()
	got := make([]answer, len(events))
	var all sync.WaitGroup
	for i, event := range events {
		all.Go(func() {
			var err error
			if got[i], err = try(e, event, "X-Amz-Log-Type", "Tail"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	return got
}

func repeat(event string, n int) (events []string) {
	for range n {
		events = append(events, event)
	}
	return events
}

func idle(c Census) bool { return c.InFlight == 0 }

// environments counts answers by their environment.
func environments(answers []answer) map[string]int {
	in := map[string]int{}
	for _, a := range answers {
		in[a.evidence.Environment]++
	}
	return in
}

func TestParallelLoopsInARealSandbox(t *testing.T) {
	const n = 4
	e := begin(t, Config{})
	several(t, e, Function{MaxConcurrency: n})
	all := sendAll(t, e, repeat(fmt.Sprintf(`{"Until":%d,"Print":true}`, n), n)...)
	ids := map[string]bool{}
	for _, a := range all {
		var body struct{ Told, ID string }
		if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.Told != fmt.Sprint(n) || body.ID != a.header.Get("X-Amzn-Requestid") {
			t.Errorf("got %s, request %s", a.body, a.header.Get("X-Amzn-Requestid"))
		}
		sums(t, a.evidence)
		if a.evidence.Start != results.StartCold && a.evidence.Start != results.StartWarm {
			t.Errorf("evidence %+v", a.evidence)
		}
		ids[body.ID] = true
		tail, err := base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result"))
		if err != nil || strings.Count(string(tail), body.ID) != 3 || strings.Count(string(tail), `"requestId"`) != 3 {
			t.Errorf("tail of %s (%v):\n%s", body.ID, err, tail)
		}
	}
	if in := environments(all); len(in) != 1 || len(ids) != n {
		t.Errorf("environments %v, requests %v", in, ids)
	}

	if c := counted(t, e, idle); c.Offered != n || c.Served != n || c.InFlight != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestOneMoreThanARealEnvironmentTakes(t *testing.T) {
	const n = 2
	e := begin(t, Config{})
	several(t, e, Function{MaxConcurrency: n, Timeout: time.Minute})
	send(t, e, `{}`)
	// The first two hang: what comes then finds no room.
	hung := make(chan answer, n)
	for range n {
		go func() {
			a, _ := try(e, `{"Hang":true}`)
			hung <- a
		}()
	}
	counted(t, e, func(c Census) bool { return c.Busy == 1 && c.InFlight == n })
	if a := send(t, e, `{}`); a.evidence.Start != results.StartCold || a.evidence.Cause != results.CauseScaleOut {
		t.Errorf("evidence %+v", a.evidence)
	}
	if err := e.Discard(); err != nil {
		t.Error(err)
	}
	for range n {
		if a := <-hung; a.header.Get("Coldstorm-Reason") != "Sandbox.Failure" {
			t.Errorf("discarded: %s %s", a.header.Get("Coldstorm-Reason"), a.body)
		}
	}
}

func TestACrashOfARealEnvironmentFailsWhatIsInIt(t *testing.T) {
	const n = 3
	e := begin(t, Config{})
	several(t, e, Function{MaxConcurrency: n})
	all := sendAll(t, e, append(repeat(`{"Until":9,"Hang":true}`, n-1), fmt.Sprintf(`{"Until":%d,"Exit":true}`, n))...)
	for _, a := range all {
		if a.header.Get("Coldstorm-Reason") != "Runtime.ExitError" || !strings.Contains(a.body, "exit status 7") || !strings.Contains(a.body, a.header.Get("X-Amzn-Requestid")) {
			t.Errorf("got %d %s", a.status, a.body)
		}
		sums(t, a.evidence)
	}
	if in := environments(all); len(in) != 1 {
		t.Errorf("environments %v", in)
	}
	if a := send(t, e, `{}`); a.evidence.Cause != results.CauseCrashed || a.status != 200 {
		t.Errorf("then: %+v", a.evidence)
	}
	if c := counted(t, e, idle); c.Failed != n || c.Served != 1 || c.Offered != n+1 || c.InFlight != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestATimeoutInARealEnvironmentIsOfItsInvocationAlone(t *testing.T) {
	e := begin(t, Config{})
	several(t, e, Function{MaxConcurrency: 2, Timeout: time.Second})
	first := send(t, e, `{}`)
	if a := send(t, e, `{"Hang":true}`); a.header.Get("Coldstorm-Reason") != "Sandbox.Timedout" || !strings.Contains(a.body, "Task timed out after 1.00 seconds") {
		t.Errorf("got %s", a.body)
	}
	if a := send(t, e, `{}`); a.evidence.Start != results.StartWarm || a.evidence.Environment != first.evidence.Environment {
		t.Errorf("then: %+v", a.evidence)
	}
}

func TestSeveralProcessesOfPythonInAnEnvironment(t *testing.T) {
	needInterpreter(t, "python")
	const n = 3
	e := begin(t, Config{})
	deployHandler(t, e, "python", "meets.handler", Function{MaxConcurrency: n, MemoryMB: 1024})
	all := sendAll(t, e, repeat(fmt.Sprintf(`{"until":%d}`, n), n)...)
	processes := map[string]bool{}
	for _, a := range all {
		processes[a.body] = true
		sums(t, a.evidence)
	}
	if in := environments(all); len(in) != 1 || len(processes) != n {
		t.Errorf("environments %v, processes %v", in, processes)
	}

	// One that dies fails its own invocation, and another takes its place.
	all = sendAll(t, e, append(repeat(fmt.Sprintf(`{"until":%d}`, 2*n), n-1), fmt.Sprintf(`{"until":%d,"exit":3}`, 2*n))...)
	for i, a := range all {
		failed := a.header.Get("Coldstorm-Reason") == "Runtime.ExitError" && strings.Contains(a.body, "exit status 3")
		if failed != (i == n-1) || a.evidence.Start != results.StartWarm {
			t.Errorf("%d: %s %+v", i, a.body, a.evidence)
		}
	}
	all = sendAll(t, e, repeat(fmt.Sprintf(`{"until":%d}`, 3*n), n)...)
	if in := environments(all); len(in) != 1 || all[0].evidence.Start != results.StartWarm {
		t.Errorf("environments %v: %s", in, all[0].body)
	}
}

func TestSeveralInvocationsOfNodeInAnEnvironment(t *testing.T) {
	needInterpreter(t, "nodejs")
	const n = 4
	e := begin(t, Config{})
	for handler, want := range map[string]string{"meets.handler": "", "meets.callback": `"called back"`, "meets.stream": "[4]"} {
		deployHandler(t, e, "nodejs", handler, Function{MaxConcurrency: n, MemoryMB: 1024})
		for range 2 {
			all := sendAll(t, e, repeat(fmt.Sprintf(`{"until":%d}`, n), n)...)
			for _, a := range all {
				if a.status != 200 || a.header.Get("X-Amz-Function-Error") != "" || want != "" && a.body != want {
					t.Errorf("%s: %d %s", handler, a.status, a.body)
				}
				sums(t, a.evidence)
				tail, _ := base64.StdEncoding.DecodeString(a.header.Get("X-Amz-Log-Result"))
				if id := a.header.Get("X-Amzn-Requestid"); want == "" && strings.Count(string(tail), `"requestId":"`+id+`","message":"met"`) != 1 {
					t.Errorf("tail of %s:\n%s", id, tail)
				}
			}
			if in := environments(all); len(in) != 1 {
				t.Errorf("%s: environments %v", handler, in)
			}
		}
	}
	deployHandler(t, e, "nodejs", "meets.handler", Function{MaxConcurrency: n, MemoryMB: 1024})
	for _, a := range sendAll(t, e, append(repeat(fmt.Sprintf(`{"until":%d}`, 2*n), n-1), fmt.Sprintf(`{"until":%d,"exit":3}`, n))...) {
		if a.header.Get("Coldstorm-Reason") != "Runtime.ExitError" || !strings.Contains(a.body, "exit status 3") {
			t.Errorf("in a process that ended: %s", a.body)
		}
	}
}
