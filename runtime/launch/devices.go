package launch

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sandboxes may open the devices that they see and no others, whatever node they come
// by: in a version 1 tree by its devices controller, in version 2 by a program of the
// kernel's. All sandboxes of a launcher have the same devices, so it is the launcher's own
// folder that is restricted, once, and what lies below it is so with it. (Nobody in a
// sandbox may make a node, and no mount but /dev's opens one: this is the third lock. The
// kernel keeps it for the host's root, so that without root there are two.)
//
// Turned down: a folder for every sandbox in the version 1 tree, as in the others, which
// says the same in each and takes 23 µs to make, 28 to enter and 35 to remove, where this
// one takes 10 to enter; and to have the threads that clone stand in the folder, which
// takes nothing, but restricts a part of the launcher, and would have it move out again
// before the folder can go.

// sharedGroup is the folder in the version 1 tree that all sandboxes enter. (It lies below
// the launcher's own for Clean to end what runs there, as in every tree.)
const sharedGroup = "all"

// shared is the version 1 tree in which sandboxes have one folder together.
type shared struct {
	h     *hierarchy
	tasks int // descriptor of the folder's file to enter it by
}

// A deviceRule lets character devices be read and written. Minor -1 is any.
type deviceRule struct{ major, minor int }

// deviceRules are those of our /dev, and the terminals that /dev/ptmx makes: what runc
// allows by default, but for the making of nodes.
func deviceRules() (list []deviceRule) {
	for _, d := range devices {
		list = append(list, deviceRule{int(d.major), int(d.minor)})
	}
	return append(list, deviceRule{5, 2}, deviceRule{136, -1})
}

// String is the rule as devices.allow takes it (kernel: cgroup-v1, devices).
func (r deviceRule) String() string {
	if r.minor < 0 {
		return fmt.Sprintf("c %d:* rw", r.major)
	}
	return fmt.Sprintf("c %d:%d rw", r.major, r.minor)
}

// restrict restricts the devices of all sandboxes. name is our folders'. It returns the
// tree in which they are.
func (g *cgroups) restrict(name string) (*hierarchy, error) {
	found, err := ownCgroups()
	if err != nil {
		return nil, err
	}
	h := found[devicesController]
	switch {
	case h == nil && found[""] == nil:
		return nil, errNotMounted
	case h == nil && g.v2 == nil:
		return nil, errors.New("sandboxes are in no version 2 cgroup")
	case h == nil:
		return g.v2, g.v2.restrictByProgram()
	}
	for _, ours := range g.all {
		if ours.top == h.top { // it has another controller too, and folders for every sandbox
			return ours, ours.restrict()
		}
	}
	if err := h.open(name); err != nil {
		return nil, err
	}
	s := &shared{h: h, tasks: -1}
	if err = h.restrict(); err == nil {
		err = s.make()
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	g.shared = s
	return h, nil
}

// restrict restricts the devices of our folder in a version 1 tree.
func (h *hierarchy) restrict() error {
	if err := h.write("devices.deny", "a"); err != nil {
		return err
	}
	for _, r := range deviceRules() {
		// What a cgroup above lacks, as a container's may, can't be given to those below.
		if err := h.write("devices.allow", r.String()); err != nil && !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	return nil
}

func (s *shared) make() (err error) {
	if err = unix.Mkdirat(s.h.fd, sharedGroup, 0o755); err == nil {
		s.tasks, err = openAt(s.h.fd, sharedGroup+"/tasks", unix.O_WRONLY)
	}
	if err != nil {
		return fmt.Errorf("cgroup %s/%s: %w", s.h.dir, sharedGroup, err)
	}
	return nil
}

// enter has a child enter the folder. It is single-threaded (see stage.joinCgroups).
func (s *shared) enter(c *script) { c.call(0, unix.SYS_WRITE, s.tasks, "0", 1) }

// close removes the folder, and our own above it.
func (s *shared) close() error {
	closeAll(s.tasks)
	err := rmdir(s.h.fd, sharedGroup)
	unix.Close(s.h.fd)
	if err = errors.Join(err, rmdir(unix.AT_FDCWD, s.h.dir)); err != nil {
		return fmt.Errorf("remove cgroup %s: %w", s.h.dir, err)
	}
	return nil
}

// restrictByProgram has the kernel ask a program for the devices of our folder in the
// version 2 tree. The program lives as long as the folder.
func (h *hierarchy) restrictByProgram() error {
	prog, license := deviceProgram(), []byte("Apache-2.0\x00")
	load := struct { // union bpf_attr of linux/bpf.h, as BPF_PROG_LOAD reads it
		kind, count uint32
		insns       *insn
		license     *byte
		_           [96]byte
	}{kind: unix.BPF_PROG_TYPE_CGROUP_DEVICE, count: uint32(len(prog)), insns: &prog[0], license: &license[0]}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&load)), unsafe.Sizeof(load))
	if errno != 0 {
		return fmt.Errorf("load a program for devices: %w", errno)
	}
	defer unix.Close(int(fd))
	// Beside other programs of this cgroup and of those above, which all have to agree.
	attach := struct{ target, prog, kind, flags uint32 }{uint32(h.fd), uint32(fd), unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI}
	if _, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_ATTACH, uintptr(unsafe.Pointer(&attach)), unsafe.Sizeof(attach)); errno != 0 {
		return fmt.Errorf("attach a program for devices to %s: %w", h.dir, errno)
	}
	return nil
}

