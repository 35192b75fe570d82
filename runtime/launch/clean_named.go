package launch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// EndNamed ends the processes in cgroups whose names begin with prefix, at the top of every
// tree, also of those without a controller that a sandbox wants, and removes the cgroups. It
// is for what an OCI runtime made there, by names that its caller chose, and then lost sight
// of: a runtime that is killed before it has written its state knows nothing of its container
// any more.
func EndNamed(prefix string) error {
	if prefix == "" {
		return errors.New("no name of cgroups to end")
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var found []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(mountinfo)) {
		m, ok := parseMount(line)
		if !ok || seen[m.point] {
			continue
		}
		seen[m.point] = true
		for _, dir := range foldersIn(m.point) {
			if strings.HasPrefix(filepath.Base(dir), prefix) {
				found = append(found, dir)
			}
		}
	}
	for _, dir := range found {
		killAll(dir)
	}
	_, err = (&deadRuns{dirs: found}).remove()
	return err
}
