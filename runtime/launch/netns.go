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
// locked, into it. It returns the listening socket.
func newNetwork() (listener int, err error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	return listen(APIPort, true)
}

// makers make networks for launches that found none ready, each on a thread that
// stays in the last one it made: from a user namespace there is no way back into the
// host's. They are threads of their own so that a network, the dearest part of a cold
// start, is made while its sandbox mounts its root.
type makers chan chan<- made

type made struct {
	net network
	err error
}

// order asks for a network. The answer must be taken.
func (m makers) order() <-chan made {
	ch := make(chan made, 1)
	m <- ch
	return ch
}

func (m makers) serve() {
	runtime.LockOSThread()
	for ch := range m {
		n, err := network{ns: -1, listener: -1}, error(nil)
		if n.listener, err = newNetwork(); err == nil {
			n.ns, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			n.close()
			n = network{-1, -1}
		}
		ch <- made{n, err}
	}
}

// listen makes a listening socket in the calling thread's network namespace, where
// it brings loopback up first if fresh.
func listen(port int, fresh bool) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
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
