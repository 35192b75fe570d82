package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// config says in the words of the OCI runtime specification what the builtin
// launcher's script does: the same identity, mounts, masks, limits and filter.
// What a runtime adds by itself (devices in /dev, its links) is its own.
func (o *bundles) config(s *Spec, root, cgroup, network string) *specs.Spec {
	c := &specs.Spec{
		Version:  "1.0.2",
		Process:  o.process(s),
		Root:     &specs.Root{Path: root, Readonly: !s.Writable},
		Hostname: s.hostname(),
		Mounts:   o.mounts(s),
		Linux: &specs.Linux{
			Namespaces: []specs.LinuxNamespace{
				{Type: specs.PIDNamespace},
				{Type: specs.IPCNamespace},
				{Type: specs.UTSNamespace},
				{Type: specs.MountNamespace},
				{Type: specs.CgroupNamespace},
			},
			MaskedPaths: append(absolute("/", maskFiles, maskDirs), absolute("/sys/", maskSys)...), ReadonlyPaths: absolute("/", maskWrite),
			Seccomp: seccompProfile(),
		},
	}
	if network != "" {
		c.Linux.Namespaces = append(c.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: network})
	}
	if !o.rootless {
		c.Linux.CgroupsPath, c.Linux.Resources = cgroup, resourcesOf(s)
	}
	return c
}

// Bundle is the configuration (config.json) of an OCI runtime for a container with the
// root filesystem in a folder, which has what a sandbox of s has: the same identity,
// mounts, masks, limits, filter and devices, and a network namespace of its own. It is for
// comparing runtimes with this package by the same work. An image with the host's
// libraries has none.
func Bundle(s Spec, root string) ([]byte, error) {
	err := s.check()
	if err == nil && s.Image.HostUsr {
		err = errors.New("the host's libraries are not in a bundle")
	}
	if err != nil {
		return nil, fmt.Errorf("bundle of %s: %w", s.ID, err)
	}
	c := (&bundles{rootless: !privileged()}).config(&s, root, "", "")
	if s.Network == NetworkNone {
		c.Linux.Namespaces = append(c.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace})
	}
	return json.Marshal(c)
}

func (o *bundles) process(s *Spec) *specs.Process {
	adj := 500 // before the engine, should the machine run out of memory
	p := &specs.Process{
		Args: s.Argv, Env: s.Env, Cwd: s.dir(),
		User:            specs.User{UID: UID, GID: GID},
		Capabilities:    &specs.LinuxCapabilities{},
		NoNewPrivileges: true,
		Rlimits: []specs.POSIXRlimit{
			{Type: "RLIMIT_NOFILE", Soft: openFiles, Hard: openFiles},
			{Type: "RLIMIT_CORE"},
		},
		OOMScoreAdj: &adj,
	}
	if o.rootless {
		p.User = specs.User{}
	}
	return p
}

func (o *bundles) mounts(s *Spec) []specs.Mount {
	pts := []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}
	if !o.rootless {
		pts = append(pts, "gid=5")
	}
	dev := []string{"nosuid", "noexec", "mode=755", "size=65536k"}
	if !o.quirks.openDev {
		dev = append(dev, "ro")
	}
	list := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: dev},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: pts},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "mode=1777", fmt.Sprintf("size=%d", s.TmpBytes)}},
	}
	if !o.rootless || s.Network == NetworkNone { // a user namespace may show the devices of a network of its own alone
		list = append(list, specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}})
	}
	if s.Image.HostUsr {
		for _, dir := range o.st.hostDirs {
			list = append(list, specs.Mount{
				Destination: "/" + dir, Type: "bind", Source: filepath.Join(o.top, "host", dir), Options: []string{"rbind", "ro", "nosuid", "nodev"},
			})
		}
	}
	return list
}

// resourcesOf are a sandbox's limits, as cgroups.limit sets them, and no device
// but those that a runtime gives to everyone.
func resourcesOf(s *Spec) *specs.LinuxResources {
	pids := int64(s.Pids)
	r := &specs.LinuxResources{
		Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
		Pids:    &specs.LinuxPids{Limit: &pids},
	}
	if s.MemoryBytes > 0 {
		limit := s.MemoryBytes
		r.Memory = &specs.LinuxMemory{Limit: &limit, Swap: &limit}
	}
	if quota := quotaUS(s.CPUs); quota > 0 {
		period := uint64(cpuPeriodUS)
		r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period}
	}
	return r
}

func absolute(top string, lists ...[]string) (all []string) {
	for _, list := range lists {
		for _, p := range list {
			all = append(all, top+p)
		}
	}
	return all
}

// seccompProfile is the builtin filter as a profile.
func seccompProfile() *specs.LinuxSeccomp {
	perm, nosys := uint(unix.EPERM), uint(unix.ENOSYS)
	allow := func(name string, arg *specs.LinuxSeccompArg) specs.LinuxSyscall {
		call := specs.LinuxSyscall{Names: []string{name}, Action: specs.ActAllow}
		if arg != nil {
			call.Args = []specs.LinuxSeccompArg{*arg}
		}
		return call
	}
	p := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &perm,
		Architectures: []specs.Arch{map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}[runtime.GOARCH]},
		Syscalls: []specs.LinuxSyscall{
			{Names: allowedNames, Action: specs.ActAllow},
			{Names: []string{"clone3"}, Action: specs.ActErrno, ErrnoRet: &nosys},
			allow("clone", &specs.LinuxSeccompArg{Value: namespaceFlags, Op: specs.OpMaskedEqual}),
		},
	}
	for _, v := range personalities {
		p.Syscalls = append(p.Syscalls, allow("personality", &specs.LinuxSeccompArg{Value: uint64(v), Op: specs.OpEqualTo}))
	}
	// A profile has no ranges: all below the first that is denied, and then each.
	first := deniedFamilies[0]
	p.Syscalls = append(p.Syscalls, allow("socket", &specs.LinuxSeccompArg{Value: uint64(first), Op: specs.OpLessThan}))
	for f := first; f <= lastFamily; f++ {
		if !deniedFamily(f) {
			p.Syscalls = append(p.Syscalls, allow("socket", &specs.LinuxSeccompArg{Value: uint64(f), Op: specs.OpEqualTo}))
		}
	}
	return p
}

func deniedFamily(f uint32) bool {
	for _, d := range deniedFamilies {
		if d == f {
			return true
		}
	}
	return false
}
