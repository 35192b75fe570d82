package launch

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A Part is one thing that launches want of a host.
type Part struct {
	OK     bool
	Reason string // why not, or how; may be empty
	Hint   string // what a person can do about it; empty if OK
}

// Host is what this host offers, part by part.
type Host struct {
	Launcher string // that starts sandboxes, as ParseRuntime reads it; of a running launcher
	Version  string // of an OCI runtime, in its own words; empty without
	Rootless bool   // sandboxes run in a user namespace of an ordinary user
	Kernel   string // release
	Cgroup   string // "v1", "v2", "v1+v2" by where the controllers used are, or "none"

	UserNS  Part // user namespaces for ordinary users
	Overlay Part // overlay mounts; without, images of one layer are bound read-only
	Seccomp Part
	NetNS   Part // network namespaces

	Memory  Part // limit
	Peak    Part // of memory, as the kernel counts it; without: samples, or the first process's
	CPU     Part // limit
	Pids    Part // limit
	Freezer Part // without: SIGSTOP and SIGCONT
	Devices Part // sandboxes open none but those that they see, whatever node they come by; without: none but these are to be seen, and none can be made
	Kill    Part // a cgroup's processes can be ended at once; without: one by one, when what a killed run left is removed

	Lacks []string // of a running launcher: system calls that the host forbade and sandboxes can do without, such as mounting mqueue
}

// Limits says whether sandboxes are held to memory, CPU and pids. Results
// measured without are unlimited, and nothing that depends on a limit may be
// projected from them.
func (h Host) Limits() bool { return h.Memory.OK && h.CPU.OK && h.Pids.OK }

// Runs says whether anything can be launched here at all.
func (h Host) Runs() bool {
	return h.Seccomp.OK && h.NetNS.OK && (h.UserNS.OK || !h.Rootless)
}

// Missing lists the parts that this host lacks, as sentences for a person. What
// to do about them is for who stands before the host (Part.Hint).
func (h Host) Missing() []string {
	var list []string
	for _, p := range h.parts() {
		switch {
		case p.part.OK, p.part == &h.Kill, p.part == &h.Devices && h.Rootless, p.part == &h.UserNS && !h.Rootless, p.part == &h.Peak && !h.Memory.OK:
			continue
		}
		list = append(list, p.name+": "+p.part.Reason+"; "+p.means)
	}
	return list
}

// PartUserNS names the part that root can do without.
const PartUserNS = "user namespaces"

type namedPart struct {
	name, means string
	part        *Part
}

// Parts calls f with each part, its name and what lacking it means.
func (h Host) Parts(f func(name, means string, p Part)) {
	for _, p := range h.parts() {
		f(p.name, p.means, *p.part)
	}
}

func (h *Host) parts() []namedPart {
	return []namedPart{
		{PartUserNS, "nothing can be launched without root", &h.UserNS},
		{"overlay", "a function's folder is bound read-only instead", &h.Overlay},
		{"seccomp", "nothing can be launched", &h.Seccomp},
		{"network namespaces", "nothing can be launched", &h.NetNS},
		{"memory limit", "memory is unlimited, and its peak is the first process's alone", &h.Memory},
		{"peak memory", "it is the largest that was seen, or the first process's", &h.Peak},
		{"CPU limit", "every environment may use whole processors: figures are faster than the memory setting's share", &h.CPU},
		{"pids limit", "processes are unlimited", &h.Pids},
		{"freezer", "idle environments are stopped by SIGSTOP", &h.Freezer},
		{"devices", "sandboxes are kept from the host's devices by their mounts and rights alone", &h.Devices},
		{"kill", "what a killed run left is ended process by process", &h.Kill},
	}
}

func (h *Host) encode(e *encoder) {
	e.string(h.Launcher)
	e.string(h.Version)
	e.bool(h.Rootless)
	e.string(h.Kernel)
	e.string(h.Cgroup)
	for _, p := range h.parts() {
		e.bool(p.part.OK)
		e.string(p.part.Reason)
		e.string(p.part.Hint)
	}
	e.strings(h.Lacks)
}

func (h *Host) decode(d *decoder) {
	h.Launcher = d.string()
	h.Version = d.string()
	h.Rootless = d.bool()
	h.Kernel = d.string()
	h.Cgroup = d.string()
	for _, p := range h.parts() {
		*p.part = Part{OK: d.bool(), Reason: d.string(), Hint: d.string()}
	}
	h.Lacks = d.strings()
}

// Probe says what this host offers to this process, by trying: nothing that it
// makes outlives the call.
func Probe() Host {
	h := probeKernel()
	h.probeCgroups()
	return h
}

func probeKernel() Host {
	h := Host{Rootless: !privileged()}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		h.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	h.UserNS = probeUserNS()
	h.Overlay = probeOverlay(h.Rootless)
	h.Seccomp = probeSeccomp()
	h.NetNS = probeNetNS(h.Rootless)
	return h
}

