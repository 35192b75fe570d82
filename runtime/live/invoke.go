package live

import (
	"cmp"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/api"
)

// Request is one trigger.
type Request struct {
	ID            string        // request id; a new one if empty
	ARN           string        // by which the function was invoked, with a qualifier; the function's own if empty
	Received      results.Stamp // now, if 0
	Payload       []byte
	ContentType   string
	ClientContext string // JSON
	TraceID       string
	Cognito       string // JSON
	TenantID      string
	Tail          bool // keep the last 4 KB of its log

	// Stream takes the response while the function still writes it, on the
	// goroutine that called Serve, before the result. Nil: it is buffered.
	Stream Stream
}

// A Stream is what takes a streamed response: see api.Stream.
type Stream = api.Stream

// Result is what became of a trigger.
type Result struct {
	RequestID   string
	Outcome     results.Outcome
	Reason      string // of a throttle, or what a failure counts as; empty when served
	ErrorType   string // of a failure, such as Runtime.ExitError
	Payload     []byte // the function's response, or the JSON of its error; empty for a throttle
	ContentType string
	Tail        []byte
	Evidence    results.Evidence

	// Streamed says that the response was streamed, or a part of it before an
	// error: then Payload is empty, or that error.
	Streamed    bool
	StreamBytes int64         // written to the stream
	FirstByte   results.Stamp // the head of the response was read; 0 if there was none

	// RestoreTimedOut says that its environment was not restored within the limit: to
	// the caller of Lambda's API that is an error of the service.
	RestoreTimedOut bool

	fatal    bool          // it ended without an answer, and on demand so did its environment
	failure  *Failure      // how it ended
	joined   bool          // it waited for an init that was for another invocation
	within   time.Duration // the part of its Duration that was init
	restored time.Duration // the part of a restore that is billed
}

// Invoke sends a trigger to the function and waits for what becomes of it. A
// caller who gives up doesn't change that, as on Lambda.
func (f *Function) Invoke(r Request) (res Result) {
	f.Serve(r, func(x Result) { res = x })
	return res
}

// Serve is Invoke for a caller who has to pass the result on: answer is called
// with it, once, before anything else is done with the environment. A freeze, a
// stop or the log's writer would compete with it for processors.
func (f *Function) Serve(r Request, answer func(Result)) {
	if r.Received == 0 {
		r.Received = results.Now()
	}
	if r.ID == "" {
		r.ID = api.NewID()
	}
	a := f.submit(r.ID)
	var res Result
	switch {
	case a.refused != "":
		res = refused(r, a)
	case a.failure != nil:
		res = f.failedStart(r, a)
	default:
		res = a.unit.invoke(r, a)
		defer a.unit.passedOn(a.stay)
	}
	f.count(res.Outcome)
	defer f.log.Wake()
	answer(res)
}

// submit brings a trigger to the plane and waits until an environment is its
// own, or there will be none.
func (f *Function) submit(request string) assignment {
	t := &trigger{request: request, assigned: make(chan assignment, 1)}
	f.mu.Lock()
	f.counts.Offered++
	f.counts.InFlight++
	if f.closed {
		f.mu.Unlock()
		return assignment{failure: errClosed}
	}
	f.next++
	t.id = f.next
	f.triggers[t.id] = t
	f.arrive(t)
	f.mu.Unlock()
	return <-t.assigned
}

func (f *Function) count(o results.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts.InFlight--
	switch o {
	case results.OutcomeServed:
		f.counts.Served++
	case results.OutcomeThrottled:
		f.counts.Throttled++
	case results.OutcomeTimedOut:
		f.counts.TimedOut++
	default:
		f.counts.Failed++
	}
}

func refused(r Request, a assignment) Result {
	e := results.Evidence{Start: results.StartUnknown, Received: r.Received, Responded: results.Now()}
	e.Phases.Queue = e.Responded.Sub(e.Received)
	return Result{RequestID: r.ID, Outcome: results.OutcomeThrottled, Reason: string(a.refused), Evidence: e}
}

func (r Request) failure(why *Failure, e results.Evidence) Result {
	return Result{
		RequestID: r.ID, Outcome: why.Outcome, Reason: why.Reason, ErrorType: why.Type,
		Payload: why.body(r.ID), ContentType: "application/json", Evidence: e, fatal: true, failure: why,
		RestoreTimedOut: why.restore,
	}
}

// failedStart is for a trigger whose environment never asked for work.
func (f *Function) failedStart(r Request, a assignment) Result {
	e := results.Evidence{Start: results.StartUnknown, Received: r.Received, Responded: results.Now()}
	u := a.unit
	if u == nil {
		e.Phases.Queue = e.Responded.Sub(e.Received)
		return r.failure(a.failure, e)
	}
	f.mu.Lock()
	asked, birth, used := u.asked, u.birth, u.used
	f.mu.Unlock()
	e.Environment, e.Start, e.Cause, e.Mode = u.id, a.start, a.cause, birth.Mode
	e.Phases = startPhases(r.Received, asked, birth, e.Responded)
	u.restore(&e)
	if a.joined {
		bill(&e, used, 0, 0)
	} else {
		bill(&e, used, used.CPU, e.Phases.InitDuration())
	}
	res := r.failure(a.failure, e)
	if res.joined = a.joined; !a.joined {
		res.within = u.since(e.Responded)
	}
	res.Tail = u.report(r, res, api.Response{}, false)
	return res
}

