package api

import (
	"fmt"
	"io"
	"net/http"
	sched "runtime"
	"strings"
	"testing"

	"coldstorm/results"
)

func TestRestoreNextWaitsForTheRestore(t *testing.T) {
	h, c := newHooks()
	c.SnapStart = true
	snap := make(chan struct{}, 1)
	c.RestoreReady = func(results.Stamp) { snap <- struct{}{} }
	e, r := begin(t, c)
	restored := make(chan answer, 1)
	go func() {
		a, _ := r.do("GET", root+"restore/next", nil)
		restored <- a
	}()
	<-snap
	if a := r.must("GET", root+"invocation/next", nil); a.status != 403 || !strings.Contains(a.body, "from RestoreReady to Ready") {
		t.Errorf("next meanwhile: %d %s", a.status, a.body)
	}
	if _, err := e.Invoke(Invocation{}); err != ErrNotReady {
		t.Errorf("invoke meanwhile: %v", err)
	}
	if !e.Restore() || e.Restore() {
		t.Error("Restore wakes the runtime once")
	}
	if a := <-restored; a.status != 200 || a.body != "" {
		t.Errorf("restore/next: %d %q", a.status, a.body)
	}
	if len(h.ready) != 0 {
		t.Error("ready before its hooks were done")
	}
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	r.post("invocation/7/response", "ok")
	if got := <-result; string(got.Payload) != "ok" {
		t.Errorf("got %+v", got)
	}
}

func TestRestoreErrors(t *testing.T) {
	tests := []struct {
		rule, path string
		status     int
		next       string // in the refusal of next
	}{
		{"restore/error is final", "restore/error", 202, "from RuntimeRestoreErrorState to Ready"},
		{"init/error after a restore is a restore error", "init/error", 202, "from RuntimeRestoreErrorState to Ready"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			_, c := newHooks()
			c.SnapStart = true
			snap, failed := make(chan struct{}, 1), make(chan InitError, 1)
			c.RestoreReady = func(results.Stamp) { snap <- struct{}{} }
			c.RestoreError = func(e InitError) { failed <- e }
			e, r := begin(t, c)
			if a := r.post("restore/error", ""); a.status != 403 || !strings.Contains(a.body, "from Started to RuntimeRestoreErrorState") {
				t.Errorf("before the restore: %d %s", a.status, a.body)
			}
			woken := make(chan struct{})
			go func() {
				r.do("GET", root+"restore/next", nil)
				close(woken)
			}()
			<-snap
			e.Restore()
			<-woken
			if a := r.post(tt.path, `{"errorType":"x"}`, headerErrorType, "Runtime.AfterRestore"); a.status != tt.status {
				t.Errorf("%d %s", a.status, a.body)
			}
			if got := <-failed; got.Type != "Runtime.AfterRestore" || string(got.Payload) != `{"errorType":"x"}` {
				t.Errorf("told %+v", got)
			}
			if a := r.must("GET", root+"invocation/next", nil); a.status != 403 || !strings.Contains(a.body, tt.next) {
				t.Errorf("next: %d %s", a.status, a.body)
			}
		})
	}
}

func TestARuntimeThatAsksForWorkAtOnceOptsOutOfTheRestoreHook(t *testing.T) {
	h, c := newHooks()
	c.SnapStart = true
	e, r := begin(t, c)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	if a := r.must("GET", root+"restore/next", nil); a.status != 403 {
		t.Errorf("restore/next: %d %s", a.status, a.body)
	}
	r.post("invocation/7/response", "ok")
	<-result
}

func TestRestorePathsAreForSnapStartAlone(t *testing.T) {
	_, r := begin(t, Config{})
	if a := r.must("GET", root+"restore/next", nil); a.status == http.StatusOK {
		t.Errorf("restore/next: %d", a.status)
	}
	if a := r.post("restore/error", ""); a.status != 404 {
		t.Errorf("restore/error: %d", a.status)
	}
}

