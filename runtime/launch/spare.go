package launch

import (
	"bytes"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// spares are network namespaces of pooled sandboxes that have ended, for the pool to fill
// itself with: to make one and to destroy it takes the kernel longer than all else that a
// sandbox is made of, and it does the latter in threads that it doesn't preempt. One
// is used again only for the image that it was used for, and only with no socket left in
// it; what stays are the kernel's counters, such as loopback's, which nothing in a sandbox
// could set. What it remembers beyond connections' ends, it is told not to (forgetful).
type spares struct {
	most int // descriptors in all, of living sandboxes too: every clone copies them

	mu   sync.Mutex
	list []spare // oldest first
	held int     // descriptors
}

// A spare's zero value is none.
type spare struct {
	room string // roomKey of the sandboxes that it is for
	ns   int    // descriptor
}

// hold returns what a sandbox that is born in a new network leaves behind. Where there are
// too many that is nothing, unless one waits to be used that can be ended.
func (s *spares) hold(x spare) spare {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.held < s.most:
		s.held++
	case len(s.list) > 0:
		closeAll(s.list[0].ns)
		s.list = s.list[1:]
	default:
		closeAll(x.ns)
		return spare{}
	}
	return x
}

// keep takes what a dead sandbox leaves.
func (s *spares) keep(x spare) {
	if x.room == "" {
		return
	}
	s.mu.Lock()
	s.list = append(s.list, x)
	s.mu.Unlock()
}

// waiting is how many there are to be used again.
func (s *spares) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list)
}

// drop ends one that was taken.
func (s *spares) drop(ns int) {
	closeAll(ns)
	s.mu.Lock()
	s.held--
	s.mu.Unlock()
}

// take returns the oldest that is for a room, or -1.
func (s *spares) take(room string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, x := range s.list {
		if x.room == room {
			s.list = append(s.list[:i], s.list[i+1:]...)
			return x.ns
		}
	}
	return -1
}

// reuse moves the calling thread, which must be locked, into a spare network of the
// room's and listens there; ns is -1 if there is none that is unused.
func (d *daemon) reuse(room string) (n network) {
	for {
		ns := d.spares.take(room)
		if ns < 0 {
			return network{-1, -1}
		}
		if _, err := raw(unix.SYS_SETNS, uintptr(ns), unix.CLONE_NEWNET); err == nil && d.st.unused() {
			if l, err := listen(APIPort, false, nil); err == nil {
				return network{ns, l}
			}
		}
		d.spares.drop(ns)
	}
}

// unused says whether no socket is left in the calling thread's network, not even one of a
// connection that was closed (TIME_WAIT).
func (st *stage) unused() bool {
	fd, err := openAt(st.proc, "thread-self/net/sockstat", unix.O_RDONLY)
	if err != nil {
		return false
	}
	defer closeAll(fd)
	var buf [1024]byte
	n, err := unix.Read(fd, buf[:])
	return err == nil && bytes.HasPrefix(buf[:n], []byte("sockets: used 0\nTCP: inuse 0 ")) && bytes.Contains(buf[:n], []byte(" tw 0 "))
}

// forgetful are the settings of a network by which connections in it leave nothing when
// they were closed: no TIME_WAIT, and no record by address of how fast they were, by which
// the next sandbox's would begin (kernel: ip-sysctl).
var forgetful = [][2]string{{"tcp_max_tw_buckets", "0"}, {"tcp_no_metrics_save", "1"}}

// freshNetwork is newNetwork for one that may be used again: the namespace's
// descriptor is returned too. It is forgetful where the kernel lets it be set.
func (st *stage) freshNetwork() (n network, err error) {
	n.ns = -1
	n.listener, err = newNetwork(func(socket int) (err error) {
		n.ns, err = namespaceOf(socket)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("network to be used again: %w", err)
	}
	for _, f := range forgetful {
		if fd, err := openAt(st.proc, "sys/net/ipv4/"+f[0], unix.O_WRONLY); err == nil {
			unix.Write(fd, []byte(f[1]))
			closeAll(fd)
		}
	}
	return n, nil
}
