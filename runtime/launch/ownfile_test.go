package launch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTimersOfTheDaemon says that each thread of the launcher's process has its timer
// slack, also where its program was on a read-only mount from the beginning.
func TestTimersOfTheDaemon(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a mount needs root, and so does another's timer slack")
	}
	dir := t.TempDir()
	if err := unix.Mount("coldstorm-test", dir, "tmpfs", 0, ""); err != nil {
		skip(t, "mount: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	exe := filepath.Join(dir, "launch.test")
	if out, err := exec.Command("cp", fmt.Sprintf("/proc/%d/exe", os.Getpid()), exe).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, exe string }{{"on a writable mount", ""}, {"on a read-only mount", exe}} {
		t.Run(c.name, func(t *testing.T) {
			l := start(t, Config{Exe: c.exe})
			threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", l.pid))
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for _, thread := range threads {
				text, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
				if err != nil {
					continue // it has ended
				}
				seen++
				if got := strings.TrimSpace(string(text)); got != strconv.Itoa(timerSlack) {
					t.Errorf("thread %s: %s ns, want %d", thread.Name(), got, timerSlack)
				}
			}
			if seen == 0 {
				t.Error("of no thread it is known")
			}
		})
	}
}
