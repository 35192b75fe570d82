package launch

import (
	"fmt"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// A script is a launch as data: a flat list of system calls, compiled in Go,
// run by a child that is not allowed to run Go. It holds every byte that the
// calls point to, on the heap, where nothing moves.
type script struct {
	ops   []op
	at    int32         // operation that failed, if errno isn't 0
	errno syscall.Errno // why

	more uint32  // 1 once next is there: a futex word
	next *script // what its child performs afterwards (see child.give)

	keep []any // what args point to
}

// An op is one system call.
type op struct {
	nr    uintptr
	args  [6]uintptr
	how   how
	n     uint8 // arguments that the call takes, for printing
	str   uint8 // bit i: argument i is a NUL-terminated string, for printing
	errno syscall.Errno
}

// how says what becomes of an op's result, and where its first argument comes from.
type how uint8

const (
	mayFail  how = 1 << iota // a host may forbid it: go on, tell in the end
	save                     // keep the result
	useSaved                 // the first argument is the result kept
	wantZero                 // a result other than 0 stops the script
	toStamp                  // the second argument is the number of a stamp, for its address
)

// call appends a system call. Arguments are int, uintptr, string (as a pointer
// to a NUL-terminated copy) or any pointer, which the script keeps alive.
func (s *script) call(h how, nr uintptr, args ...any) {
	o := op{nr: nr, how: h, n: uint8(len(args))}
	for i, a := range args {
		switch a := a.(type) {
		case int:
			o.args[i] = uintptr(a)
		case uintptr:
			o.args[i] = a
		case string:
			o.args[i] = uintptr(unsafe.Pointer(s.cstring(a)))
			o.str |= 1 << i
		case *unix.Timespec:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case *unix.Rlimit:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case *unix.PollFd:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case *uint64:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case *byte:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case []*byte:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(&a[0]))
		case *unix.CapUserHeader:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case *[2]unix.CapUserData:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case *unix.SockFprog:
			s.keep = append(s.keep, a)
			o.args[i] = uintptr(unsafe.Pointer(a))
		case nil:
		default:
			panic(fmt.Sprintf("launch: script argument of type %T", a))
		}
	}
	s.ops = append(s.ops, o)
}

// cstring keeps a NUL-terminated copy of str. A NUL inside would cut it short,
// so the launcher refuses those before (see Spec.check).
func (s *script) cstring(str string) *byte {
	b := make([]byte, len(str)+1)
	copy(b, str)
	s.keep = append(s.keep, b)
	return &b[0]
}

// vector is argv or envp.
func (s *script) vector(list []string) []*byte {
	v := make([]*byte, len(list)+1)
	for i, str := range list {
		v[i] = s.cstring(str)
	}
	return v
}

// stampCount is how many moments a child can note.
const stampCount = 8

// stamp notes the time at this point of the script, as the child's stamp n.
func (s *script) stamp(n int) {
	s.call(toStamp, unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, n)
}

// stamp returns a moment that the child noted, or 0.
func (c *child) stamp(n int) results.Stamp { return results.Stamp(c.stamps[n].Nano()) }

func (s *script) mount(h how, source, target, fs string, flags int, data string) {
	var f, d any
	if fs != "" {
		f = fs
	}
	if data != "" {
		d = data
	}
	s.call(h, unix.SYS_MOUNT, source, target, f, flags, d)
}

func (s *script) execve(path string, argv, env []string) {
	s.call(0, unix.SYS_EXECVE, path, s.vector(argv), s.vector(env))
}

// become executes the program of spec.
func (s *script) become(spec *Spec) {
	s.stamp(atExec)
	s.execve(spec.Argv[0], spec.Argv, spec.Env)
}

func (s *script) exit(code int) { s.call(0, unix.SYS_EXIT_GROUP, code) }

// failed returns the error of the operation that stopped the script, or nil.
func (s *script) failed() error {
	if s.errno == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", s.ops[s.at], s.errno)
}

// forbidden lists the operations that were allowed to fail and did.
func (s *script) forbidden() []string {
	var list []string
	for _, o := range s.ops {
		if o.how&mayFail != 0 && o.errno != 0 {
			list = append(list, fmt.Sprintf("%s: %v", o, o.errno))
		}
	}
	return list
}

// add appends the operations of a script that lives as long as this one.
func (s *script) add(other *script) { s.ops = append(s.ops, other.ops...) }

// String prints the script in the manner of strace, one call a line.
func (s *script) String() string {
	var b strings.Builder
	for _, o := range s.ops {
		b.WriteString(o.String())
		b.WriteByte('\n')
	}
	return b.String()
}

func (o op) String() string {
	var b strings.Builder
	if name, ok := callNames[o.nr]; ok {
		b.WriteString(name)
	} else {
		fmt.Fprintf(&b, "syscall_%d", o.nr)
	}
	b.WriteByte('(')
	for i := range int(o.n) {
		if i > 0 {
			b.WriteString(", ")
		}
		switch a := o.args[i]; {
		case i == 0 && o.how&useSaved != 0:
			b.WriteString("$saved")
		case i == 1 && o.how&toStamp != 0:
			fmt.Fprintf(&b, "&stamp%d", a)
		case o.str&(1<<i) != 0:
			fmt.Fprintf(&b, "%q", unix.BytePtrToString(*(**byte)(unsafe.Pointer(&o.args[i]))))
		case a < 1<<12:
			fmt.Fprintf(&b, "%d", a)
		case a < 1<<32:
			fmt.Fprintf(&b, "%#x", a)
		case int(a) < 0:
			fmt.Fprintf(&b, "%d", int(a))
		default:
			b.WriteString("&")
		}
	}
	b.WriteByte(')')
	if o.how&mayFail != 0 {
		b.WriteString(" ?")
	}
	if o.how&wantZero != 0 {
		b.WriteString(" -> 0")
	}
	if o.how&save != 0 {
		b.WriteString(" -> $saved")
	}
	return b.String()
}

var callNames = map[uintptr]string{
	unix.SYS_CHDIR: "chdir", unix.SYS_CLOCK_GETTIME: "clock_gettime", unix.SYS_CLOSE: "close",
	unix.SYS_CLOSE_RANGE: "close_range", unix.SYS_DUP3: "dup3", unix.SYS_EXECVE: "execve",
	unix.SYS_EXIT_GROUP: "exit_group", unix.SYS_MKDIRAT: "mkdirat", unix.SYS_MOUNT: "mount",
	unix.SYS_OPENAT: "openat", unix.SYS_PIVOT_ROOT: "pivot_root", unix.SYS_PRCTL: "prctl",
	unix.SYS_PPOLL: "ppoll", unix.SYS_PRLIMIT64: "prlimit64", unix.SYS_RT_SIGPROCMASK: "rt_sigprocmask", unix.SYS_SECCOMP: "seccomp",
	unix.SYS_SETGROUPS: "setgroups", unix.SYS_SETHOSTNAME: "sethostname", unix.SYS_SETNS: "setns",
	unix.SYS_SETRESGID: "setresgid", unix.SYS_SETRESUID: "setresuid", unix.SYS_SETSID: "setsid",
	unix.SYS_UMASK: "umask", unix.SYS_UMOUNT2: "umount2", unix.SYS_UNSHARE: "unshare",
	unix.SYS_WRITE: "write", unix.SYS_SETPRIORITY: "setpriority", unix.SYS_CAPSET: "capset", unix.SYS_MOUNT_SETATTR: "mount_setattr",
}
