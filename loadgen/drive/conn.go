package drive

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// conn is a connection that is dialled before it is needed. Between triggers
// nobody reads it.
type conn struct {
	net.Conn
	raw     syscall.RawConn // of the socket beneath
	tls     bool
	in      *bufio.Reader
	timeout time.Duration

	trigger atomic.Pointer[trigger] // that reads now
}

// dialer makes connections to one endpoint.
type dialer struct {
	network, address string
	tls              *tls.Config // nil: plain
	timeout          time.Duration
	resolved         atomic.Pointer[string] // of the first success: names are looked up once
}

const dialTimeout = 10 * time.Second

func (d *dialer) dial(ctx context.Context) (*conn, error) {
	address := d.address
	if r := d.resolved.Load(); r != nil {
		address = *r
	}
	// No LocalAddr: binding one makes the kernel search for a free port, in a time
	// that would be charged to the endpoint.
	nc, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, d.network, address)
	if err != nil {
		return nil, err
	}
	if d.network == "tcp" {
		remote := nc.RemoteAddr().String()
		d.resolved.CompareAndSwap(nil, &remote)
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		nc.Close()
		return nil, err
	}
	c := &conn{Conn: nc, raw: raw, timeout: d.timeout}
	if d.tls != nil {
		secure := tls.Client(nc, d.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, err
		}
		c.Conn, c.tls = secure, true
	}
	c.in = bufio.NewReaderSize(reader{c}, 4096)
	return c, nil
}

// alive reports whether the endpoint still holds the connection open and has
// said nothing that nobody asked for.
func (c *conn) alive() bool {
	alive := false
	// A TLS endpoint may send session tickets at any time.
	err := c.raw.Control(func(fd uintptr) { alive = silent(fd, c.tls) })
	return err == nil && alive
}

// write hands data to the kernel without waiting. What doesn't fit is written
// by another goroutine, since the sender has other triggers to send.
func (c *conn) write(data []byte) error {
	if c.tls {
		if len(data) > 32<<10 {
			go c.Conn.Write(data) // an error closes it for the reader too
			return nil
		}
		_, err := c.Conn.Write(data)
		return err
	}
	var n int
	var errno syscall.Errno
	err := c.raw.Write(func(fd uintptr) bool {
		n, errno = send(fd, data)
		return true
	})
	switch {
	case err != nil:
		return err
	case errno != 0 && errno != unix.EAGAIN:
		return errno
	case errno == unix.EAGAIN:
		n = 0
	}
	if n < len(data) {
		go c.Conn.Write(data[n:])
	}
	return nil
}

// expect prepares the connection for reading the answer to t.
func (c *conn) expect(t *trigger) {
	c.trigger.Store(t)
	c.SetReadDeadline(time.Now().Add(c.timeout))
}

// interrupt ends a read that is under way.
func (c *conn) interrupt() { c.SetReadDeadline(time.Unix(1, 0)) }

// reader reads for the trigger that c was handed to last. The deadline is set
// when a trigger is made ready, before its send, and is moved when it comes.
type reader struct{ c *conn }

func (r reader) Read(p []byte) (int, error) {
	for {
		n, err := r.c.Conn.Read(p)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		t := r.c.trigger.Load()
		if t == nil || t.ctx.Err() != nil || t.failed.Load() {
			return n, err
		}
		left := r.c.timeout // not sent yet
		if sent := results.Stamp(t.sent.Load()); sent != 0 {
			left -= results.Now().Sub(sent)
		}
		if left <= 0 {
			return n, err
		}
		r.c.SetReadDeadline(time.Now().Add(left))
		if t.ctx.Err() != nil { // the stop came between the two
			return n, err
		}
	}
}
