package drive

import (
	"bufio"
	"crypto/tls"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"coldstorm/results"
)

// secure is a connection of TLS: a goroutine a trigger reads it, by crypto/tls.
type secure struct {
	conn    *tls.Conn
	raw     syscall.RawConn // of the socket beneath
	in      *bufio.Reader
	timeout time.Duration

	trigger atomic.Pointer[trigger] // that reads now
	writing atomic.Bool             // a goroutine of its own writes
}

var _ conn = (*secure)(nil)

func newSecure(c *tls.Conn, raw syscall.RawConn, timeout time.Duration) *secure {
	s := &secure{conn: c, raw: raw, timeout: timeout}
	s.in = bufio.NewReaderSize(reader{s}, 4096)
	return s
}

func (s *secure) alive() bool {
	alive := false
	// The endpoint may send session tickets at any time.
	err := s.raw.Control(func(fd uintptr) { alive = silent(fd, true) })
	return err == nil && alive
}

// write encrypts and sends. What may not fit is left to another goroutine, since
// the sender has other triggers to send.
func (s *secure) write(data []byte) error {
	if len(data) > 32<<10 {
		s.writing.Store(true)
		go func() {
			s.conn.Write(data) // an error closes it for the reader too
			s.writing.Store(false)
		}()
		return nil
	}
	_, err := s.conn.Write(data)
	return err
}

func (s *secure) interrupt() { s.conn.SetReadDeadline(time.Unix(1, 0)) }
func (s *secure) close()     { s.conn.Close() }

// expect prepares the connection for reading the answer to t.
func (s *secure) expect(t *trigger) {
	s.trigger.Store(t)
	s.conn.SetReadDeadline(time.Now().Add(s.timeout))
}

// reader reads for the trigger that s was handed to last. The deadline is set
// when a trigger is made ready, before its send, and is moved when it comes.
type reader struct{ s *secure }

func (r reader) Read(p []byte) (int, error) {
	for {
		n, err := r.s.conn.Read(p)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		t := r.s.trigger.Load()
		if t == nil || t.ctx.Err() != nil || t.failed.Load() {
			return n, err
		}
		left := r.s.timeout // not sent yet
		if sent := results.Stamp(t.sent.Load()); sent != 0 {
			left -= results.Now().Sub(sent)
		}
		if left <= 0 {
			return n, err
		}
		r.s.conn.SetReadDeadline(time.Now().Add(left))
		if t.ctx.Err() != nil { // the stop came between the two
			return n, err
		}
	}
}

// deliverSecure sends t on s and reads the answer.
func (f *fire) deliverSecure(t *trigger, s *secure) {
	s.expect(t)
	if !f.sender.add(t) {
		f.hosts.to(t.seq).put(s)
		f.end(t, answer{err: errStopped})
		return
	}
	f.armed(t)
	got := receive(s.in, f.methodOf(t.seq), f.keep)
	got.done = results.Now()
	s.trigger.Store(nil)
	if got.err == nil && t.sent.Load() == 0 {
		got.err = errUnasked
	}
	if got.err == nil && !got.last && s.in.Buffered() == 0 && !s.writing.Load() {
		f.hosts.to(t.seq).put(s)
		f.end(t, got)
		return
	}
	sent := !f.sender.takeBack(t)
	f.hosts.to(t.seq).drop(s)
	if sent {
		f.end(t, got)
		return
	}
	f.again(t, got.err)
}
