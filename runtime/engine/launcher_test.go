package engine

import (
	"os"
	"strings"
	"testing"

	"coldstorm/results"
	"coldstorm/runtime/launch"
)

// TestOtherLaunchers serves a function, cold and warm, frozen in between, by each
// of the launchers that can take the builtin one's place.
func TestOtherLaunchers(t *testing.T) {
	for _, name := range []string{launch.RuntimeProcess, "oci:runc", "oci:crun", "oci:runsc"} {
		t.Run(name, func(t *testing.T) {
			if _, err := launch.ParseRuntime(name); err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skipf("%v (make deps)", err)
			}
			e := begin(t, Config{Runtime: name, Pool: 2})
			if got := e.Host().Launcher; !strings.HasPrefix(got, name[:4]) || (e.Host().Version == "") != (name == launch.RuntimeProcess) {
				t.Errorf("launcher %q, version %q", got, e.Host().Version)
			}
			deploy(t, e, Function{MemoryMB: 512, Env: map[string]string{"MINE": "1"}})
			cold, warm := send(t, e, `"environ"`), send(t, e, `{"a":1}`)
			if cold.status != 200 || !strings.Contains(cold.body, "MINE=1") || warm.body != `{"a":1}` {
				t.Fatalf("%+v\n%+v", cold, warm)
			}
			c, w := cold.evidence, warm.evidence
			if c.Start != results.StartCold || w.Start != results.StartWarm || w.Served != 1 {
				t.Errorf("evidence %+v\n%+v", c, w)
			}
			sums(t, c)
			sums(t, w)
			moments(t, c)
			if c.Phases.Sandbox <= 0 || c.Phases.Rootfs != 0 {
				t.Errorf("phases %+v", c.Phases)
			}
			if err := e.Discard(); err != nil {
				t.Error(err)
			}
		})
	}
}
