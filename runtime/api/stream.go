package api

import (
	"errors"
	"io"
	"sync"
	"time"

	"coldstorm/results"
)

// A Stream takes a response while the runtime still writes it. Its methods are
// called on the goroutine that called Invoke, so that a Stream that blocks holds
// back its own caller and function alone.
type Stream interface {
	// Begin is called once, before the first Write, with the runtime's
	// Content-Type.
	Begin(contentType string)
	// Write takes a piece of the response, which is its own until it returns.
	// After an error it isn't called again: the rest is read and dropped.
	Write(p []byte) (int, error)
}

// Limits of a streamed response (AWS documentation: "Response streaming for
// Lambda functions"; the rates in bytes as in the AWS Runtime Interface
// Emulator).
const (
	MaxStream   = 200 << 20 // bytes, since 2025-07-31; 20 MB before
	StreamBurst = 6 << 20   // bytes that aren't held back
	StreamRate  = 2 << 20   // bytes a second after that
)

// flow hands a response from the runtime's connection, which reads it, to
// Invoke, which writes it.
type flow struct {
	pieces chan piece
	taken  chan struct{}
	over   chan struct{} // closed when the invocation has its outcome
}

// piece is the beginning of a response, or a part of it.
type piece struct {
	begins      bool
	contentType string
	part        []byte
}

func newFlow() *flow {
	return &flow{pieces: make(chan piece), taken: make(chan struct{}), over: make(chan struct{})}
}

// errOver says that nobody waits for the rest.
var errOver = errors.New("invocation is over")

// give passes a piece on and waits until it was taken.
func (f *flow) give(p piece) error {
	select {
	case f.pieces <- p:
	case <-f.over:
		return errOver
	}
	select {
	case <-f.taken:
		return nil
	case <-f.over:
		return errOver
	}
}

// drain writes pieces to s until the answer is there.
func (p *pending) drain(s Stream) outcome {
	begun, broken, size := false, false, int64(0)
	for {
		select {
		case x := <-p.flow.pieces:
			if x.begins {
				begun = true
				s.Begin(x.contentType)
			} else if !broken {
				_, err := s.Write(x.part)
				broken = err != nil
			}
			size += int64(len(x.part))
			select {
			case p.flow.taken <- struct{}{}:
			case <-p.flow.over:
			}
		case out := <-p.answer:
			if out.response.Streamed = begun; out.err != nil {
				out.response.Size = size
			}
			return out
		}
	}
}

// pieceSize is what is read of a streamed response at a time, in bytes.
const pieceSize = 32 << 10

var pieceBuffers = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// stream passes the body of an answer on and settles it. It returns what the
// runtime is refused with, if it is.
func (c *conn) stream(b *body, p *pending, r Response) *refusal {
	if p.flow.give(piece{begins: true, contentType: r.ContentType}) != nil {
		return nil
	}
	buf := pieceBuffers.Get().(*[pieceSize]byte)
	var err error
	r.Size, err = c.pour(b, p.flow, buf)
	if !errors.Is(err, errOver) { // else a slow Stream may still read it
		pieceBuffers.Put(buf)
	}
	switch {
	case errors.Is(err, errOver):
		return nil
	case errors.Is(err, errOversized):
		limit := c.env.config.maxStream()
		c.env.settle(p, r.failed("Function.ResponseSizeTooLarge", sizeMessage(r.Size, limit)))
		no := tooLarge(limit)
		return &no
	case err != nil: // what was passed on can't be taken back, so that it can't be sent again
		c.env.settle(p, r.failed("Runtime.TruncatedResponse", "Response was truncated"))
		return &errTruncated
	}
	c.env.settle(p, c.whole(b, r))
	return nil
}

var errOversized = errors.New("response is too large")

// pour reads b to its end and gives it to f, no faster than Lambda does.
func (c *conn) pour(b *body, f *flow, buf *[pieceSize]byte) (size int64, err error) {
	limit := c.env.config.maxStream()
	t := c.env.config.throttle(results.Now())
	for {
		n, err := b.Read(buf[:])
		size += int64(n)
		if limit >= 0 && size > limit {
			return size, errOversized
		}
		if n > 0 {
			if wait := t.take(n, results.Now()); wait > 0 {
				select {
				case <-time.After(wait):
				case <-f.over:
					return size, errOver
				}
			}
			if err := f.give(piece{part: buf[:n]}); err != nil {
				return size, err
			}
		}
		if err == io.EOF {
			return size, nil
		} else if err != nil {
			return size, err
		}
	}
}

// throttle is a bucket of bytes. The zero value holds nothing back.
type throttle struct {
	burst, rate float64 // bytes, bytes a second
	room        float64
	at          results.Stamp
}

// take takes n bytes and returns how long to wait before they may go.
func (t *throttle) take(n int, now results.Stamp) time.Duration {
	if t.rate <= 0 {
		return 0
	}
	t.room = min(t.burst, t.room+now.Sub(t.at).Seconds()*t.rate)
	t.at = now
	t.room -= float64(n)
	if t.room >= 0 {
		return 0
	}
	return time.Duration(-t.room / t.rate * float64(time.Second))
}
