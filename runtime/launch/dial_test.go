package launch

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A sandbox that ends while a socket is made in its network may have left that to another
// by then: the client must not reach the other.
func TestNoSocketOfASandboxThatEnded(t *testing.T) {
	b := &box{id: 1, pid: os.Getpid()}
	d := &daemon{visits: make(visits), pids: map[int]*box{b.pid: b}}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	go func() {
		ask := <-d.visits
		d.mu.Lock()
		delete(d.pids, b.pid)
		d.mu.Unlock()
		ask.answer <- visited{pair[0], nil}
	}()
	if fd, err := d.socket(b); !errors.Is(err, errGone) {
		t.Errorf("%d, %v; want %v", fd, err, errGone)
	}
	if n, _, err := unix.Recvfrom(pair[1], make([]byte, 1), unix.MSG_DONTWAIT); n != 0 || err != nil {
		t.Errorf("the socket is open: %v", err)
	}
}
