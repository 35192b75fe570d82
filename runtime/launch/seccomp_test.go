package launch

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// interpret runs a filter on a call as the kernel does (classic BPF on struct
// seccomp_data) and says what it returns and after how many instructions.
func interpret(prog []unix.SockFilter, arch, nr uint32, arg0 uint64) (ret uint32, steps int, err error) {
	data := make([]byte, 64)
	binary.LittleEndian.PutUint32(data[0:], nr)
	binary.LittleEndian.PutUint32(data[4:], arch)
	binary.LittleEndian.PutUint64(data[16:], arg0)
	var acc uint32
	for pc := 0; pc < len(prog); {
		f := prog[pc]
		pc++
		steps++
		branch := func(taken bool) {
			if taken {
				pc += int(f.Jt)
			} else {
				pc += int(f.Jf)
			}
		}
		switch f.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			acc = binary.LittleEndian.Uint32(data[f.K:])
		case unix.BPF_JMP | unix.BPF_JA:
			pc += int(f.K)
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			branch(acc == f.K)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			branch(acc >= f.K)
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			branch(acc > f.K)
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			branch(acc&f.K != 0)
		case unix.BPF_RET | unix.BPF_K:
			return f.K, steps, nil
		default:
			return 0, steps, fmt.Errorf("instruction %#x at %d", f.Code, pc-1)
		}
	}
	return 0, steps, fmt.Errorf("ran off the end")
}

// TestFilterDecidesEveryCall holds the compiled tree against the list, for
// every number of this machine, of others and of x32.
func TestFilterDecidesEveryCall(t *testing.T) {
	prog := thisMachine.compileFilter()
	deepest := 0
	for nr := uint32(0); nr < 2000; nr++ {
		want := retPerm
		switch {
		case nr == unix.SYS_CLONE3, nr > lastKnown:
			want = retNosys
		case slices.Contains(allowed, nr), nr == unix.SYS_CLONE, nr == unix.SYS_SOCKET, nr == unix.SYS_PERSONALITY:
			want = retAllow
		}
		arg := uint64(0)
		if nr == unix.SYS_SOCKET {
			arg = unix.AF_INET
		}
		got, steps, err := interpret(prog, auditArch, nr, arg)
		if err != nil || got != want {
			t.Errorf("call %d: %#x, want %#x (%v)", nr, got, want, err)
		}
		deepest = max(deepest, steps)
		if got, _, err := interpret(prog, auditArch, nr|1<<30, arg); err != nil || got != retPerm {
			t.Errorf("x32 call %d: %#x (%v)", nr, got, err)
		}
		for _, arch := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_ARM, 0} {
			if got, _, err := interpret(prog, arch, nr, arg); err != nil || got != retPerm {
				t.Errorf("call %d of machine %#x: %#x (%v)", nr, arch, got, err)
			}
		}
	}
	for _, nr := range []uint32{1 << 30, 1<<31 - 1, 1 << 31, 1<<32 - 1} {
		if got, _, err := interpret(prog, auditArch, nr, 0); err != nil || got != retPerm {
			t.Errorf("call %#x: %#x (%v)", nr, got, err)
		}
	}
	if deepest > 40 {
		t.Errorf("a call takes %d instructions: the tree is not balanced", deepest)
	}
	t.Logf("%d instructions, at most %d for a call", len(prog), deepest)
}

func TestFilterArguments(t *testing.T) {
	prog := thisMachine.compileFilter()
	for _, c := range []struct {
		rule string
		nr   uint32
		arg  uint64
		want uint32
	}{
		{"threads may be made", unix.SYS_CLONE, unix.CLONE_VM | unix.CLONE_THREAD | unix.CLONE_SIGHAND, retAllow},
		{"processes may be made", unix.SYS_CLONE, uint64(unix.SIGCHLD), retAllow},
		{"user namespaces may not", unix.SYS_CLONE, unix.CLONE_NEWUSER, retPerm},
		{"nor mount namespaces among other flags", unix.SYS_CLONE, unix.CLONE_NEWNS | unix.CLONE_VM, retPerm},
		{"nor cgroup namespaces", unix.SYS_CLONE, unix.CLONE_NEWCGROUP, retPerm},
		{"local sockets", unix.SYS_SOCKET, unix.AF_UNIX, retAllow},
		{"IPv6", unix.SYS_SOCKET, unix.AF_INET6, retAllow},
		{"netlink, which getaddrinfo wants", unix.SYS_SOCKET, unix.AF_NETLINK, retAllow},
		{"the kernel's ciphers", unix.SYS_SOCKET, unix.AF_ALG, retPerm},
		{"the hypervisor", unix.SYS_SOCKET, unix.AF_VSOCK, retPerm},
		{"families to come", unix.SYS_SOCKET, 46, retPerm},
		{"the last known family", unix.SYS_SOCKET, lastFamily, retAllow},
		{"asking for the personality", unix.SYS_PERSONALITY, 0xffffffff, retAllow},
		{"plain Linux", unix.SYS_PERSONALITY, 0, retAllow},
		{"no address space randomisation", unix.SYS_PERSONALITY, 0x0040000, retPerm},
	} {
		if got, _, err := interpret(prog, auditArch, c.nr, c.arg); err != nil || got != c.want {
			t.Errorf("%s: %#x, want %#x (%v)", c.rule, got, c.want, err)
		}
	}
}

// TestSearch compiles trees of every size that a jump reaches across.
func TestSearch(t *testing.T) {
	for n := 2; n < 200; n++ {
		var list []segment
		for i := range n {
			list = append(list, segment{uint32(i), []fate{allow, deny, absent}[i%3]})
		}
		prog := append([]unix.SockFilter{load(dataNr)}, search(list)...)
		for i := range n {
			want := []uint32{retAllow, retPerm, retNosys}[i%3]
			if got, _, err := interpret(prog, auditArch, uint32(i), 0); err != nil || got != want {
				t.Fatalf("call %d of %d: %#x, want %#x (%v)", i, n, got, want, err)
			}
		}
	}
}

func TestKernelTakesTheFilter(t *testing.T) {
	if p := probeSeccomp(); !p.OK {
		t.Error(p.Reason)
	}
}

func TestAllowedIsInOrder(t *testing.T) {
	if !slices.IsSorted(allowed) || len(allowed) < 200 || allowed[len(allowed)-1] > lastKnown {
		t.Errorf("%d calls, the last %d", len(allowed), allowed[len(allowed)-1])
	}
}
