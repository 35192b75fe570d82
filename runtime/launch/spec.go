package launch

import (
	"fmt"
	"strings"

	"coldstorm/runtime/image"
)

// Defaults and fixed limits of a sandbox, as Lambda sets them.
const (
	DefaultTmpBytes = 512 << 20 // ephemeral storage (AWS Lambda quotas)
	DefaultPids     = 1024      // processes and threads (AWS Lambda quotas)
	openFiles       = 1024      // file descriptors (AWS Lambda quotas)
)

// CPUPeriod is the period of a CPU quota.
const cpuPeriodUS = 20_000

// A Spec says what to launch and in how much room.
type Spec struct {
	ID    string      // hostname, and name in messages; unique among those alive if the caller wants it so
	Image image.Image // root filesystem

	Argv []string // program and arguments, the program's path as seen inside; nil is the image's own
	Env  []string // NAME=value
	Dir  string   // working directory; empty is the image's own, or TaskDir

	MemoryBytes int64   // limit, swap included, of MinMemory at least; 0 is none
	CPUs        float64 // share of processors as a number of them; 0, or as many as the host has, is no limit
	Pids        int     // processes and threads; 0 is DefaultPids
	TmpBytes    int64   // size of /tmp (and of the upper layer, if Writable); 0 is DefaultTmpBytes

	Node string // whose cgroups those of the sandbox are made in (see StartNode); empty is none

	Writable bool    // the root accepts writes, kept in memory and lost at the end; a Lambda environment's is read-only but for /tmp
	Network  Network // the zero value is loopback alone
}

// MinMemory is the least memory limit, in bytes. A child shares the daemon's memory until
// execve: were a smaller one exceeded by what that takes, the kernel would kill both.
const MinMemory = 1 << 20

// Network says what a sandbox can reach.
type Network string

const (
	NetworkNone Network = ""     // a namespace of its own with loopback alone
	NetworkHost Network = "host" // the host's
)

// Profile says how much of the kernel sandboxes see. What isolates them is the same.
type Profile string

const (
	ProfileFull Profile = ""     // /proc, /sys and /dev as runc mounts them
	ProfileLean Profile = "lean" // /proc shows processes alone, /dev has no pts and no mqueue, /sys is empty
)

func (s Spec) dir() string {
	switch {
	case s.Dir != "":
		return s.Dir
	case s.Image.Dir != "":
		return s.Image.Dir
	}
	return TaskDir
}

// hostname is the ID within the 64 bytes that Linux allows.
func (s Spec) hostname() string {
	if s.ID == "" {
		return "localhost"
	}
	return s.ID[:min(len(s.ID), 63)]
}

// check fills in defaults and refuses what can't be launched.
func (s *Spec) check() error {
	if len(s.Argv) == 0 {
		s.Argv = s.Image.Argv
	}
	if s.Pids == 0 {
		s.Pids = DefaultPids
	}
	if s.TmpBytes == 0 {
		s.TmpBytes = DefaultTmpBytes
	}
	switch {
	case len(s.Argv) == 0 || s.Argv[0] == "":
		return fmt.Errorf("no program to run")
	case len(s.Image.Layers) == 0:
		return fmt.Errorf("image without layers")
	case s.MemoryBytes < 0 || s.CPUs < 0 || s.Pids < 0 || s.TmpBytes < 0:
		return fmt.Errorf("negative limit")
	case s.MemoryBytes > 0 && s.MemoryBytes < MinMemory:
		return fmt.Errorf("memory limit of %d bytes: the least is %d", s.MemoryBytes, MinMemory)
	case s.Node != "" && checkNode(s.Node) != nil:
		return checkNode(s.Node)
	case s.Network != NetworkNone && s.Network != NetworkHost:
		return fmt.Errorf("unknown network %q: want none (empty) or host", s.Network)
	}
	for _, list := range [][]string{s.Argv, s.Env, s.Image.Layers, {s.ID, s.dir()}} {
		for _, str := range list {
			if strings.ContainsRune(str, 0) {
				return fmt.Errorf("NUL byte in %q", str)
			}
		}
	}
	return nil
}

// canWait is check for what is to be ready before it is asked for.
func (s *Spec) canWait() error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Writable || s.Network != NetworkNone || s.Node != "" {
		return fmt.Errorf("a sandbox with a writable root, the host's network or a node can't be ready beforehand")
	}
	return nil
}

func (s *Spec) encode(e *encoder) {
	e.string(s.ID)
	e.strings(s.Image.Layers)
	e.bool(s.Image.HostUsr)
	e.strings(s.Argv)
	e.strings(s.Env)
	e.string(s.dir())
	e.int(s.MemoryBytes)
	e.float(s.CPUs)
	e.int(int64(s.Pids))
	e.int(s.TmpBytes)
	e.bool(s.Writable)
	e.string(string(s.Network))
	e.string(s.Node)
}

func (s *Spec) decode(d *decoder) {
	s.ID = d.string()
	s.Image.Layers = d.strings()
	s.Image.HostUsr = d.bool()
	s.Argv = d.strings()
	s.Env = d.strings()
	s.Dir = d.string()
	s.MemoryBytes = d.int()
	s.CPUs = d.float()
	s.Pids = int(d.int())
	s.TmpBytes = d.int()
	s.Writable = d.bool()
	s.Network = Network(d.string())
	s.Node = d.string()
}
