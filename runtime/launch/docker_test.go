package launch

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// docker is Docker's default profile for a container without capabilities, on
// one kind of processor.
type docker struct{ rules map[string][]*seccomp.Syscall }

func newDocker(arch string) docker {
	d := docker{map[string][]*seccomp.Syscall{}}
	for _, rule := range seccomp.DefaultProfile().Syscalls {
		if applies(rule, arch) {
			for _, name := range rule.Names {
				d.rules[name] = append(d.rules[name], rule)
			}
		}
	}
	return d
}

// decide says how a call is answered: nil lets it through.
func (d docker) decide(name string, arg0 uint64) error {
	for _, rule := range d.rules[name] {
		if !slices.ContainsFunc(matchers(rule), func(match func(uint64) bool) bool { return match(arg0) }) {
			continue
		}
		switch {
		case rule.Action == specs.ActAllow:
			return nil
		case rule.ErrnoRet != nil:
			return unix.Errno(*rule.ErrnoRet)
		}
	}
	return unix.EPERM
}

// applies says whether a rule holds for a container without capabilities. Every
// kernel that coldstorm runs on is newer than those that a rule asks for.
func applies(rule *seccomp.Syscall, arch string) bool {
	if in := rule.Includes; in != nil && (len(in.Caps) > 0 || len(in.Arches) > 0 && !slices.Contains(in.Arches, arch)) {
		return false
	}
	return rule.Excludes == nil || !slices.Contains(rule.Excludes.Arches, arch)
}

// matchers are the rule's conditions on the first argument, of which one must
// hold; the profile has none on another argument or of another kind.
func matchers(rule *seccomp.Syscall) (list []func(uint64) bool) {
	for _, a := range rule.Args {
		if a.Index != 0 {
			panic(fmt.Sprintf("%v: a condition on argument %d", rule.Names, a.Index))
		}
		list = append(list, func(v uint64) bool {
			switch a.Op {
			case specs.OpEqualTo:
				return v == a.Value
			case specs.OpLessThan:
				return v < a.Value
			case specs.OpMaskedEqual:
				return v&a.Value == a.ValueTwo
			}
			panic(fmt.Sprintf("%v: condition %s", rule.Names, a.Op))
		})
	}
	if len(list) == 0 {
		list = append(list, func(uint64) bool { return true })
	}
	return list
}

// A namedMachine has the numbers of its calls by their names.
type namedMachine struct {
	machine
	numbers map[string]uint32
}

// machines reads what the filter is made of for both kinds of processor, from
// the source, since only one of them is compiled into this test.
func machines(t *testing.T) map[string]namedMachine {
	t.Helper()
	all := map[string]namedMachine{}
	for arch, audit := range map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64} {
		numbers := callNumbers(t, arch)
		m := machine{audit, nil, numbers["clone"], numbers["clone3"], numbers["socket"], numbers["personality"]}
		for _, name := range namesIn(t, "allow_"+arch+".go") {
			nr, ok := numbers[name]
			if !ok {
				t.Fatalf("%s has no call %s", arch, name)
			}
			m.allowed = append(m.allowed, nr)
		}
		all[arch] = namedMachine{m, numbers}
	}
	return all
}

// callNumbers reads a processor's calls from where this package's own come from.
func callNumbers(t *testing.T, arch string) map[string]uint32 {
	t.Helper()
	numbers := map[string]uint32{}
	dir, err := callsDir()
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, "zsysnum_linux_"+arch+".go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		name, call := strings.CutPrefix(v.Names[0].Name, "SYS_")
		if nr, err := strconv.ParseUint(lit.Value, 0, 32); ok && call && err == nil {
			numbers[strings.ToLower(name)] = uint32(nr)
		}
		return true
	})
	return numbers
}

// namesIn reads the list named allowed.
func namesIn(t *testing.T, file string) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Names[0].Name != "allowed" {
			return true
		}
		for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
			names = append(names, strings.ToLower(strings.TrimPrefix(e.(*ast.SelectorExpr).Sel.Name, "SYS_")))
		}
		return false
	})
	return names
}

// arguments are the first arguments that a rule could tell apart.
func arguments() (list []uint64) {
	for i := range uint64(64) {
		list = append(list, i, 1<<i, 1<<i-1, 1<<i|uint64(unix.SIGCHLD))
	}
	return append(list, 0x20008, 0x40000, namespaceFlags, ^uint64(namespaceFlags), ^uint64(0), unix.CLONE_VM|unix.CLONE_THREAD)
}