// startPhases lays out the time from received to the end of a start, which may
// have ended before any of its stamps. One that was received during the start waited for
// the rest of it alone.
func startPhases(received, asked results.Stamp, b Birth, end results.Stamp) (p results.Phases) {
	if asked == 0 {
		p.Queue = end.Sub(received)
		return p
	}
	at := received
	until := func(next results.Stamp) time.Duration {
		from := at
		at = max(at, next)
		return at.Sub(from)
	}
	p.Queue = until(asked)
	if b.Exec == 0 {
		p.Sandbox = until(end)
		return p
	}
	p.Sandbox = until(b.Ready)
	p.Rootfs = until(b.Exec)
	p.Init = until(end)
	return p
}

// invoke serves a trigger in this environment, where a place is its own.
func (u *unit) invoke(r Request, a assignment) Result {
	u.obey() // thaw
	if u.f.log != nil || r.Tail {
		u.out.begin(r.ID, u.config.appendInvoke(nil, r), r.Tail)
	}
	watched := u.api.Telemetry()
	if watched {
		u.api.Emit("platform.start", time.Now(), u.config.startRecord(r))
	}
	answer, err := u.api.Invoke(api.Invocation{
		ID: r.ID, ARN: cmp.Or(r.ARN, u.config.ARN()), Deadline: a.stay.due.Time(),
		TraceID: r.TraceID, ClientContext: r.ClientContext, Cognito: r.Cognito, TenantID: r.TenantID,
		ContentType: r.ContentType, Payload: r.Payload, Stream: r.Stream,
	})
	e := results.Evidence{
		Environment: u.id, Served: a.served, Start: a.start, Cause: a.cause,
		Received: r.Received, Responded: answer.Received,
	}
	if err != nil {
		e.Responded = results.Now()
	}
	u.phases(&e, answer.Delivered)
	used, cpu := u.measure(a.stay)
	restored, started := u.billedRestore(e), time.Duration(0)
	if !a.joined {
		started = restored + e.Phases.InitDuration()
	}
	bill(&e, used, cpu, started)
	u.ended(a.stay, err == nil, answer.Delivered != 0)
	res := Result{
		RequestID: r.ID, Outcome: results.OutcomeServed,
		Payload: answer.Payload, ContentType: answer.ContentType, Evidence: e,
	}
	if err != nil {
		res = r.failure(asFailure(err), e)
	} else if answer.ErrorType != "" {
		res.Outcome, res.Reason, res.ErrorType = results.OutcomeFailed, answer.ErrorType, answer.ErrorType
	}
	res.FirstByte = answer.Begun
	if res.Streamed = answer.Streamed; res.Streamed {
		res.StreamBytes = answer.Size
	}
	if res.joined = a.joined; !a.joined {
		res.within, res.restored = u.within(a.start), restored
	}
	if watched {
		u.emitEnd(res, answer)
	}
	res.Tail = u.report(r, res, answer, true)
	return res
}

// phases lays out the time of an invocation that reached an environment.
func (u *unit) phases(e *results.Evidence, delivered results.Stamp) {
	if delivered == 0 { // died before the event was written
		delivered = e.Responded
	}
	if e.Start != results.StartWarm && e.Start != results.StartProvisioned {
		e.Mode = u.birth.Mode
		e.Phases = startPhases(e.Received, u.asked, u.birth, u.ready)
		e.Phases.Queue += delivered.Sub(u.ready)
		u.start(e)
		u.restore(e)
	} else {
		e.Phases.Queue = delivered.Sub(e.Received)
	}
	e.Phases.Invoke = e.Responded.Sub(delivered)
}

// start adds the moments of a cold start, if the launcher told any, and splits its init
// phase where the program told its first instruction. One that is not after execve and
// before the ask for work is not believed: a program may say what it likes. (That of a
// container may be before the end of its runtime's command, which is all that is known
// there.)
func (u *unit) start(e *results.Evidence) {
	first := u.api.FirstInstruction()
	if first < u.birth.Exec || first > u.ready {
		first = 0
	}
	if first != 0 {
		begun := max(u.birth.Exec, e.Received)
		first := max(first, begun)
		e.Phases.Init, e.Phases.RuntimeInit, e.Phases.FunctionInit = 0, first.Sub(begun), u.ready.Sub(first)
	}
	if e.Start != results.StartCold || e.Received > u.asked || u.birth.Moments == (results.Moments{}) {
		return
	}
	e.Moments = u.birth.Moments
	e.Moments[results.MomentAsk], e.Moments[results.MomentFirst], e.Moments[results.MomentReady] = u.asked, first, u.ready
}

// measure reads what the environment has used, in all and since the invocation
// began.
func (u *unit) measure(s *stay) (Usage, time.Duration) {
	now, err := u.box.Usage()
	if err != nil { // it died: its exit accounts for it
		now = Usage{}
	}
	now = u.account(now)
	return now, now.CPU - s.before
}

// bill adds what an invocation is billed: with what of the start is its own, an init or
// so much of a restore.
func bill(e *results.Evidence, used Usage, cpu, started time.Duration) {
	e.Billed = ceilMS(e.Phases.Invoke + started)
	e.MaxMemory, e.CPU = used.PeakMemory, cpu
}

func ceilMS(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1) / time.Millisecond * time.Millisecond
}
