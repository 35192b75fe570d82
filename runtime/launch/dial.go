package launch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A socket belongs to the network namespace in which it was made, so the daemon
// makes one inside a sandbox and the client connects it from outside: that is
// how an HTTP server in there is reached.

// DialContext connects to a TCP port inside the sandbox, on 127.0.0.1 (or
// "localhost"; there is nothing else). It has the signature that
// http.Transport.DialContext wants.
func (b *Sandbox) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if b.network == NetworkHost {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	conn, err := b.dial(ctx, network, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s in sandbox %s: %w", addr, b.ID, err)}
	}
	return conn, nil
}

func (b *Sandbox) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	at, err := netip.ParseAddrPort(strings.Replace(addr, "localhost:", "127.0.0.1:", 1))
	if err != nil {
		return nil, err
	}
	if (network != "tcp" && network != "tcp4") || !at.Addr().Is4() {
		return nil, fmt.Errorf("only tcp on 127.0.0.1 can be dialled")
	}
	_, fds, err := b.l.askFDs(msgSocket, b.seq, nil)
	if err == nil && len(fds) != 1 {
		err = errMessage
	}
	if err != nil {
		closeAll(fds...)
		return nil, err
	}
	if err := connect(ctx, fds[0], at); err != nil {
		unix.Close(fds[0])
		return nil, err
	}
	f := os.NewFile(uintptr(fds[0]), addr)
	defer f.Close()
	return net.FileConn(f)
}

// connect connects a non-blocking socket. On loopback that is done or refused
// at once, unless the listener's queue is full.
func connect(ctx context.Context, fd int, at netip.AddrPort) error {
	err := unix.Connect(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	for err == unix.EINPROGRESS || err == unix.EINTR || err == unix.EALREADY {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err2 := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(20*time.Millisecond/time.Millisecond))
		if err2 != nil && err2 != unix.EINTR {
			return err2
		}
		if n > 0 {
			code, err2 := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
			if err2 != nil || code == 0 {
				return err2
			}
			err = syscall.Errno(code)
		}
	}
	return err
}

// visits makes sockets inside sandboxes, on a thread that goes from one network
// namespace to the next and never comes back.
type visits chan visit

type visit struct {
	ns     int
	answer chan<- visited
}

type visited struct {
	fd  int
	err error
}

func (v visits) serve() {
	runtime.LockOSThread()
	for ask := range v {
		fd, err := -1, unix.Setns(ask.ns, unix.CLONE_NEWNET)
		if err == nil {
			fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		}
		ask.answer <- visited{fd, err}
	}
}

// socket makes a socket inside a living sandbox.
func (d *daemon) socket(b *box) (int, error) {
	d.mu.Lock()
	if d.pids[b.pid] != b { // else the pid may be another's, and its network the host's
		d.mu.Unlock()
		return -1, errGone
	}
	ns, err := unix.Open(fmt.Sprintf("/proc/%d/ns/net", b.pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	d.mu.Unlock()
	if err != nil {
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	defer unix.Close(ns)
	answer := make(chan visited)
	d.visits <- visit{ns, answer}
	v := <-answer
	if v.err == nil && !d.lives(b) { // its network may have been another's when the socket was made
		closeAll(v.fd)
		return -1, errGone
	}
	return v.fd, v.err
}
