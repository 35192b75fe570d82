package launch

import (
	"context"
	"fmt"
	"os"
	"testing"
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
