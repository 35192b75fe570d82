package launch

import (
	"slices"
	"strings"
	"testing"
)

// TestMissing says that a person hears of what matters.
func TestMissing(t *testing.T) {
	ok, no := Part{OK: true}, Part{Reason: "why", Hint: "do"}
	all := Host{UserNS: ok, Overlay: ok, Seccomp: ok, NetNS: ok, Memory: ok, Peak: ok, CPU: ok, Pids: ok, Freezer: ok, Devices: ok, Kill: ok}
	for _, c := range []struct {
		rule string
		host func(Host) Host
		want []string // begins of sentences
	}{
		{"nothing", func(h Host) Host { return h }, nil},
		{"root needs no user namespace", func(h Host) Host { h.UserNS = no; return h }, nil},
		{"an ordinary user does", func(h Host) Host { h.UserNS, h.Rootless = no, true; return h }, []string{"user namespaces: why; nothing can be launched without root"}},
		{"each limit is one", func(h Host) Host { h.CPU, h.Pids = no, no; return h }, []string{"CPU limit: why; every", "pids limit: why; processes are unlimited"}},
		{"no peak without memory is one thing", func(h Host) Host { h.Memory, h.Peak = no, no; return h }, []string{"memory limit: why"}},
		{"a peak alone is told", func(h Host) Host { h.Peak = no; return h }, []string{"peak memory: why"}},
		{"devices are told to who can do something about them", func(h Host) Host { h.Devices = no; return h }, []string{"devices: why; sandboxes are kept"}},
		{"nobody can without root", func(h Host) Host { h.Devices, h.Rootless = no, true; return h }, nil},
		{"what only makes cleaning slower isn't", func(h Host) Host { h.Kill = no; return h }, nil},
	} {
		got := c.host(all).Missing()
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: %q", c.rule, got)
		}
	}
}

func TestHostRuns(t *testing.T) {
	ok := Part{OK: true}
	for _, c := range []struct {
		rule string
		host Host
		want bool
	}{
		{"root without user namespaces", Host{Seccomp: ok, NetNS: ok}, true},
		{"an ordinary user without", Host{Seccomp: ok, NetNS: ok, Rootless: true}, false},
		{"an ordinary user", Host{Seccomp: ok, NetNS: ok, UserNS: ok, Rootless: true}, true},
		{"without seccomp", Host{NetNS: ok}, false},
	} {
		if c.host.Runs() != c.want {
			t.Errorf("%s: %v", c.rule, !c.want)
		}
	}
}
