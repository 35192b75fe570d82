package drive

import (
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// plain is a connection of HTTP/1.1 without TLS: the sender writes and the
// receiver reads its descriptor.
type plain struct {
	fd       int
	pool     *pool
	receiver *receiver

	mu      sync.Mutex // before sender.mu, after none
	closed  bool
	trigger *trigger // that it was handed to and that has not ended
	in      response // to it
	odd     *feed    // in's place, for a response that net/http reads
	out     []byte   // of the request, what did not fit the socket
	over    bool     // the endpoint sends no more than has come
}

var _ conn = (*plain)(nil)

func (c *plain) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed
}

// write hands data to the kernel. What doesn't fit is left to the receiver.
func (c *plain) write(data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	n, errno := send(uintptr(c.fd), data)
	switch {
	case errno == unix.EAGAIN:
		n = 0
	case errno != 0:
		return errno
	}
	if n < len(data) {
		c.out = data[n:]
		return c.receiver.listen(c, true)
	}
	return nil
}

// writeOn writes more of what did not fit.
func (c *plain) writeOn() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.out == nil {
		return nil
	}
	n, errno := send(uintptr(c.fd), c.out)
	switch {
	case errno == unix.EAGAIN:
		return nil
	case errno != 0:
		return errno
	}
	if c.out = c.out[n:]; len(c.out) > 0 {
		return nil
	}
	c.out = nil
	return c.receiver.listen(c, false)
}

// spent reports whether no other trigger can be sent on c. c.mu is held.
func (c *plain) spent() bool { return c.over || c.out != nil }

// interrupt has the receiver find the connection ended.
func (c *plain) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		unix.Shutdown(c.fd, unix.SHUT_RDWR)
	}
}

func (c *plain) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// end closes the descriptor. c.mu is held.
func (c *plain) end() {
	if c.closed {
		return
	}
	c.closed = true
	c.receiver.forget(c)
	syscall.Close(c.fd)
}

// board queues t to be sent on c. Taken back by whoever finds c dead before its
// time, it takes another connection.
func (f *fire) board(t *trigger, c *plain) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		c.pool.drop(c)
		f.again(t, net.ErrClosed)
		return
	}
	c.in.begin(f.methodOf(t.seq))
	if !f.sender.add(t) {
		c.mu.Unlock()
		c.pool.put(c)
		f.end(t, answer{err: errStopped})
		return
	}
	c.trigger = t
	c.mu.Unlock()
	f.armed(t)
}
