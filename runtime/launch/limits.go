package launch

import (
	"errors"

	"golang.org/x/sys/unix"
)

// limits are what a Spec asks of its cgroups.
type limits struct {
	memory int64
	cpus   float64
	pids   int
}

func limitsOf(s *Spec) limits { return limits{s.MemoryBytes, s.CPUs, s.Pids} }

// prepare makes a sandbox's cgroups, with the limits of s. Nothing is left of them if it
// can't.
func (g *cgroups) prepare(name string, s *Spec) error {
	if err := g.make(name); err != nil {
		return err
	}
	err := g.limit(name, s)
	if err != nil {
		g.remove(name)
	}
	return err
}

// relimit sets the limits of s on cgroups that may have others. They hold nothing
// that a lower limit could find too large.
func (g *cgroups) relimit(name string, s *Spec) error {
	if h := g.at["memory"]; h != nil {
		files := [][2]string{{"/memory.memsw.limit_in_bytes", "-1"}, {"/memory.limit_in_bytes", "-1"}}
		if h.v2 {
			files = [][2]string{{"/memory.max", "max"}}
			if s.MemoryBytes == 0 { // what comes with a limit goes with it
				files = append(files, [2]string{"/memory.swap.max", "max"}, [2]string{"/memory.oom.group", "0"})
			}
		}
		for _, f := range files {
			if err := h.write(name+f[0], f[1]); err != nil && !errors.Is(err, unix.ENOENT) {
				return err
			}
		}
	}
	if s.CPUs == 0 {
		if err := g.setCPU(name, 0); err != nil {
			return err
		}
	}
	return g.limit(name, s)
}

// birthplace opens the version 2 cgroup for a child to be born in; -1 without one.
func (g *cgroups) birthplace(name string) (int, error) {
	if g.v2 == nil {
		return -1, nil
	}
	return openAt(g.v2.fd, name, unix.O_DIRECTORY)
}