func TestAnAnswerMustEchoTheInvocationIdOrLeaveItOut(t *testing.T) {
	for _, path := range []string{"response", "error"} {
		h, c := newHooks()
		e, r := begin(t, c)
		event, result := invoke(t, e, r, h, Invocation{ID: "7"})
		id := event.header.Get(headerInvocationID)
		if id == "" {
			t.Fatal("next has no invocation id")
		}
		if a := r.post("invocation/7/"+path, "stale", headerInvocationID, id+"0"); a.status != 410 || !strings.Contains(a.body, `"errorType":"ErrorRuntimeInvokeTimeout"`) {
			t.Errorf("a wrong id: %d %s", a.status, a.body)
		}
		if a := r.post("invocation/7/"+path, "right", headerInvocationID, id); a.status != 202 {
			t.Errorf("the right id: %d %s", a.status, a.body)
		}
		if got := <-result; string(got.Payload) != "right" {
			t.Errorf("got %+v", got)
		}
		again, result := invoke(t, e, r, h, Invocation{ID: "7"}) // a retry with the same request id
		if again.header.Get(headerInvocationID) == id {
			t.Error("two attempts have one invocation id")
		}
		if a := r.post("invocation/7/"+path, "stale", headerInvocationID, id); a.status != 410 {
			t.Errorf("the id of the attempt before: %d %s", a.status, a.body)
		}
		r.post("invocation/7/"+path, "right")
		<-result
	}
}

func TestParallelLoopsOverNextServeSeveralInvocationsAtOnce(t *testing.T) {
	const n = 8
	h, c := newHooks()
	c.MaxConcurrency = n
	c.Ready, c.Idle = func(s results.Stamp) { h.ready <- s }, nil
	e, r := begin(t, c)
	inside, leave := make(chan string, n), make(chan struct{})
	for range n {
		go func() {
			for {
				event, err := r.do("GET", root+"invocation/next", nil)
				if err != nil || event.status != 200 {
					return
				}
				id := event.header.Get("Lambda-Runtime-Aws-Request-Id")
				inside <- id
				<-leave
				r.do("POST", root+"invocation/"+id+"/response", strings.NewReader(event.body))
			}
		}()
	}
	<-h.ready
	results := make(chan reply, n)
	for i := range n {
		go func() {
			res, err := e.Invoke(Invocation{ID: fmt.Sprint(i), Payload: fmt.Append(nil, i)})
			results <- reply{res, err}
		}()
	}
	seen := map[string]bool{}
	for range n {
		seen[<-inside] = true
	}
	if len(seen) != n {
		t.Errorf("%d invocations at once", len(seen))
	}
	if _, err := e.Invoke(Invocation{ID: "more"}); err != ErrNotReady {
		t.Errorf("one more than the runtime takes: %v", err)
	}
	close(leave)
	for range n {
		if got := <-results; got.err != nil || len(got.Payload) != 1 {
			t.Errorf("got %+v", got)
		}
	}
}

func TestATimeoutAmongSeveralLeavesTheRuntimeAlive(t *testing.T) {
	h, c := newHooks()
	c.MaxConcurrency = 2
	e, r := begin(t, c)
	_, first := invoke(t, e, r, h, Invocation{ID: "1"})
	e.AbortOne("1", http.ErrHandlerTimeout)
	if got := <-first; got.err != http.ErrHandlerTimeout {
		t.Errorf("got %+v", got)
	}
	if a := r.post("invocation/1/response", "late"); a.status != 410 {
		t.Errorf("late answer: %d %s", a.status, a.body)
	}
	_, second := invoke(t, e, r, h, Invocation{ID: "2"})
	r.post("invocation/2/response", "ok")
	if got := <-second; string(got.Payload) != "ok" {
		t.Errorf("got %+v", got)
	}
}

func TestAnErrorOfARuntimeOfManyIsAtMost1MiB(t *testing.T) {
	h, c := newHooks()
	c.MaxConcurrency = 2
	e, r := begin(t, c)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	if a := r.post("invocation/7/error", strings.Repeat("x", 1<<20+1)); a.status != 413 || !strings.Contains(a.body, "(1048576 bytes)") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := <-result; got.ErrorType != "Function.ResponseSizeTooLarge" {
		t.Errorf("got %+v", got)
	}
}

func TestTheCauseForTheTraceIsNotTheCallers(t *testing.T) {
	h, c := newHooks()
	e, r := begin(t, c)
	_, result := invoke(t, e, r, h, Invocation{ID: "7"})
	r.post("invocation/7/error", `{"errorMessage":"m","errorType":"t","stackTrace":["s"],"errorCause":{"working_directory":"/"}}`,
		"Content-Type", "application/vnd.aws.lambda.error.cause+json")
	if got := <-result; string(got.Payload) != `{"errorMessage":"m","errorType":"t","stackTrace":["s"]}` || got.ContentType != contentJSON {
		t.Errorf("got %s %q", got.Payload, got.ContentType)
	}
}

