package launch

import (
	"path/filepath"
	"slices"
	"strings"
)

// findCgroups reads what is mounted where and which cgroup this process is in.
// A sandbox's cgroups go below it, so that limits set on coldstorm hold for what
// it starts.
func findCgroups(mountinfo, self string) map[string]*hierarchy {
	own := map[string]string{}
	for line := range strings.Lines(self) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 {
			for c := range strings.SplitSeq(f[1], ",") { // the empty name is version 2's
				own[c] = f[2]
			}
		}
	}
	found := map[string]*hierarchy{}
	for line := range strings.Lines(mountinfo) {
		m, ok := parseMount(line)
		if !ok {
			continue
		}
		names := []string{""}
		if m.fs == "cgroup" {
			names = strings.Split(m.options, ",")
		}
		var h *hierarchy
		for _, c := range names {
			path, mine := own[c]
			if !mine || found[c] != nil || (c != "" && c != devicesController && !slices.Contains(controllers, c)) {
				continue
			}
			if h == nil {
				h = &hierarchy{v2: m.fs == "cgroup2", top: m.point, dir: below(m, path), fd: -1}
			}
			found[c] = h
		}
	}
	return found
}

type mountLine struct{ root, point, fs, options string }

// parseMount reads a line of /proc/self/mountinfo (proc(5)), if it is a cgroup's.
func parseMount(line string) (mountLine, bool) {
	left, right, ok := strings.Cut(line, " - ")
	l, r := strings.Fields(left), strings.Fields(right)
	if !ok || len(l) < 5 || len(r) < 3 || (r[0] != "cgroup" && r[0] != "cgroup2") {
		return mountLine{}, false
	}
	return mountLine{root: unescape(l[3]), point: unescape(l[4]), fs: r[0], options: r[2]}, true
}

// unescape undoes the octal escapes of mountinfo.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// below is where a cgroup of the hierarchy's is seen through a mount that may
// show only a part of it, as in a container.
func below(m mountLine, cgroup string) string {
	if rel, err := filepath.Rel(m.root, cgroup); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
		return filepath.Join(m.point, rel)
	}
	return m.point
}
