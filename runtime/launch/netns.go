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
// inside. It serves one sandbox at a time (see spares). ns is -1 for the host's, and for
// one that its sandbox is born in.
type network struct{ ns, listener int }

// newNetwork makes a network namespace and moves the calling thread, which must be
// locked, into it. It returns the listening socket. made, unless nil, is called as soon
// as the namespace exists, with a socket in it; its error is the end.
func newNetwork(made func(socket int) error) (listener int, err error) {
	if _, err := raw(unix.SYS_UNSHARE, unix.CLONE_NEWNET); err != nil {
		return -1, fmt.Errorf("network namespace: %w", err)
	}
	return listen(APIPort, true, made)
}

// makers make networks for launches that found none ready, and see these launches to
// their end. They are threads of their own so that a network, the dearest part of a cold
// start, is made while its sandbox completes its root. There are as many as were ever
// wanted at once.
//
// Between two networks a maker stands in one that nobody uses (from a user namespace
// there is no way back into the host's). Were it to stay in the last one that it made,
// that would end as the next is made, and its end holds the lock that a new one waits for.
type makers struct {
	home int         // descriptor of that network's namespace
	cpus unix.CPUSet // on which this process may run

	mu   sync.Mutex
	idle []*order
}

// An order is a network that is being made, and what is done with it. It belongs to a
// maker, and is used again once it was taken.
type order struct {
	step   uint32 // how far it is: a futex word
	thread int32  // the maker's id, once it runs
	away   int    // processor that the maker keeps away from; -1: none
	buyer  buyer  // or nil
	net    network
	err    error // what stopped the maker or its buyer
}

// A buyer is told how far its network is, on the maker's thread. An error ends the order.
type buyer interface {
	named(ns int) error    // the namespace exists; the descriptor is the order's
	listens(network) error // so does its socket
}

// The steps of an order.
const (
	taken = iota
	ordered
	done
)

// order asks for a network. It must be taken in the end. Who is alone in launching has it
// made on another processor than the calling thread's, which it keeps for the child that it
// clones: left to itself, the kernel wakes the maker on the same, where it waits.
func (m *makers) order(b buyer, alone bool) *order {
	m.mu.Lock()
	var o *order
	if n := len(m.idle); n > 0 {
		o, m.idle = m.idle[n-1], m.idle[:n-1]
	} else {
		o = &order{away: -1}
		go m.serve(o)
	}
	m.mu.Unlock()
	o.buyer, o.net, o.err = b, network{-1, -1}, nil
	o.place(m.cpus, alone)
	set(&o.step, ordered)
	return o
}

// place has the maker run on another processor than the calling thread, or on any. It is
// no error if it can't.
func (o *order) place(on unix.CPUSet, apart bool) {
	var here uint32
	away := -1
	if apart {
		if _, err := raw(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&here)), 0, 0); err == nil {
			away = int(here)
			on.Clear(away)
		}
	}
	thread := atomic.LoadInt32(&o.thread)
	if thread == 0 || away == o.away || on.Count() == 0 {
		return
	}
	o.away = away
	raw(unix.SYS_SCHED_SETAFFINITY, uintptr(thread), unsafe.Sizeof(on), uintptr(unsafe.Pointer(&on)))
}

// newMakers makes the network in which makers stand.
func newMakers() (*makers, error) {
	m := &makers{home: -1}
	if err := unix.SchedGetaffinity(0, &m.cpus); err != nil {
		return nil, os.NewSyscallError("sched_getaffinity", err)
	}
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

// serve carries out orders on a thread that never ends.
func (m *makers) serve(o *order) {
	runtime.LockOSThread()
	atomic.StoreInt32(&o.thread, int32(unix.Gettid()))
	for {
		waitWhile(&o.step, taken)
		o.err = o.make()
		set(&o.step, done)
		m.leave()
		waitWhile(&o.step, done)
	}
}

func (o *order) make() (err error) {
	o.net.listener, err = newNetwork(func(socket int) (err error) {
		if o.net.ns, err = namespaceOf(socket); err == nil && o.buyer != nil {
			err = o.buyer.named(o.net.ns)
		}
		return err
	})
	if err == nil && o.buyer != nil {
		err = o.buyer.listens(o.net)
	}
	return err
}

// take waits until all is done, and returns what there is of a network and what was wrong.
// It lets the maker go.
func (m *makers) take(o *order) (network, error) {
	waitWhile(&o.step, ordered)
	n, err := o.net, o.err
	o.buyer = nil
	set(&o.step, taken)
	m.mu.Lock()
	m.idle = append(m.idle, o)
	m.mu.Unlock()
	return n, err
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
// before that; its error is the end.
func listen(port int, fresh bool, made func(socket int) error) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if made != nil {
		if err := made(fd); err != nil {
			unix.Close(fd)
			return -1, err
		}
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
