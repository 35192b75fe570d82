package drive

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// conn is a connection that is dialled before it is needed. Between triggers
// nobody asks anything of it.
type conn interface {
	write(data []byte) error // hands data to the kernel without waiting
	alive() bool             // the endpoint holds it open, as far as is known
	interrupt()              // ends what is waited for
	close()
}

// dialer makes connections to one endpoint.
type dialer struct {
	network, address string
	tls              *tls.Config // nil: plain
	timeout          time.Duration
	resolved         atomic.Pointer[string] // of the first success: names are looked up once
}

const dialTimeout = 10 * time.Second

func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
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
	return nc, nil
}

// shake dials and shakes hands for TLS. raw is the socket beneath.
func (d *dialer) shake(ctx context.Context) (secured *tls.Conn, raw syscall.RawConn, err error) {
	nc, err := d.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	raw, err = nc.(syscall.Conn).SyscallConn()
	if err == nil {
		secured = tls.Client(nc, d.tls)
		err = secured.HandshakeContext(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return secured, raw, nil
}

// descriptor takes a connection's descriptor out of the Go scheduler's hands,
// which would wake for each of its answers too.
func descriptor(nc net.Conn) (int, error) {
	defer nc.Close()
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, err
	}
	dup, dupErr := -1, error(nil)
	err = raw.Control(func(fd uintptr) { dup, dupErr = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = dupErr
	}
	return dup, err
}
