package launch

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDaemonDiesAsItFreezes kills the launcher's process while it is asked to freeze a
// sandbox: who asked hears so, and so does who waits for the sandbox.
func TestDaemonDiesAsItFreezes(t *testing.T) {
	l, err := Start(Config{Runtime: RuntimeProcess}) // which has no freezer's cgroup: the process is asked
	if err != nil {
		t.Fatal(err)
	}
	b := run(t, l, Spec{}, "sleep")
	unix.Kill(l.pid, unix.SIGSTOP)                                                               // so that it does not answer
	if err := unix.Waitid(unix.P_PID, l.pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil { // until all its threads have
		t.Fatal(err)
	}
	froze := make(chan error)
	go func() { froze <- b.Freeze() }()
	for asked := false; !asked; runtime.Gosched() {
		l.mu.Lock()
		asked = len(l.pending) > 0
		l.mu.Unlock()
	}
	unix.Kill(l.pid, unix.SIGKILL)
	if err := <-froze; !errors.Is(err, ErrClosed) {
		t.Errorf("freeze: %v, want %v", err, ErrClosed)
	}
	if x := b.Exit(); x.Signal != unix.SIGKILL {
		t.Errorf("exit: %v", x)
	}
	if err := l.Close(); err != nil {
		t.Error("close: ", err)
	}
}

// A client that dies while its launcher's process makes itself ready never hears of that.
// The process removes what it has made all the same.
func TestClientThatGoesBeforeTheAnswer(t *testing.T) {
	l := &Launcher{exited: make(chan struct{}), boxes: map[int64]*Sandbox{}, pending: map[int64]chan controlAnswer{}}
	c := Config{Pool: 1}
	if err := l.spawn(c); err != nil {
		t.Fatal(err)
	}
	if err := l.configure(c); err != nil {
		t.Error(err)
	}
	l.abandon()
	if left := ourCgroups(t, l.pid); l.waitErr != nil || len(left) > 0 {
		t.Errorf("%v; cgroups left: %v", l.waitErr, left)
	}
}