// An insn is an instruction of the kernel's virtual machine (struct bpf_insn).
type insn struct {
	code byte
	regs byte // source<<4 | destination
	off  int16
	imm  int32
}

// Codes of instructions (linux/bpf.h, linux/bpf_common.h). Jumps compare the destination
// with imm and skip off instructions.
const (
	bpfLoad  = unix.BPF_LDX | unix.BPF_MEM | unix.BPF_W // destination = 32 bits at source+off
	bpfAnd   = unix.BPF_ALU64 | unix.BPF_AND | unix.BPF_K
	bpfSet   = unix.BPF_ALU64 | unix.BPF_MOV | unix.BPF_K
	bpfGo    = unix.BPF_JMP | unix.BPF_JA
	bpfEqual = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	bpfOther = unix.BPF_JMP | unix.BPF_JNE | unix.BPF_K
	bpfExit  = unix.BPF_JMP | unix.BPF_EXIT
)

// deviceProgram answers 1 for what deviceRules allow and 0 for all else. Register 1 points
// to struct bpf_cgroup_dev_ctx: what is to be done and to which kind of device, major, minor.
func deviceProgram() []insn {
	// The kinds are 1, block, and 2, character. What is to be done are bits above these:
	// BPF_DEVCG_ACC_MKNOD, the lowest, BPF_DEVCG_ACC_READ and BPF_DEVCG_ACC_WRITE.
	const kindOrMaking, character = 1<<16 | 0xffff, 2
	var rules []insn
	for _, r := range deviceRules() {
		rules = append(rules, insn{code: bpfOther, regs: 3, off: 1, imm: int32(r.major)})
		if r.minor < 0 {
			rules = append(rules, insn{code: bpfGo})
		} else {
			rules = append(rules, insn{code: bpfEqual, regs: 4, imm: int32(r.minor)})
		}
	}
	for i := 1; i < len(rules); i += 2 {
		rules[i].off = int16(len(rules) - i + 1) // over the rest and the refusal
	}
	prog := []insn{
		{code: bpfLoad, regs: 1<<4 | 2},
		{code: bpfLoad, regs: 1<<4 | 3, off: 4},
		{code: bpfLoad, regs: 1<<4 | 4, off: 8},
		{code: bpfAnd, regs: 2, imm: kindOrMaking},
		{code: bpfOther, regs: 2, off: int16(len(rules)), imm: character},
	}
	refuse, allow := []insn{{code: bpfSet}, {code: bpfExit}}, []insn{{code: bpfSet, imm: 1}, {code: bpfExit}}
	return append(append(append(prog, rules...), refuse...), allow...)
}

// keptForRoot is what an ordinary user can do about devices.
const keptForRoot = "nothing without root: the kernel lets only the host's restrict devices"

// restrict has the devices of sandboxes restricted by whoever does that, and says so.
func (d *daemon) restrict(name string, host *Host) {
	switch quirks := quirksOf(d.runtime.name()); {
	case d.runtime.kind == builtin:
		host.setDevices(d.cg.restrict(name))
	case d.runtime.kind == process:
		host.Devices = Part{Reason: "the process launcher has no cgroups", Hint: "another launcher has them"}
	case host.Rootless:
		host.Devices = Part{Reason: "the runtime has no cgroups", Hint: keptForRoot}
	case quirks.joins:
		host.Devices = Part{Reason: "the runtime is told to ignore cgroups", Hint: "another launcher doesn't"}
	default:
		host.Devices = Part{OK: true, Reason: "by the runtime"}
	}
}

// setDevices fills in where devices were restricted, or why not.
func (h *Host) setDevices(at *hierarchy, err error) {
	switch {
	case err == nil:
		h.Devices = Part{OK: true, Reason: at.place()}
	case h.Rootless:
		h.Devices = Part{Reason: err.Error(), Hint: keptForRoot}
	default:
		h.Devices = Part{Reason: err.Error(), Hint: findPlace(false).hint(devicesController, err)}
	}
}
