package drive

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"coldstorm/results"
)

var _ http.RoundTripper = (*fire)(nil)

// RoundTrip sends the trigger that vegeta numbered. What goes out is the
// request of its payload, without vegeta's headers; what vegeta gets back is
// the status alone, since it would keep headers and body.
func (f *fire) RoundTrip(req *http.Request) (*http.Response, error) {
	seq, err := strconv.ParseUint(req.Header.Get("X-Vegeta-Seq"), 10, 64)
	if err != nil || seq >= uint64(len(f.samples)) {
		return nil, fmt.Errorf("not a trigger of this storm: X-Vegeta-Seq: %q", req.Header.Get("X-Vegeta-Seq"))
	}
	s, err := f.trip(seq)
	f.samples[seq] = s
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: s.Status, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// trip sends a trigger when it is its turn, and returns what became of it; an error
// where it got no response.
func (f *fire) trip(seq uint64) (*results.Sample, error) {
	data, name := f.pick(seq)
	s := &results.Sample{Series: f.Series, Seq: seq, Payload: name, Evidence: results.Evidence{Start: results.StartUnknown}}
	at, ok := f.turn(seq)
	if !ok {
		s.Outcome = results.OutcomeUnsent
		return s, errStopped
	}
	defer f.free()
	t := &trigger{seq: seq, at: at, ctx: f.ctx, data: data}
	deliver := f.deliver
	if f.HTTP2 {
		deliver = f.deliverStream
	}
	got := deliver(t)
	<-f.begunOrStopped()
	if f.hasBegun() {
		s.Intended = f.start.Add(t.at)
	}
	f.judge(s, t, got)
	return s, got.err
}

func (f *fire) hasBegun() bool {
	select {
	case <-f.begun:
		return true
	default:
		return false
	}
}

func (f *fire) begunOrStopped() <-chan struct{} {
	if f.hasBegun() {
		return f.begun
	}
	return f.ctx.Done()
}

// answer is what came back for a trigger.
type answer struct {
	status int
	header http.Header
	body   []byte // where it is needed
	bytes  int64
	done   results.Stamp
	err    error
}

// tries is how many connections may turn out to be dead before they were used.
const tries = 3

// deliver sends t and reads the answer. A connection that dies before t was
// sent on it is replaced; one that dies after is t's failure.
func (f *fire) deliver(t *trigger) answer {
	var err error
	for range tries {
		var c *conn
		if c, err = f.connect(t); err != nil {
			break
		}
		t.conn = c
		c.expect(t)
		if !f.sender.add(t) {
			f.hosts.to(t.seq).put(c)
			err = errStopped
			break
		}
		f.armed(t)
		got := c.receive(f.methodOf(t.seq), f.keep)
		got.done = results.Now()
		if got.err == nil && got.header.Get("Connection") != "close" && c.in.Buffered() == 0 {
			f.hosts.to(t.seq).put(c)
			return got
		}
		sent := !f.sender.takeBack(t)
		f.hosts.to(t.seq).drop(c)
		if sent {
			if t.failed.Load() {
				got.err = t.err
			}
			return got
		}
		if err = got.err; f.ctx.Err() != nil {
			break
		}
	}
	f.armed(t)
	return answer{err: err, done: results.Now()}
}

// connect takes a connection for t. Where none can be dialled ahead of the
// time, it is tried again when the time has come: the failure, if it is one,
// belongs there.
func (f *fire) connect(t *trigger) (*conn, error) {
	c, err := f.hosts.to(t.seq).get(f.ctx)
	if err == nil {
		return c, nil
	}
	f.armed(t)
	select {
	case <-f.begun:
	case <-f.ctx.Done():
		return nil, errStopped
	}
	due := f.start.Add(t.at)
	if results.Now() >= due {
		return nil, err
	}
	if !f.sleepUntil(due) {
		return nil, errStopped
	}
	return f.hosts.to(t.seq).get(f.ctx)
}

// keep says whether a response's body is needed.
func (f *fire) keep(status int, header http.Header) bool {
	return status < 200 || status >= 300 || f.Check != nil || header.Get(functionError) != ""
}

// maxKept bounds a body that is kept: Lambda's largest is 6 MB.
const maxKept = 8 << 20

// receive reads one response, its body to the end.
func (c *conn) receive(method string, keep func(int, http.Header) bool) answer {
	res, err := http.ReadResponse(c.in, &http.Request{Method: method})
	for err == nil && res.StatusCode >= 100 && res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols {
		res, err = http.ReadResponse(c.in, &http.Request{Method: method})
	}
	if err != nil {
		return answer{err: err}
	}
	got := read(res, keep)
	if res.Close {
		got.header.Set("Connection", "close")
	}
	return got
}

// read takes a response, its body to the end.
func read(res *http.Response, keep func(int, http.Header) bool) answer {
	got := answer{status: res.StatusCode, header: res.Header}
	if keep(res.StatusCode, res.Header) {
		got.body, got.err = io.ReadAll(io.LimitReader(res.Body, maxKept))
		got.bytes = int64(len(got.body))
	}
	if got.err == nil {
		var n int64
		n, got.err = io.Copy(io.Discard, res.Body)
		got.bytes += n
	}
	return got
}

// judge fills in what became of t.
func (f *fire) judge(s *results.Sample, t *trigger, got answer) {
	s.Sent = results.Stamp(t.sent.Load())
	s.Done = got.done
	s.Status, s.Bytes = got.status, got.bytes
	switch {
	case s.Sent == 0 && f.ctx.Err() != nil:
		s.Outcome, s.Done = results.OutcomeUnsent, 0
		return
	case got.err != nil:
		s.Outcome, s.Reason = transportOutcome(got.err)
		if f.ctx.Err() != nil {
			s.Outcome, s.Reason = results.OutcomeFailed, "stopped before the answer"
		}
		return
	}
	s.Outcome, s.Reason = responseOutcome(got, f.Check)
	if s.Outcome != results.OutcomeServed && f.Refused != nil {
		f.Refused(got.body)
	}
	if f.Answered != nil {
		f.Answered(s.Seq, got.header)
	}
	evidence, err := results.ParseEvidence(got.header.Get(results.EvidenceHeader))
	if err != nil {
		f.bad.Add(1)
		return
	}
	s.Evidence = evidence
	if evidence.Start != results.StartUnknown {
		s.Phases.Transport = 0
		s.Phases.Transport = s.Total() - s.Phases.Sum()
	}
}
