package launch

import (
	"context"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// niceOf is a process's nice value.
func niceOf(t *testing.T, pid int) string {
	t.Helper()
	f := stat(pid)
	if len(f) < 17 {
		t.Fatalf("process %d is gone", pid)
	}
	return f[16]
}

// What was ready is run at the priority that it would have been started with, whether or
// not that of the thread that made it ready could be taken back.
func TestPriorityOfWhatWasReady(t *testing.T) {
	for _, c := range []struct {
		mode string
		make func(l *Launcher, s Spec) error
	}{
		{ModePooled, (*Launcher).Fill},
		{ModeParked, func(l *Launcher, s Spec) error { return l.Park(s, 1) }},
	} {
		for _, rootless := range []bool{false, true} {
			t.Run(fmt.Sprint(c.mode, " rootless ", rootless), func(t *testing.T) {
				l, s := start(t, Config{Pool: 1, Rootless: rootless}), Spec{Image: firstImage(t)}
				if err := c.make(l, s); err != nil {
					t.Fatal(err)
				}
				b, err := l.Launch(context.Background(), s)
				if err != nil {
					t.Fatal(err)
				}
				defer b.Close()
				defer b.Stop()
				if got, want := niceOf(t, b.PID), niceOf(t, os.Getpid()); b.Mode != c.mode || got != want {
					t.Errorf("%s at nice %s, want %s at %s", b.Mode, got, c.mode, want)
				}
			})
		}
	}
}

// One that is killed before it has become its program was not started.
func TestKilledBeforeItsProgram(t *testing.T) {
	l, s := start(t, Config{}), Spec{Image: firstImage(t)}
	if err := l.Park(s, 1); err != nil {
		t.Fatal(err)
	}
	waiting := children(l.pid)
	if len(waiting) != 1 {
		t.Fatalf("%d children of the launcher's process, want 1", len(waiting))
	}
	unix.Kill(waiting[0], unix.SIGSTOP)
	b, err := l.launch(context.Background(), s, func(b *Sandbox) {
		if b.PID != waiting[0] {
			t.Errorf("process %d, want %d", b.PID, waiting[0])
		}
		unix.Kill(waiting[0], unix.SIGKILL)
	})
	if err == nil {
		t.Errorf("started at %d", b.Stamps.Running())
		b.Close()
	}
}
