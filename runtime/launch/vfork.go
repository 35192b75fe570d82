package launch

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cloneArgs is struct clone_args of clone3(2), up to and including cgroup.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal,
	stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// rawVfork makes the clone or clone3 call. It returns twice: 0 in the child.
//
//go:noescape
func rawVfork(trap, a1, a2 uintptr) (pid, errno uintptr)

// run clones a child with the namespaces in flags and lets it run s, which
// ends in execve or exit. The calling thread waits until then, with its memory
// lent to the child, so s.at and s.errno can be read as soon as run returns:
// errno 0 means that the program runs (or that the script ended in exit).
//
// cgroup, when not negative, is the directory of a version 2 cgroup for the
// child to be born in.
//
// The child drops the Go runtime's signal handlers as it is cloned: one that ran
// in it, once signals are let through just before execve, would run on its
// parent's memory.
//
// Only nosplit functions and raw system calls run between clone and execve, in
// the child as in the parent, and every signal is blocked in both: no part of
// the Go runtime takes notice of the child, and no linkname into it is needed.
func (s *script) run(flags uintptr, cgroup int) (pid int, err error) {
	flags |= unix.CLONE_VM | unix.CLONE_VFORK
	args := &cloneArgs{flags: uint64(flags) | unix.CLONE_CLEAR_SIGHAND, exitSignal: uint64(unix.SIGCHLD)}
	if cgroup >= 0 {
		args.flags |= unix.CLONE_INTO_CGROUP
		args.cgroup = uint64(cgroup)
	}
	s.all = ^uint64(0)
	n, errno := s.fork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)), unsafe.Sizeof(*args))
	if errno != 0 && cgroup < 0 { // before Linux 5.5, or in a container that hides clone3
		n, errno = s.fork(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD), 0)
	}
	runtime.KeepAlive(args)
	runtime.KeepAlive(s)
	if errno != 0 {
		return 0, syscall.Errno(errno)
	}
	return int(n), nil
}

// fork blocks all signals around vfork.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func (s *script) fork(trap, a1, a2 uintptr) (pid, errno uintptr) {
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&s.all)), uintptr(unsafe.Pointer(&s.mask)), 8, 0, 0)
	pid, errno = s.vfork(trap, a1, a2)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&s.mask)), 0, 8, 0, 0)
	return
}

// vfork is a frame of its own, and the child's work another one below it, so
// that what the child leaves on the shared stack is nothing that the parent
// reads again.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func (s *script) vfork(trap, a1, a2 uintptr) (pid, errno uintptr) {
	pid, errno = rawVfork(trap, a1, a2)
	if pid == 0 {
		s.child()
	}
	return
}

// child runs the operations in order and never returns.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func (s *script) child() {
	var saved uintptr
	for i := 0; i < len(s.ops); i++ {
		o := &s.ops[i]
		a0 := o.args[0]
		if o.how&useSaved != 0 {
			a0 = saved
		}
		r, _, e := syscall.RawSyscall6(o.nr, a0, o.args[1], o.args[2], o.args[3], o.args[4], o.args[5])
		o.errno = e
		if e == 0 && r != 0 && o.how&wantZero != 0 {
			e = unix.ESRCH
		}
		if e != 0 && o.how&mayFail == 0 {
			s.at, s.errno = int32(i), e
			break
		}
		if o.how&save != 0 {
			saved = r
		}
	}
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 127, 0, 0, 0, 0, 0)
	}
}
