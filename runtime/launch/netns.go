package launch

import (
	"fmt"
	"os"
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
// inside. It serves one sandbox and is thrown away. ns is -1 for the host's.
type network struct{ ns, listener int }

func (n network) close() {
	for _, fd := range []int{n.ns, n.listener} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// newNetwork makes a network. It leaves the calling thread, which must be
// locked, in the new namespace.
func newNetwork() (network, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return network{}, fmt.Errorf("network namespace: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return network{}, fmt.Errorf("loopback up: %w", err)
	}
	l, err := listen(APIPort)
	if err != nil {
		return network{}, err
	}
	ns, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(l)
		return network{}, fmt.Errorf("network namespace: %w", err)
	}
	return network{ns: ns, listener: l}, nil
}

// loopbackUp sets IFF_UP on lo in the calling thread's network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var req struct { // struct ifreq
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "lo")
	req.flags = unix.IFF_UP | unix.IFF_RUNNING
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}

// listen makes a listening socket in the calling thread's network namespace.
func listen(port int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("listen on 127.0.0.1:%d: %w", port, err)
	}
	return fd, nil
}
