package launch

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
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

// newNetwork makes a network namespace and moves the calling thread, which must be
// locked, into it. It returns the listening socket. made, unless nil, is called as soon
// as the namespace exists, with a socket in it.
func newNetwork(made func(socket int)) (listener int, err error) {
	if _, err := raw(unix.SYS_UNSHARE, unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	return listen(APIPort, true, made)
}

// makers make networks for launches that found none ready. They are threads of their own
// so that a network, the dearest part of a cold start, is made while its sandbox completes
// its root. There are as many as were ever wanted at once.
//
// Between two networks a maker stands in one that nobody uses (from a user namespace
// there is no way back into the host's). Were it to stay in the last one that it made,
// that would end as the next is made, and its end holds the lock that a new one waits for.
type makers struct {
	home int // descriptor of that network's namespace

	mu   sync.Mutex
	idle []*order
}

// An order is a network that is being made: first its namespace is there, then the
// socket listens. It belongs to a maker, and is used again once it was taken.
type order struct {
	step  uint32  // how far it is: a futex word
	net   network // what there is
	noNS  error   // why there is no namespace
	noNet error   // why nothing listens
}

// The steps of an order.
const (
	taken = iota
	ordered
	namespaced
	listening
)

// order asks for a network. It must be taken in the end.
func (m *makers) order() *order {
	m.mu.Lock()
	var o *order
	if n := len(m.idle); n > 0 {
		o, m.idle = m.idle[n-1], m.idle[:n-1]
	} else {
		o = &order{}
		go m.serve(o)
	}
	m.mu.Unlock()
	o.net, o.noNS, o.noNet = network{-1, -1}, nil, nil
	set(&o.step, ordered)
	return o
}

// newMakers makes the network in which makers stand.
func newMakers() (*makers, error) {
	m := &makers{home: -1}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends, and leaves its network
		l, err := newNetwork(nil)
		if err == nil {
			m.home, err = namespaceOf(l)
		}
		closeAll(l)
		done <- err
	}()
	return m, <-done
}

// leave moves the calling thread out of a network that it made. (Where it can't, it stays
// until it makes the next.)
func (m *makers) leave() { raw(unix.SYS_SETNS, uintptr(m.home), unix.CLONE_NEWNET) }

// serve makes networks on a thread that never ends.
func (m *makers) serve(o *order) {
	runtime.LockOSThread()
	for {
		waitWhile(&o.step, taken)
		o.net.listener, o.noNet = newNetwork(func(socket int) {
			o.net.ns, o.noNS = namespaceOf(socket)
			set(&o.step, namespaced)
		})
		if o.net.ns < 0 && o.noNS == nil {
			o.noNS = o.noNet
		}
		m.leave()
		set(&o.step, listening)
		waitWhile(&o.step, listening)
	}
}

// reached waits until an order is as far as step.
func (o *order) reached(step uint32) {
	for {
		at := atomic.LoadUint32(&o.step)
		if at >= step {
			return
		}
		waitWhile(&o.step, at)
	}
}

// namespace waits for the namespace and returns its descriptor.
func (o *order) namespace() (int, error) {
	o.reached(namespaced)
	return o.net.ns, o.noNS
}

// listening waits until the socket listens.
func (o *order) listening() error {
	o.reached(listening)
	return o.noNet
}

// take returns what there is in the end, and lets the maker go.
func (m *makers) take(o *order) network {
	o.reached(listening)
	n := o.net
	set(&o.step, taken)
	m.mu.Lock()
	m.idle = append(m.idle, o)
	m.mu.Unlock()
	return n
}

// namespaceOf opens the network namespace of a socket (linux/sockios.h, SIOCGSKNS).
func namespaceOf(socket int) (int, error) {
	fd, err := raw(unix.SYS_IOCTL, uintptr(socket), 0x894c, 0)
	if err != nil {
		return -1, fmt.Errorf("network namespace of a socket: %w", err)
	}
	return fd, nil
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
		at := unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}}
		binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&at.Port))[:], uint16(port))
		_, err = raw(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&at)), unsafe.Sizeof(at))
	}
	if err == nil {
		_, err = raw(unix.SYS_LISTEN, uintptr(fd), backlog)
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
	if _, err := raw(unix.SYS_IOCTL, uintptr(socket), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); err != nil {
		return fmt.Errorf("loopback up: %w", err)
	}
	return nil
}