// facts/aws.md 1.3: AWS's emulator crops a cause over 64 KiB, and aws-lambda-go sends
// one of nearly 1 MiB. Here nobody reads it, so it's only not to be in the way.
func TestACauseForTheTraceInAHeaderOfUpTo1MiBChangesNothing(t *testing.T) {
	const name, body = "Lambda-Runtime-Function-XRay-Error-Cause", `{"errorMessage":"m","errorType":"t"}`
	for _, size := range []int{0, 1, 64<<10 + 1, 1<<20 - 1} {
		cause := strings.Repeat("x", size)
		h, c := newHooks()
		e, r := begin(t, c)
		_, result := invoke(t, e, r, h, Invocation{ID: "7"})
		if a := r.post("invocation/7/error", body, headerErrorType, "Function.Mine", name, cause); a.status != 202 {
			t.Errorf("a cause of %d bytes: %d %s", size, a.status, a.body)
			e.Abort(io.ErrUnexpectedEOF)
		}
		if got := <-result; string(got.Payload) != body || got.ErrorType != "Function.Mine" {
			t.Errorf("a cause of %d bytes: got %+v", size, got)
		}
		h, c = newHooks()
		_, r = begin(t, c)
		if a := r.post("init/error", body, headerErrorType, "Function.Mine", name, cause); a.status != 202 {
			t.Errorf("a cause of %d bytes of an init: %d %s", size, a.status, a.body)
		} else if got := <-h.failed; string(got.Payload) != body || got.Type != "Function.Mine" {
			t.Errorf("a cause of %d bytes of an init: got %+v", size, got)
		}
	}
}

// A runtime of one loop that is said to take several gets them one after another, for as
// long as there are any.
func TestOneLoopServesWhatWaitsForIt(t *testing.T) {
	h, c := newHooks()
	c.MaxConcurrency = 2
	c.Ready, c.Idle = func(s results.Stamp) { h.ready <- s }, nil
	e, r := begin(t, c)
	inside, leave := make(chan bool), make(chan bool)
	go func() {
		for {
			event, err := r.do("GET", root+"invocation/next", nil)
			if err != nil || event.status != 200 {
				return
			}
			inside <- true
			<-leave
			r.do("POST", root+"invocation/"+event.header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", strings.NewReader(event.body))
		}
	}()
	<-h.ready
	asks := func() (waits, unsent int) {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.waiting), len(e.unsent)
	}
	for range 4 {
		done := make(chan error, 2)
		send := func(id string) {
			_, err := e.Invoke(Invocation{ID: id, Payload: []byte("1")})
			done <- err
		}
		go send("first")
		<-inside
		go send("second")
		for _, unsent := asks(); unsent == 0 && len(done) == 0; _, unsent = asks() {
			sched.Gosched()
		}
		leave <- true
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		<-inside
		leave <- true
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for waits, _ := asks(); waits == 0; waits, _ = asks() {
			sched.Gosched()
		}
	}
}

// With several at once, every ask after an answer is told, whether it gets work at once or
// waits for it, and none after an event that no loop has taken.
func TestEveryAskAfterAnAnswerIsTold(t *testing.T) {
	h, c := newHooks()
	c.MaxConcurrency = 3
	told := make(chan bool, 9)
	c.Ready, c.Idle = func(s results.Stamp) { h.ready <- s }, func(results.Stamp) { told <- true }
	e, r := begin(t, c)
	inside, leave := make(chan bool), make(chan bool)
	go func() { // one loop
		for {
			event, err := r.do("GET", root+"invocation/next", nil)
			if err != nil || event.status != 200 {
				return
			}
			inside <- true
			<-leave
			r.do("POST", root+"invocation/"+event.header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", strings.NewReader("1"))
		}
	}()
	<-h.ready
	done := make(chan error, 3)
	send := func(id string) {
		_, err := e.Invoke(Invocation{ID: id, Payload: []byte("1")})
		done <- err
	}
	unsent := func(want int) {
		for n := -1; n != want; sched.Gosched() {
			e.mu.Lock()
			n = len(e.unsent)
			e.mu.Unlock()
		}
	}
	go send("first")
	<-inside
	go send("second")
	unsent(1)
	go send("third")
	unsent(2)
	e.AbortOne("third", http.ErrHandlerTimeout)
	if err := <-done; err != http.ErrHandlerTimeout {
		t.Errorf("third: %v", err)
	}
	leave <- true
	<-inside // with the second at once
	<-told
	leave <- true
	<-told
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if len(told) != 0 || e.answered != 0 {
		t.Errorf("%d asks more, %d open", len(told), e.answered)
	}
}
