package launch

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"coldstorm/results"
)

// BenchmarkFirst is the time from the ask to the program's first instruction,
// for each mode; bare is fork and exec of the same program by the Go library.
func BenchmarkFirst(b *testing.B) {
	for _, c := range []struct {
		name   string
		config Config
	}{{"cold", Config{}}, {"pooled", Config{Pool: 16}}, {"rootless", Config{Rootless: true}}, {"rootless-pooled", Config{Rootless: true, Pool: 16}}} {
		b.Run(c.name, func(b *testing.B) {
			l, img := start(b, c.config), firstImage(b)
			var total, setup, sandbox, rootfs, exec []time.Duration
			for range b.N {
				st, first, _, err := l.First(context.Background(), Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1})
				if err != nil {
					b.Fatal(err)
				}
				total = append(total, first.Sub(st.Ask))
				setup = append(setup, st.Cloned.Sub(st.Ask))
				sandbox = append(sandbox, st.Ready.Sub(st.Cloned))
				rootfs = append(rootfs, st.Rootfs.Sub(st.Ready))
				exec = append(exec, first.Sub(st.Rootfs))
			}
			for name, list := range map[string][]time.Duration{"p50-total": total, "p50-to-clone": setup, "p50-join": sandbox, "p50-rootfs": rootfs, "p50-secure+exec": exec} {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-µs")
			}
		})
	}
	b.Run("bare", func(b *testing.B) {
		path := firstImage(b).Layers[0] + "/var/task/bootstrap"
		var total []time.Duration
		for range b.N {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			cmd := exec.Command(path)
			cmd.Stdout = w
			ask := results.Now()
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			r.Read(make([]byte, 1))
			total = append(total, results.Now().Sub(ask))
			cmd.Process.Kill()
			cmd.Wait()
			r.Close()
			w.Close()
		}
		slices.Sort(total)
		b.ReportMetric(float64(total[len(total)/2].Microseconds()), "p50-total-µs")
	})
}
