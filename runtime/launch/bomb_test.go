package launch

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// exhaust has a sandbox take all that it can of something, at most limit of it,
// and says how much that was and what stopped it.
func (g *ground) exhaust(t *testing.T, s Spec, args ...string) (n int, why string) {
	t.Helper()
	s.Argv = append([]string{TaskDir + "/bootstrap"}, args...)
	text := g.verdict(t, s)
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatalf("%v: %q", args, text)
	}
	_, why, _ = strings.Cut(text, " ")
	return n, why
}

// TestBombsAreBounded says that what a sandbox can take is bounded without a
// cgroup too.
func TestBombsAreBounded(t *testing.T) {
	const size = 8 << 20
	onEach(t, func(t *testing.T, l *Launcher, g *ground) {
		for _, c := range []struct {
			what  string
			spec  Spec
			try   string
			least int // that it must be given
			most  int
		}{
			{"bytes in /tmp", Spec{TmpBytes: size}, "fill /tmp", size / 2, size},
			{"bytes in shared memory", Spec{}, "fill /dev/shm", shmBytes / 2, shmBytes},
			{"bytes in message queues", Spec{}, "fill /dev/mqueue", 0, 0},
			{"files in /tmp", Spec{TmpBytes: size}, "inodes /tmp", size / bytesPerFile / 2, size / bytesPerFile},
			{"files in the largest /tmp", Spec{TmpBytes: 10 << 30}, "inodes /tmp", 50_000, maxFiles},
			{"files in shared memory", Spec{}, "inodes /dev/shm", shmBytes / bytesPerFile / 2, shmBytes / bytesPerFile},
			{"open files", Spec{}, "files", openFiles / 2, openFiles},
		} {
			most := fmt.Sprint(min(4*c.most+1<<20, 1<<28))
			if n, why := g.exhaust(t, c.spec, append(strings.Fields(c.try), most)...); n < c.least || n > c.most {
				t.Errorf("%s: %d (%s), want %d to %d", c.what, n, why, c.least, c.most)
			}
		}
		if !l.Host().Overlay.OK || !l.Host().Rootless {
			return // a writable root's folders are root's
		}
		s := Spec{TmpBytes: size, Writable: true}
		if n, why := g.exhaust(t, s, "fill", "/var/tmp", "100000000"); n < size/2 || n > size {
			t.Errorf("bytes in a writable root: %d (%s)", n, why)
		}
		if n, why := g.exhaust(t, s, "inodes", "/var/tmp", "1000000"); n < size/bytesPerFile/2 || n > size/bytesPerFile {
			t.Errorf("files in a writable root: %d (%s)", n, why)
		}
	})
}

// TestFilesInMemoryCountAsMemory says that what a sandbox keeps in /tmp and in
// shared memory is charged to its memory limit together with its own.
func TestFilesInMemoryCountAsMemory(t *testing.T) {
	l := limited(t, Config{})
	g := newGround(t, l, Spec{})
	for _, try := range []string{"fill /tmp 268435456", "fill /dev/shm 268435456", "inodes /tmp 400000"} {
		b := run(t, l, Spec{Image: g.spec.Image, MemoryBytes: 32 << 20}, strings.Fields(try)...)
		if x := b.Exit(); !x.OOM || x.Signal != unix.SIGKILL {
			t.Errorf("%s: %+v", try, x)
		}
	}
	if v := g.verdict(t, Spec{MemoryBytes: 32 << 20, Argv: []string{TaskDir + "/bootstrap", "whoami"}}); !strings.HasPrefix(v, "refused: ") {
		t.Errorf("the host after the bombs: %q", v)
	}
}