func probeUserNS() Part {
	s := &script{}
	s.exit(0)
	if err := s.try(unix.CLONE_NEWUSER); err != nil {
		return Part{Reason: fmt.Sprintf("clone: %v", err), Hint: userNSHint()}
	}
	s = &script{}
	s.call(0, unix.SYS_UNSHARE, unix.CLONE_NEWNS)
	s.mount(0, "", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	s.exit(0)
	if err := s.try(unix.CLONE_NEWUSER); err != nil {
		return Part{Reason: err.Error(), Hint: userNSHint()}
	}
	return Part{OK: true}
}

// userNSHint names the switch that is off.
func userNSHint() string {
	for _, sw := range []struct{ file, off, hint string }{
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
		{"/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"},
		{"/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"},
	} {
		if text, err := os.ReadFile(sw.file); err == nil && strings.TrimSpace(string(text)) == sw.off {
			return sw.hint + ", or run as root"
		}
	}
	return "run as root, or where the container's seccomp profile allows clone(CLONE_NEWUSER)"
}

func probeOverlay(rootless bool) Part {
	s := &script{}
	s.mount(0, "", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	s.mount(0, "overlay", "/tmp", "overlay", unix.MS_RDONLY, "lowerdir=/usr:/etc")
	s.exit(0)
	flags := uintptr(unix.CLONE_NEWNS)
	if rootless {
		flags |= unix.CLONE_NEWUSER
	}
	if err := s.try(flags); err != nil {
		return Part{Reason: err.Error(), Hint: "modprobe overlay; in a user namespace, Linux 5.11 or later"}
	}
	return Part{OK: true}
}

func probeSeccomp() Part {
	s := &script{}
	f := filter()
	s.call(0, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	s.call(0, unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]})
	s.exit(0)
	if err := s.try(0); err != nil {
		return Part{Reason: err.Error(), Hint: "a kernel with CONFIG_SECCOMP_FILTER"}
	}
	return Part{OK: true}
}

func probeNetNS(rootless bool) Part {
	s := &script{}
	s.exit(0)
	flags := uintptr(unix.CLONE_NEWNET)
	if rootless {
		flags |= unix.CLONE_NEWUSER
	}
	if err := s.try(flags); err != nil {
		return Part{Reason: fmt.Sprintf("clone: %v", err), Hint: "a kernel with CONFIG_NET_NS; sysctl user.max_net_namespaces above 0"}
	}
	return Part{OK: true}
}

// try runs a script that ends in exit and says what stopped it.
func (s *script) try(flags uintptr) error {
	pid, err := s.run(flags, -1)
	if err != nil {
		return err
	}
	for {
		var ws unix.WaitStatus
		if _, err := unix.Wait4(pid, &ws, 0, nil); !errors.Is(err, unix.EINTR) {
			return s.failed()
		}
	}
}

// probeCgroups makes cgroups as a launcher does, and removes them.
func (h *Host) probeCgroups() {
	makeRoom()
	defer leaveRoom()
	name := cgroupName(os.Getpid(), "probe")
	g, missing := openCgroups(name, false)
	h.setCgroups(g, missing)
	h.setDevices(g.restrict(name))
	g.close()
}

// setCgroups fills in which controllers were had, and where.
func (h *Host) setCgroups(g *cgroups, missing map[string]error) {
	here := findPlace(h.Rootless)
	versions := []string{}
	for _, c := range []struct {
		name string
		part *Part
	}{{"memory", &h.Memory}, {"cpu", &h.CPU}, {"pids", &h.Pids}, {"freezer", &h.Freezer}} {
		at, err := g.at[c.name], missing[c.name]
		switch {
		case at != nil:
			if !slices.Contains(versions, at.version()) {
				versions = append(versions, at.version())
			}
			*c.part = Part{OK: true, Reason: at.place()}
			if h.Rootless {
				c.part.Reason += ", delegated"
			}
		case err != nil:
			*c.part = Part{Reason: err.Error(), Hint: here.hint(c.name, err)}
		}
	}
	slices.Sort(versions)
	h.Cgroup = strings.Join(versions, "+")
	if len(versions) == 0 {
		h.Cgroup = "none"
	}
	h.setPeak(g)
	h.setKill(g)
}

func (h *Host) setPeak(g *cgroups) {
	switch {
	case !h.Memory.OK:
		h.Peak = Part{Reason: "no memory cgroup", Hint: h.Memory.Hint}
	case g.peakless():
		h.Peak = Part{Reason: "no memory.peak", Hint: "Linux 5.19 or later"}
	default:
		h.Peak = Part{OK: true, Reason: h.Memory.Reason}
	}
}

func (h *Host) setKill(g *cgroups) {
	switch {
	case g.v2 == nil && !h.Freezer.OK:
		h.Kill = Part{Reason: "no version 2 cgroup", Hint: h.Freezer.Hint}
	case g.v2 == nil:
		h.Kill = Part{Reason: "no version 2 cgroup", Hint: "nothing: version 1 has no such thing"}
	case unix.Faccessat(g.v2.fd, "cgroup.kill", unix.F_OK, 0) != nil:
		h.Kill = Part{Reason: "no cgroup.kill", Hint: "Linux 5.14 or later"}
	default:
		h.Kill = Part{OK: true, Reason: g.v2.place()}
	}
}