// TestFilterAllowsNothingThatDockerForbids runs the filter for every number on
// both kinds of processor against Docker's own default profile
// (github.com/moby/profiles/seccomp, of the version in go.mod).
func TestFilterAllowsNothingThatDockerForbids(t *testing.T) {
	for arch, m := range machines(t) {
		names := map[uint32]string{}
		for name, nr := range m.numbers {
			names[nr] = name
		}
		prog, profile := m.compileFilter(), newDocker(arch)
		stricter := map[string]bool{}
		lets := 0
		for nr := range uint32(1024) {
			for _, arg := range arguments() {
				ours, _, err := interpret(prog, m.arch, nr, arg)
				if err != nil {
					t.Fatal(err)
				}
				// The kernel takes 32 bits of what the rules are about.
				theirs := profile.decide(names[nr], arg&0xffffffff)
				switch {
				case ours == retAllow && theirs != nil:
					t.Errorf("%s: %s (%d) with %#x is let through; Docker: %v", arch, names[nr], nr, arg, theirs)
				case ours == retAllow:
					lets++
				case theirs == nil:
					stricter[names[nr]] = true
				}
				for _, foreign := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_ARM, unix.AUDIT_ARCH_AARCH64, 0} {
					if got, _, err := interpret(prog, foreign, nr, arg); foreign != m.arch && (err != nil || got == retAllow) {
						t.Errorf("%s: call %d of machine %#x is let through (%v)", arch, nr, foreign, err)
					}
				}
				if got, _, err := interpret(prog, m.arch, 1<<30|nr, arg); err != nil || got == retAllow {
					t.Errorf("%s: x32 call %d is let through (%v)", arch, nr, err)
				}
			}
		}
		if lets < 200*len(arguments()) {
			t.Errorf("%s: only %d calls are let through: the lists were not read", arch, lets)
		}
		for name := range stricter {
			t.Errorf("%s: Docker lets %s through and the filter doesn't", arch, name)
		}
	}
}

// TestMachinesAreRead holds what machines reads against what was compiled.
func TestMachinesAreRead(t *testing.T) {
	read := machines(t)[runtime.GOARCH]
	if !slices.Equal(read.compileFilter(), filter()) {
		t.Error("the filter that the source gives isn't the one that was compiled")
	}
}

// unasked are calls about which the kernel doesn't ask a filter: they are for
// programs that the host traces, and refuse everybody else.
var unasked = []string{"uprobe", "uretprobe"}

// refusedByKernel are calls that the filter lets through and the kernel refuses,
// to the first process of a session, to who has no capability.
var refusedByKernel = []string{"setsid", "setgroups"}

// TestProbeFromInside makes every call from inside, with arguments that are good
// for nothing: what Docker's profile forbids must be answered with EPERM (or
// ENOSYS where the filter hides it), and what it lets through must get to the kernel.
func TestProbeFromInside(t *testing.T) {
	names := map[int]string{}
	for name, nr := range machines(t)[runtime.GOARCH].numbers {
		names[int(nr)] = name
	}
	l := start(t, Config{})
	g := newGround(t, l, Spec{})
	b := run(t, l, Spec{Image: g.spec.Image}, "probe")
	profile := newDocker(runtime.GOARCH)
	probed, through := 0, 0
	for lines := bufio.NewScanner(b.Stdout); lines.Scan(); probed++ {
		var nr int
		var errno unix.Errno
		if _, err := fmt.Sscan(lines.Text(), &nr, &errno); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		refused := errno == unix.EPERM || errno == unix.ENOSYS
		forbidden := profile.decide(names[nr], 0xffffffff) != nil
		switch {
		case forbidden && !refused && !slices.Contains(unasked, names[nr]):
			t.Errorf("%s (%d) got to the kernel: %v", names[nr], nr, errno)
		case !forbidden && errno == unix.EPERM && !slices.Contains(refusedByKernel, names[nr]):
			t.Errorf("%s (%d) was refused: %v", names[nr], nr, errno)
		case !refused:
			through++
		}
	}
	if msg, _ := io.ReadAll(b.Stderr); probed < 1000 || through < 200 {
		t.Errorf("%d calls probed, %d of them let through: %s %v", probed, through, msg, b.Exit())
	}
}
