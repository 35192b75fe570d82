package launch

import (
	"path/filepath"
	"strings"
)

// quirks are what one OCI runtime needs that the others don't.
type quirks struct {
	flags    []string // before the verb
	rootless []string // the same, in a user namespace

	// noCgroups hides all cgroups from it in a user namespace, where they are
	// else read-only.
	noCgroups bool

	// joins puts the runtime itself into the sandbox's cgroups, with all that it
	// starts, rather than leaving it to put the program there.
	joins bool

	// openDev leaves /dev a writable mount, of root's.
	openDev bool
}

// quirkTable is by the program's name; a version's suffix is looked past.
var quirkTable = map[string]quirks{
	"crun": {
		// A user's sandboxes have no cgroups, and crun wants some unless it is told;
		// and it refuses the hybrid layout even so, if it sees it.
		rootless: []string{"--cgroup-manager=disabled"}, noCgroups: true,
	},
	"runsc": {
		// Its own network stack would not reach the Runtime API's socket, which is
		// the kernel's: "host" is the network namespace that it is given, no other.
		// Its cgroup code wants hierarchies that sandboxes are not in (cpuset), and
		// its kernel, which runs outside of the program, is to be counted as well.
		flags: []string{"--network=host", "--ignore-cgroups"},
		joins: true,
		// On a read-only /dev its devices can't be written to.
		openDev: true,
	},
}

func quirksOf(name string) quirks {
	for known, q := range quirkTable {
		if name == known || strings.HasPrefix(name, known+"-") {
			return q
		}
	}
	return quirks{}
}

// unsupported says why a program that is known by its name can't be a launcher,
// or "".
func unsupported(program string) string {
	name := filepath.Base(program)
	if strings.HasPrefix(name, "kata") || strings.Contains(name, "-kata-") {
		return "kata's guest is reached through a network device (veth), and a sandbox's network here is loopback alone"
	}
	return ""
}
