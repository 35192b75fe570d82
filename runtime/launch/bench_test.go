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
		park   int
	}{
		{"cold", Config{}, 0}, {"pooled", Config{Pool: 2}, 0}, {"parked", Config{}, 2}, {"lean-cold", Config{Profile: ProfileLean}, 0}, {"lean-pooled", Config{Profile: ProfileLean, Pool: 2}, 0},
		{"rootless-cold", Config{Rootless: true}, 0}, {"rootless-pooled", Config{Rootless: true, Pool: 2}, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			l, img := start(b, c.config), firstImage(b)
			if c.park > 0 {
				if err := l.Park(Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1}, c.park); err != nil {
					b.Fatal(err)
				}
			}
			var total, setup, rootfs, join, secure, exec []time.Duration
			for range b.N {
				if err := l.Fill(Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1}); err != nil {
					b.Fatal(err)
				}
				st, first, _, err := l.First(context.Background(), Spec{Image: img, MemoryBytes: 128 << 20, CPUs: 1})
				if err != nil {
					b.Fatal(err)
				}
				total = append(total, first.Sub(st.Ask))
				setup = append(setup, st.Cloned.Sub(st.Ask))
				rootfs = append(rootfs, st.Rootfs.Sub(st.Cloned))
				join = append(join, st.Joined.Sub(st.Rootfs))
				secure = append(secure, st.Exec.Sub(max(st.Joined, st.Rootfs)))
				exec = append(exec, first.Sub(st.Exec))
			}
			for name, list := range map[string][]time.Duration{"0-total": total, "1-to-clone": setup, "3-rootfs": rootfs, "4-join": join, "5-secure": secure, "6-exec": exec} {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-µs")
			}
			b.Logf("total min %v p10 %v", total[0], total[len(total)/10])
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
		b.ReportMetric(float64(total[len(total)/2].Microseconds()), "total-µs")
	})
}
