package live

import (
	"bytes"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coldstorm/results"
)

// loops is a runtime of so many parallel loops over next.
func loops(n int, handle func(g *guest, id, event string) *Exit) func(*guest) Exit {
	return func(g *guest) Exit {
		ends := make(chan Exit, n)
		for range n {
			go func() { ends <- serve(handle)(g) }()
		}
		return <-ends
	}
}

// gate holds what is in it until so many are.
type gate struct {
	n    int
	in   atomic.Int32
	open chan struct{}
	once sync.Once
}

func newGate(n int) *gate { return &gate{n: n, open: make(chan struct{})} }

func (g *gate) pass() {
	if int(g.in.Add(1)) == g.n {
		g.once.Do(func() { close(g.open) })
	}
	<-g.open
}

// await waits until so many are in.
func (g *gate) await(n int) {
	for int(g.in.Load()) < n {
		runtime.Gosched()
	}
}

// invokeAll invokes a function so many times at once.
func invokeAll(f *Function, n int, tail bool) []Result {
	got := make([]Result, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { got[i] = f.Invoke(Request{Payload: fmt.Append(nil, i), Tail: tail}) })
	}
	all.Wait()
	return got
}

// awaitQueued waits until so many invocations wait for an environment.
func (f *Function) awaitQueued(n int) {
	for f.Census().Queued < n {
		runtime.Gosched()
	}
}

func TestInvocationsThatWaitForOneAnotherShareAnEnvironment(t *testing.T) {
	const n = 8
	meet := newGate(n)
	var f *Function
	var log bytes.Buffer
	l := &fake{t: t, behave: func(g *guest) Exit {
		f.awaitQueued(n)
		return loops(n, func(g *guest, id, event string) *Exit {
			meet.pass()
			g.post("invocation/"+id+"/response", event)
			return nil
		})(g)
	}}
	f = New(l, Config{MaxConcurrency: n, KeepAlive: -1, Timeout: time.Minute, LogFormat: "Text", Log: &log})
	served, inits := map[int]bool{}, 0
	for i, r := range invokeAll(f, n, false) {
		e := r.Evidence
		sums(t, e)
		if r.Outcome != results.OutcomeServed || string(r.Payload) != fmt.Sprint(i) || e.Start != results.StartCold || e.Cause != results.CauseDeployed {
			t.Errorf("%d: %+v", i, r)
		}
		if e.Billed != ceilMS(e.Phases.Invoke) {
			inits++
		}
		served[e.Served] = true
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d environments", n)
	}
	if inits > 1 || len(served) != n {
		t.Errorf("%d were billed for the init, places %v", inits, served)
	}
	// What comes then is warm, and goes to the same one.
	for _, r := range invokeAll(f, n, false) {
		if sums(t, r.Evidence); r.Evidence.Start != results.StartWarm || r.Evidence.Served < n {
			t.Errorf("then: %+v", r.Evidence)
		}
	}
	if c := f.Census(); c.Counts != (Counts{Offered: 2 * n, Served: 2 * n}) {
		t.Errorf("counts %+v", c.Counts)
	}
	f.Close()
	reports := regexp.MustCompile(`REPORT RequestId: (\S+)`).FindAllStringSubmatch(log.String(), -1)
	seen := map[string]bool{}
	for _, r := range reports {
		seen[r[1]] = true
	}
	if len(reports) != 2*n || len(seen) != 2*n || strings.Count(log.String(), "Init Duration:") != 1 {
		t.Errorf("log:\n%s", &log)
	}
}

