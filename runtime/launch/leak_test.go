package launch

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

// Starts leave nothing behind: no descriptor, process, thread, mount, namespace or cgroup
// in either process, and no memory that grows with them.
func TestStartsLeaveNothing(t *testing.T) {
	const warm, starts, atOnce = 100, 400, 8
	for _, c := range []struct {
		name   string
		config Config
		argv   []string
		no     bool // its program can't be executed
	}{
		{"cold", Config{}, nil, false},
		{"pooled", Config{Pool: 4}, nil, false},
		{"rootless", Config{Rootless: true, Pool: 4}, nil, false},
		{"refused", Config{Pool: 4}, []string{TaskDir + "/absent"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := start(t, c.config)
			spec := Spec{Image: firstImage(t), MemoryBytes: 64 << 20, Argv: c.argv}
			burst := func(n int) Footprint {
				t.Helper()
				starts := make(chan int)
				var all sync.WaitGroup
				for range atOnce {
					all.Go(func() {
						for i := range starts {
							s := spec
							s.ID = fmt.Sprint("leak-", i)
							if _, _, _, err := l.First(context.Background(), s); (err != nil) != c.no {
								t.Error("start: ", err)
							}
						}
					})
				}
				for i := range n {
					starts <- i
				}
				close(starts)
				all.Wait()
				if err := l.Fill(spec); err != nil {
					t.Fatal(err)
				}
				f, err := l.Footprint()
				if err != nil {
					t.Fatal(err)
				}
				return f
			}
			before := burst(warm)
			after := burst(starts)
			t.Logf("after %d starts: %+v", warm, before)
			t.Logf("after %d more: %+v", starts, after)
			if after.Daemon.Descriptors == 0 || after.Daemon.Heap == 0 || after.Client.Threads == 0 {
				t.Error("a footprint of nothing")
			}
			if after.Sandboxes != c.config.Pool || after.Processes != c.config.Pool {
				t.Errorf("%d sandboxes and %d processes are left, %d are to wait in the pool", after.Sandboxes, after.Processes, c.config.Pool)
			}
			for _, p := range []struct {
				name          string
				before, after int
				slack         int // what a Go process may take in its time, far below one a start
			}{
				{"cgroups", before.Cgroups, after.Cgroups, 0},
				{"descriptors of the client", before.Client.Descriptors, after.Client.Descriptors, 0},
				{"descriptors of the daemon", before.Daemon.Descriptors, after.Daemon.Descriptors, 0},
				{"mounts of the client", before.Client.Mounts, after.Client.Mounts, 0},
				{"mounts of the daemon", before.Daemon.Mounts, after.Daemon.Mounts, 0},
				{"namespaces of the client", before.Client.Namespaces, after.Client.Namespaces, 0},
				{"namespaces of the daemon", before.Daemon.Namespaces, after.Daemon.Namespaces, 0},
				{"threads of the client", before.Client.Threads, after.Client.Threads, starts / 10},
				{"threads of the daemon", before.Daemon.Threads, after.Daemon.Threads, starts / 10},
				{"heap of the client, in KiB", int(before.Client.Heap >> 10), int(after.Client.Heap >> 10), starts / 4}, // 256 bytes a start
				{"heap of the daemon, in KiB", int(before.Daemon.Heap >> 10), int(after.Daemon.Heap >> 10), starts / 4},
			} {
				if p.after > p.before+p.slack {
					t.Errorf("%s: %d, and %d after %d more starts", p.name, p.before, p.after, starts)
				}
			}
		})
	}
}
