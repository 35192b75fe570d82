package launch

import (
	"fmt"
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
var deniedFamilies = []uint32{
	unix.AF_AX25, unix.AF_IPX, unix.AF_APPLETALK, unix.AF_NETROM, unix.AF_ROSE, unix.AF_DECnet, unix.AF_ECONET,
	unix.AF_ATMSVC, unix.AF_IRDA, unix.AF_WANPIPE, unix.AF_ISDN, unix.AF_CAIF, unix.AF_ALG, unix.AF_VSOCK,
}

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

// search compiles a binary search. Pieces of one fate share its leaf, which stands
// behind the tree: a program's cost at load is also its length, since the kernel compiles
// it for every sandbox anew.
func search(list []segment) []unix.SockFilter {
	t := tree{at: map[fate]int{}}
	t.grow(list)
	for _, s := range list {
		if _, there := t.at[s.fate]; !there {
			t.at[s.fate] = len(t.prog)
			t.prog = append(t.prog, leaf(s.fate)...)
		}
	}
	for _, j := range t.open {
		j.resolve(t.prog, t.at[j.to])
	}
	return t.prog
}

// A tree is a search while it is compiled: the nodes in preorder, each followed by its
// lower half.
type tree struct {
	prog []unix.SockFilter
	at   map[fate]int // leaves
	open []branch     // what leads to a leaf
}

// A branch is one way out of a node.
type branch struct {
	from int
	high bool
	to   fate
}

// resolve makes the branch lead to an instruction, at most 255 further on.
func (b branch) resolve(prog []unix.SockFilter, at int) {
	skip := at - b.from - 1
	if skip < 0 || skip > 255 {
		panic(fmt.Sprintf("launch: a jump over %d instructions", skip))
	}
	if b.high {
		prog[b.from].Jt = uint8(skip)
	} else {
		prog[b.from].Jf = uint8(skip)
	}
}

// grow appends the search of two or more pieces.
func (t *tree) grow(list []segment) {
	mid, node := len(list)/2, len(t.prog)
	t.prog = append(t.prog, jump(unix.BPF_JGE, list[mid].first, 0, 0))
	for _, half := range []struct {
		list []segment
		high bool
	}{{list[:mid], false}, {list[mid:], true}} {
		if len(half.list) == 1 {
			t.open = append(t.open, branch{node, half.high, half.list[0].fate})
			continue
		}
		branch{from: node, high: half.high}.resolve(t.prog, len(t.prog))
		t.grow(half.list)
	}
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
