package engine

import (
	"testing"
	"time"
)

func TestFoldersOfCgroups(t *testing.T) {
	const v1 = "33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	const v2 = "40 31 0:40 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
	const nested = "33 31 0:30 /docker/abc /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n"
	tests := []struct{ rule, mounts, controller, cgroups, want string }{
		{"version 1", v1, "cpuacct", "2:cpu,cpuacct:/coldstorm-1/s1\n0::/\n", "/sys/fs/cgroup/cpuacct/coldstorm-1/s1"},
		{"version 2", v1 + v2, "", "2:cpuacct:/a\n0::/coldstorm-1/s1\n", "/sys/fs/cgroup/coldstorm-1/s1"},
		{"a colon in the name", v2, "", "0::/a:b\n", "/sys/fs/cgroup/a:b"},
		{"a mount of a part", nested, "cpuacct", "2:cpuacct:/docker/abc/s1\n", "/sys/fs/cgroup/cpuacct/s1"},
		{"outside of that part", nested, "cpuacct", "2:cpuacct:/other\n", ""},
		{"not mounted", v2, "cpuacct", "2:cpuacct:/a\n", ""},
		{"no line of it", v1, "cpuacct", "0::/\n", ""},
		{"nonsense", "a - b\n - \n", "cpuacct", "::\n", ""},
	}
	for _, tt := range tests {
		h := parseHierarchy(tt.mounts, tt.controller)
		got := ""
		if h.mount != "" {
			got, _ = h.parse(tt.cgroups)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.rule, got, tt.want)
		}
	}
}

func TestParseCPU(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"1234567\n": 1234567, "usage_usec 12\nuser_usec 3\n": 12 * time.Microsecond, "": 0,
	} {
		if got := parseCPU([]byte(in)); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestParseRefused(t *testing.T) {
	for in, want := range map[string]int64{"max 0\n": 0, "max 27\n": 27, "low 3\n": 0, "": 0} {
		if got := parseRefused([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
