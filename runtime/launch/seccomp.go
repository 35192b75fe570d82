package launch

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// The filter is a binary search over ranges of call numbers, not the list of
// comparisons that libseccomp makes: the kernel emulates a filter once for
// every call number when it is loaded, so its cost at start is its depth.

// Offsets into struct seccomp_data (little-endian: the low half of an argument first).
const (
	dataNr   = 0
	dataArch = 4
	dataArg0 = 16
)

const (
	retAllow = uint32(unix.SECCOMP_RET_ALLOW)
	retPerm  = uint32(unix.SECCOMP_RET_ERRNO) | uint32(unix.EPERM)
	retNosys = uint32(unix.SECCOMP_RET_ERRNO) | uint32(unix.ENOSYS)
)

// namespaceFlags are the flags of clone(2) that a sandbox may not use.
const namespaceFlags = unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER |
	unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP

// deniedFamilies are the socket families up to lastFamily that Docker's profile
// leaves out: dead ones, AF_ALG (an attack surface) and AF_VSOCK (not confined to
// a network namespace before Linux 7.0).
var deniedFamilies = []uint32{unix.AF_AX25, unix.AF_IPX, unix.AF_APPLETALK, unix.AF_NETROM, unix.AF_ROSE, unix.AF_DECnet, unix.AF_ECONET,
	unix.AF_ATMSVC, unix.AF_IRDA, unix.AF_WANPIPE, unix.AF_ISDN, unix.AF_CAIF, unix.AF_ALG, unix.AF_VSOCK}

const lastFamily = 45 // AF_MCTP

// personalities that Docker's profile allows: Linux, its old address layouts, and the question.
var personalities = []uint32{0, 0x0008, 0x20000, 0x20008, 0xffffffff}

// A machine is one kind of processor, as far as the filter goes.
type machine struct {
	arch                               uint32 // AUDIT_ARCH_*
	allowed                            []uint32
	clone, clone3, socket, personality uint32 // calls with rules of their own
}

var thisMachine = machine{auditArch, allowed, unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_SOCKET, unix.SYS_PERSONALITY}

// filter returns the program, compiled once.
var filter = sync.OnceValue(thisMachine.compileFilter)

// A segment is the calls from first up to the next segment, with one fate.
type segment struct {
	first uint32
	fate  fate
}

type fate int

const (
	deny fate = iota
	allow
	absent
	checkClone
	checkSocket
	checkPersonality
)

// segments cuts the line of call numbers into as few pieces as there are changes of fate.
func (m machine) segments() []segment {
	fates := make([]fate, lastKnown+2)
	for _, nr := range m.allowed {
		fates[nr] = allow
	}
	fates[m.clone] = checkClone
	fates[m.socket] = checkSocket
	fates[m.personality] = checkPersonality
	fates[m.clone3] = absent // its flags stand in memory, where a filter can't look: libcs fall back to clone
	fates[lastKnown+1] = absent
	list := []segment{{0, fates[0]}}
	for nr, f := range fates {
		if f != list[len(list)-1].fate {
			list = append(list, segment{uint32(nr), f})
		}
	}
	// x32 calls come as x86_64 ones with bit 30 set; nothing has numbers that high.
	return append(list, segment{1 << 30, deny})
}

func stmt(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }

func jump(code uint16, k uint32, jt, jf int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | code | unix.BPF_K, K: k, Jt: uint8(jt), Jf: uint8(jf)}
}

func load(offset uint32) unix.SockFilter { return stmt(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset) }

func ret(k uint32) unix.SockFilter { return stmt(unix.BPF_RET|unix.BPF_K, k) }

func (m machine) compileFilter() []unix.SockFilter {
	prog := []unix.SockFilter{
		load(dataArch),
		jump(unix.BPF_JEQ, m.arch, 1, 0),
		ret(retPerm),
		load(dataNr),
	}
	return append(prog, search(m.segments())...)
}

// search compiles a binary search. A half longer than a conditional jump can
// pass (255) is passed by an unconditional one.
func search(list []segment) []unix.SockFilter {
	if len(list) == 1 {
		return leaf(list[0].fate)
	}
	mid := len(list) / 2
	low, high := search(list[:mid]), search(list[mid:])
	if len(low) < 256 {
		return slices.Concat([]unix.SockFilter{jump(unix.BPF_JGE, list[mid].first, len(low), 0)}, low, high)
	}
	return slices.Concat([]unix.SockFilter{
		jump(unix.BPF_JGE, list[mid].first, 0, 1),
		stmt(unix.BPF_JMP|unix.BPF_JA, uint32(len(low))),
	}, low, high)
}

func leaf(f fate) []unix.SockFilter {
	switch f {
	case allow:
		return []unix.SockFilter{ret(retAllow)}
	case absent:
		return []unix.SockFilter{ret(retNosys)}
	case checkClone:
		return []unix.SockFilter{load(dataArg0), jump(unix.BPF_JSET, namespaceFlags, 0, 1), ret(retPerm), ret(retAllow)}
	case checkSocket:
		prog := []unix.SockFilter{load(dataArg0), jump(unix.BPF_JGT, lastFamily, len(deniedFamilies)+1, 0)}
		for i, family := range deniedFamilies {
			prog = append(prog, jump(unix.BPF_JEQ, family, len(deniedFamilies)-i, 0))
		}
		return append(prog, ret(retAllow), ret(retPerm))
	case checkPersonality:
		prog := []unix.SockFilter{load(dataArg0)}
		for i, p := range personalities {
			prog = append(prog, jump(unix.BPF_JEQ, p, len(personalities)-i, 0))
		}
		return append(prog, ret(retPerm), ret(retAllow))
	}
	return []unix.SockFilter{ret(retPerm)}
}
