package engine

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestMeterOfVersion2 reads folders that look like version 2 cgroups, of kernels
// with memory.peak and before.
func TestMeterOfVersion2(t *testing.T) {
	for _, c := range []struct {
		rule  string
		files map[string]string
		peak  int64
	}{
		{"with memory.peak", map[string]string{"memory.peak": "4096\n", "memory.current": "1\n"}, 4096},
		{"without, it is what is used now", map[string]string{"memory.current": "8192\n"}, 8192},
	} {
		top := t.TempDir()
		dir := filepath.Join(top, "user.slice/coldstorm-7-x-Ly/s1")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		c.files["cpu.stat"], c.files["pids.events"] = "usage_usec 12\nuser_usec 3\n", "max 2\n"
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		v2 := hierarchy{mount: top, root: "/"}
		m, ok := meters{v2, v2, v2}.openIn([]byte("0::/user.slice/coldstorm-7-x-Ly/s1\n"))
		if !ok {
			t.Errorf("%s: not opened", c.rule)
			continue
		}
		u, err := m.read()
		if err != nil || u.CPU != 12*time.Microsecond || u.PeakMemory != c.peak || !m.crowded() {
			t.Errorf("%s: %+v, %v, crowded %v", c.rule, u, err, m.crowded())
		}
		m.close()
	}
}
