package launch

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// APIPort is the port of the Runtime API's listening socket, on 127.0.0.1
// inside a sandbox's own network namespace. (In the host's, with Network
// "host", any free port is taken.)
const APIPort = 9001

// backlog of the Runtime API's socket: a runtime opens a handful of connections.
const backlog = 128

// A network is a network namespace with loopback up and a listening socket made
// inside. It serves one sandbox and is thrown away. ns is -1 for the host's, and for
// one that its sandbox is born in.
type network struct{ ns, listener int }

func (n network) close() { closeAll(n.ns, n.listener) }

// newNetwork makes a network namespace and moves the calling thread, which must be
// locked, into it. It returns the listening socket. made, unless nil, is called as soon
// as the namespace exists, with a socket in it.
func newNetwork(made func(socket int)) (listener int, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	return listen(APIPort, true, made)
}

// makers make networks for launches that found none ready, each on a thread that
// stays in the last one it made: from a user namespace there is no way back into the
// host's. They are threads of their own so that a network, the dearest part of a cold
// start, is made while its sandbox completes its root.
type makers chan *order

// An order is a network that is being made: first its namespace is there, then the
// socket listens.
type order struct {
	ns, listener chan made // of one answer each; nil once that was taken
	net          network   // what was taken so far
}

type made struct {
	fd  int
	err error
}

// order asks for a network. It must be taken in the end.
func (m makers) order() *order {
	o := &order{ns: make(chan made, 1), listener: make(chan made, 1), net: network{-1, -1}}
	m <- o
	return o
}

func (m makers) serve() {
	runtime.LockOSThread()
	for o := range m {
		told := false
		l, err := newNetwork(func(socket int) {
			fd, err := namespaceOf(socket)
			o.ns <- made{fd, err}
			told = true
		})
		if !told {
			o.ns <- made{-1, err}
		}
		o.listener <- made{l, err}
	}
}

// namespace waits for the namespace and returns its descriptor.
func (o *order) namespace() (int, error) {
	m := <-o.ns
	o.ns, o.net.ns = nil, m.fd
	return m.fd, m.err
}

// listening waits until the socket listens.
func (o *order) listening() error {
	m := <-o.listener
	o.listener, o.net.listener = nil, m.fd
	return m.err
}

// take returns what there is in the end.
func (o *order) take() network {
	if o.ns != nil {
		o.namespace()
	}
	if o.listener != nil {
		o.listening()
	}
	return o.net
}

// namespaceOf opens the network namespace of a socket (linux/sockios.h, SIOCGSKNS).
func namespaceOf(socket int) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), 0x894c, 0)
	if errno != 0 {
		return -1, fmt.Errorf("network namespace of a socket: %w", errno)
	}
	return int(fd), nil
}

// listen makes a listening socket in the calling thread's network namespace, where
// it brings loopback up first if fresh. made, unless nil, is called with the socket
// before that.
func listen(port int, fresh bool, made func(socket int)) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if made != nil {
		made(fd)
	}
	if fresh {
		err = loopbackUp(fd)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen on 127.0.0.1:%d: %w", port, err)
	}
	return fd, nil
}

// loopbackUp sets IFF_UP on lo in the network namespace of a socket.
func loopbackUp(socket int) error {
	var req struct { // struct ifreq
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "lo")
	req.flags = unix.IFF_UP | unix.IFF_RUNNING
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return fmt.Errorf("loopback up: %w", errno)
	}
	return nil
}
