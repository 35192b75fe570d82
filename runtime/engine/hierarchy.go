package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hierarchy finds folders of one cgroup controller. Its zero value finds none.
type hierarchy struct {
	controller string // "" is version 2
	mount      string // where it is mounted
	root       string // which part of it is
}

// findHierarchy looks for the controller's version 1 hierarchy, or for version
// 2's if controller is empty (proc(5), mountinfo).
func findHierarchy(controller string) hierarchy {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return hierarchy{}
	}
	return parseHierarchy(string(b), controller)
}

func parseHierarchy(mountinfo, controller string) hierarchy {
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if !ok || len(l) < 5 || len(r) < 3 {
			continue
		}
		v2 := r[0] == "cgroup2" && controller == ""
		v1 := r[0] == "cgroup" && controller != "" && slices.Contains(strings.Split(r[2], ","), controller)
		if v1 || v2 {
			return hierarchy{controller: controller, mount: l[4], root: l[3]}
		}
	}
	return hierarchy{}
}

var errNoCgroup = errors.New("no such cgroup")

// folder is a process's, as /proc/PID/cgroup tells it.
func (h hierarchy) folder(pid string) (string, error) {
	if h.mount == "" {
		return "", errNoCgroup
	}
	b, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return "", err
	}
	return h.parse(string(b))
}

func (h hierarchy) parse(cgroups string) (string, error) {
	for line := range strings.Lines(cgroups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || !slices.Contains(strings.Split(parts[1], ","), h.controller) {
			continue
		}
		rest, ok := strings.CutPrefix(parts[2], strings.TrimSuffix(h.root, "/"))
		if !ok {
			return "", fmt.Errorf("cgroup %s isn't below %s", parts[2], h.root)
		}
		return filepath.Join(h.mount, rest), nil
	}
	return "", errNoCgroup
}

// choose returns the name of a file in version 1 or in version 2.
func (h hierarchy) choose(v1, v2 string) string {
	if h.controller == "" {
		return v2
	}
	return v1
}