func TestOneMoreThanAnEnvironmentTakesStartsAnother(t *testing.T) {
	const n = 4
	meet := newGate(n + 1)
	f, l := deploy(t, loops(n, func(g *guest, id, event string) *Exit {
		meet.pass()
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: n, Timeout: time.Minute})
	in := map[string]int{}
	for _, r := range invokeAll(f, n+1, false) {
		if r.Outcome != results.OutcomeServed {
			t.Errorf("got %+v", r)
		}
		in[r.Evidence.Environment]++
	}
	if l.launched.Load() != 2 || len(in) != 2 {
		t.Errorf("%d environments: %v", l.launched.Load(), in)
	}
	for _, k := range in {
		if k != 1 && k != n {
			t.Errorf("invocations by environment: %v", in)
		}
	}
}

func TestACrashFailsWhatIsInTheEnvironmentAndNothingElse(t *testing.T) {
	const n = 3
	meet, leave := newGate(2*n), make(chan struct{})
	f, l := deploy(t, loops(n, func(g *guest, id, event string) *Exit {
		meet.pass()
		if event == "0" {
			return &Exit{Code: 7}
		}
		<-leave
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: n, Timeout: time.Minute})
	got := make(chan Result, 2*n)
	for i := range 2 * n {
		go func() { got <- f.Invoke(Request{Payload: fmt.Append(nil, i)}) }()
	}
	var dead string
	for range n { // what is in the other one goes on meanwhile
		r := <-got
		sums(t, r.Evidence)
		if r.ErrorType != "Runtime.ExitError" || !strings.Contains(string(r.Payload), "exit status 7") || !strings.Contains(string(r.Payload), r.RequestID) {
			t.Errorf("in the environment that died: %s %s", r.ErrorType, r.Payload)
		}
		if dead == "" {
			dead = r.Evidence.Environment
		}
		if r.Evidence.Environment != dead {
			t.Errorf("environments %s and %s", dead, r.Evidence.Environment)
		}
	}
	close(leave)
	for range n {
		if r := <-got; r.Outcome != results.OutcomeServed || r.Evidence.Environment == dead {
			t.Errorf("in the other: %+v", r)
		}
	}
	if c := f.Counts(); c != (Counts{Offered: 2 * n, Served: n, Failed: n}) || l.launched.Load() != 2 {
		t.Errorf("%+v, %d environments", c, l.launched.Load())
	}
}

func TestATimeoutEndsItsInvocationAlone(t *testing.T) {
	leave, left := make(chan struct{}), make(chan int, 1)
	f, l := deploy(t, loops(2, func(g *guest, id, event string) *Exit {
		if event == "slow" {
			<-leave
			left <- g.post("invocation/"+id+"/response", event)
			return nil
		}
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: 2, Timeout: 50 * time.Millisecond, SettleGrace: time.Minute})
	r := f.Invoke(Request{Payload: []byte("slow"), Tail: true})
	if r.Outcome != results.OutcomeTimedOut || r.ErrorType != "Sandbox.Timedout" || !strings.Contains(string(r.Tail), `"status":"timeout"`) {
		t.Fatalf("got %+v %s", r, r.Payload)
	}
	sums(t, r.Evidence)
	// Its handler goes on, in a place that is still its own.
	for range 3 {
		if r := f.Invoke(Request{}); r.Outcome != results.OutcomeServed || r.Evidence.Start != results.StartWarm {
			t.Errorf("beside it: %+v", r)
		}
	}
	for f.free() != 1 { // until the last one's loop has asked
		runtime.Gosched()
	}
	if c := f.Census(); c.Units.Busy != 1 {
		t.Errorf("census %+v", c)
	}
	close(leave)
	if status := <-left; status != 410 {
		t.Errorf("the late answer got %d", status)
	}
	for f.free() != 2 {
		runtime.Gosched()
	}
	if n := l.launched.Load(); n != 1 {
		t.Errorf("%d environments", n)
	}
}

// free is the room of ready environments.
func (f *Function) free() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.room
}

func TestATimeoutBeforeALoopTakesTheEventGivesThePlaceBack(t *testing.T) {
	leave := make(chan struct{})
	var in gate
	f, _ := deploy(t, serve(func(g *guest, id, event string) *Exit { // one loop, where two are said to be
		in.in.Add(1)
		<-leave
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: 2, Timeout: 50 * time.Millisecond})
	first := make(chan Result, 1)
	go func() { first <- f.Invoke(Request{}) }()
	in.await(1)
	if r := f.Invoke(Request{}); r.Outcome != results.OutcomeTimedOut || r.Evidence.Phases.Invoke != 0 {
		t.Errorf("got %+v", r)
	}
	if r := <-first; r.Outcome != results.OutcomeTimedOut {
		t.Errorf("got %+v", r)
	}
	if n := f.free(); n != 1 {
		t.Errorf("room for %d", n)
	}
	close(leave)
	for f.free() != 2 {
		runtime.Gosched()
	}
}

func TestAnEnvironmentIsFrozenAsNothingIsInIt(t *testing.T) {
	meet, leave := newGate(2), make(chan struct{})
	f, l := deploy(t, loops(2, func(g *guest, id, event string) *Exit {
		meet.pass()
		if event == "1" {
			<-leave
		}
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: 2, Timeout: time.Minute})
	got := [2]chan Result{make(chan Result, 1), make(chan Result, 1)}
	for i := range got {
		go func() { got[i] <- f.Invoke(Request{Payload: fmt.Append(nil, i)}) }()
	}
	<-got[0]
	for f.free() != 1 {
		runtime.Gosched()
	}
	if l.boxes[0].frozen.Load() || len(l.boxes[0].froze) > 0 {
		t.Error("frozen with an invocation in it")
	}
	close(leave)
	<-got[1]
	<-l.boxes[0].froze
}

func TestTailsAreKeptApart(t *testing.T) {
	const n = 3
	printed, meet := newGate(n), newGate(n)
	f, _ := deploy(t, loops(n, func(g *guest, id, event string) *Exit {
		meet.pass()
		g.print(`{"requestId":"` + id + `","message":"mine"}` + "\n")
		printed.pass()
		g.post("invocation/"+id+"/response", event)
		return nil
	}), Config{MaxConcurrency: n, Timeout: time.Minute})
	for _, r := range invokeAll(f, n, true) {
		tail := string(r.Tail)
		if strings.Count(tail, r.RequestID) != 3 || strings.Count(tail, "requestId") != 3 || strings.Count(tail, "\n") != 3 ||
			!strings.Contains(strings.SplitN(tail, "\n", 2)[0], "platform.start") || strings.Contains(tail, "runtimeDone") || !strings.HasSuffix(tail, `"status":"success"}}`+"\n") {
			t.Errorf("tail of %s:\n%s", r.RequestID, tail)
		}
	}
}

func TestAFailedInitFailsAllThatWaitForIt(t *testing.T) {
	const n = 4
	var f *Function
	var l *fake
	var log bytes.Buffer
	l = &fake{t: t, behave: func(g *guest) Exit {
		f.awaitQueued(n)
		return Exit{Code: 3}
	}}
	f = New(l, Config{MaxConcurrency: n, KeepAlive: -1, Log: &log})
	for _, r := range invokeAll(f, n, false) {
		sums(t, r.Evidence)
		if r.ErrorType != "Runtime.ExitError" || r.Evidence.Cause != results.CauseDeployed {
			t.Errorf("got %+v", r)
		}
	}
	if c := f.Counts(); c != (Counts{Offered: n, Failed: n}) || l.launched.Load() != 1 {
		t.Errorf("%+v, %d environments", c, l.launched.Load())
	}
	f.Close()
	if strings.Count(log.String(), "platform.initReport") != 1 || strings.Count(log.String(), "platform.report") != n {
		t.Errorf("log:\n%s", &log)
	}
}

func TestAStreamAmongSeveralIsItsOwn(t *testing.T) {
	const n = 4
	meet := newGate(n)
	f, _ := deploy(t, loops(n, func(g *guest, id, event string) *Exit {
		meet.pass()
		g.send("POST", "invocation/"+id+"/response", strings.Repeat(event, 1000), "Lambda-Runtime-Function-Response-Mode", "streaming")
		return nil
	}), Config{MaxConcurrency: n, Timeout: time.Minute})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			s, event := &taker{}, fmt.Sprint(i)
			r := f.Invoke(Request{Payload: []byte(event), Stream: s})
			if !r.Streamed || !strings.HasSuffix(s.got.String(), ":"+strings.Repeat(event, 1000)) || r.StreamBytes != 1000 {
				t.Errorf("%d: %+v, %q", i, r, s.got.String())
			}
		})
	}
	all.Wait()
}
