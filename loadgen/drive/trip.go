package drive

import (
	"fmt"
	"net/http"
	"strconv"

	"coldstorm/results"
)

var _ http.RoundTripper = (*fire)(nil)

// handedOver is what vegeta gets back for a trigger: it has done its part, and
// what becomes of the trigger is not its business.
var handedOver = http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}}

// RoundTrip takes the trigger that vegeta numbered, and does not wait for its end:
// a worker that did would be one of hundreds, never in a cache. What goes out is the
// request of its payload, without vegeta's headers.
func (f *fire) RoundTrip(req *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(req.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil || seq >= uint64(f.Schedule.Len()) {
		return nil, fmt.Errorf("not a trigger of this storm: X-Vegeta-Seq: %q", req.Header.Get("X-Vegeta-Seq"))
	}
	f.launch(seq)
	res := handedOver
	res.Body, res.Request = http.NoBody, req
	return &res, nil
}

// launch sends a trigger on its way: a connection, its turn, its answer, its end.
// Of a closed storm it waits until a client is free.
func (f *fire) launch(seq uint64) {
	f.launched.Add(1)
	f.flying.Add(1)
	data, _ := f.pick(seq)
	t := &trigger{seq: seq, ctx: f.ctx, data: data}
	var ok bool
	if t.at, ok = f.turn(seq); !ok {
		f.endings.add(ending{t: t, got: answer{err: errStopped}})
		return
	}
	if f.HTTP2 {
		go func() { f.end(t, f.deliverStream(t)) }()
		return
	}
	f.hosts.to(seq).take(t)
}

// given takes the connection of a trigger, or why there is none.
func (f *fire) given(t *trigger, c conn, err error) {
	if err != nil {
		f.postpone(t, err)
		return
	}
	t.conn = c
	switch c := c.(type) {
	case *plain:
		f.board(t, c)
	case *secure:
		go f.deliverSecure(t, c)
	}
}

// postpone has a trigger for which there is no connection ahead of its time try again
// when it has come: the failure, if it is one, belongs there.
func (f *fire) postpone(t *trigger, err error) {
	f.armed(t)
	if f.ctx.Err() != nil {
		f.end(t, answer{err: errStopped, done: results.Now()})
		return
	}
	if t.postponed || f.hasBegun() && results.Now() >= f.start.Add(t.at) {
		f.end(t, answer{err: err, done: results.Now()})
		return
	}
	t.postponed = true
	go func() {
		select {
		case <-f.begun:
			f.sleepUntil(f.start.Add(t.at))
		case <-f.ctx.Done():
		}
		f.hosts.to(t.seq).take(t) // once stopped, it gives none
	}()
}

// tries is how many connections may turn out to be dead before they were used.
const tries = 3

// again has a trigger that was not sent take another connection.
func (f *fire) again(t *trigger, err error) {
	t.state = fresh
	if t.tries++; t.tries < tries && f.ctx.Err() == nil {
		f.hosts.to(t.seq).take(t)
		return
	}
	f.postpone(t, err)
}

func (f *fire) hasBegun() bool {
	select {
	case <-f.begun:
		return true
	default:
		return false
	}
}

// ending is a trigger that has ended, and how.
type ending struct {
	t   *trigger
	got answer

	checked, wrong bool // by Attack.Check
}

// end passes on what became of a trigger.
func (f *fire) end(t *trigger, got answer) { f.endings.add(f.ending(t, got)) }

func (f *fire) ending(t *trigger, got answer) ending {
	if t.failed.Load() {
		got.err = t.err
	}
	f.free()
	return ending{t: t, got: got}
}

// judge says what became of a trigger.
func (f *fire) judge(e ending) results.Sample {
	t, got := e.t, e.got
	select { // one may end before any was due
	case <-f.begun:
	case <-f.ctx.Done():
	}
	s := f.blank(t.seq)
	if f.closed && f.hasBegun() {
		s.Intended = f.start.Add(t.at)
	}
	s.Sent = results.Stamp(t.sent.Load())
	s.Done = max(got.done, s.Intended, s.Sent) // a connection can end as the sender takes its trigger up
	s.Status, s.Bytes = got.status, got.bytes
	switch {
	case s.Sent == 0 && f.ctx.Err() != nil:
		s.Outcome, s.Done = results.OutcomeUnsent, 0
		return s
	case got.err != nil:
		s.Outcome, s.Reason = transportOutcome(got.err)
		if f.ctx.Err() != nil {
			s.Outcome, s.Reason = results.OutcomeFailed, "stopped before the answer"
		}
		return s
	}
	s.Outcome, s.Reason = responseOutcome(got, e.wrong)
	if s.Outcome != results.OutcomeServed && f.Refused != nil {
		f.Refused(got.body)
	}
	if f.Answered != nil {
		f.Answered(s.Seq, got.fields())
	}
	evidence, err := results.ParseEvidence(got.get(results.EvidenceHeader))
	if err != nil {
		f.bad++
		return s
	}
	s.Evidence = evidence
	if evidence.Start != results.StartUnknown {
		s.Phases.Transport = 0
		s.Phases.Transport = s.Total() - s.Phases.Sum()
	}
	return s
}
