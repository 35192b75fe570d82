package launch

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A child is a process between clone and execve: it lives in its parent's memory,
// on a stack of its own here, and performs one script after another as they are
// given to it, until one ends in execve or exit.
//
// Its parent goes on beside it, which is why this is not vfork: the network, which a
// start needs and its child doesn't make, is made meanwhile on another processor, and a
// child can wait with everything done but execve. The parent must
// keep a child, and the scripts that it was given, for as long as it lives here
// (see wait): the garbage collector doesn't know that somebody reads them.
//
// Only nosplit functions and raw system calls run in the child, with every signal
// blocked until its last script lets them through: no part of the Go runtime takes
// notice of it, and no linkname into the runtime is needed. It drops the Go
// runtime's signal handlers as it is cloned, since one that ran in it would run on
// its parent's memory.
type child struct {
	// phase is 1 and the number of scripts performed, and 0 once the child has left
	// this memory: the kernel clears it at execve and at death
	// (CLONE_CHILD_CLEARTID). Both wake who waits for it (futex(2)).
	phase uint32
	pid   int
	first *script
	last  *script // of those given; the parent's
	given uint32  // scripts given; the parent's

	stamps [stampCount]unix.Timespec
	saved  uintptr // result kept by an operation

	all, mask uint64 // signal masks of the parent during clone
	args      cloneArgs
	stack     [childStack]byte
}

// childStack holds the frames of play and of what it calls, a few hundred bytes.
const childStack = 8 << 10

// cloneArgs is struct clone_args of clone3(2), up to and including cgroup.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal,
	stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// rawClone makes the clone or clone3 call, whose child begins in play.
//
//go:noescape
func rawClone(trap, a1, a2, a3, a4, a5 uintptr, c *child) (pid, errno uintptr)

// clone starts a child with the namespaces in flags that begins with s. The calling
// thread must live as long as the child is to: its death is what the child's
// death signal tells.
//
// cgroup, when not negative, is the directory of a version 2 cgroup for the child
// to be born in.
func (s *script) clone(flags uintptr, cgroup int) (*child, error) {
	flags |= unix.CLONE_VM | unix.CLONE_CHILD_CLEARTID
	c := &child{phase: 1, first: s, last: s, given: 1, all: ^uint64(0)}
	tid, stack := uintptr(unsafe.Pointer(&c.phase)), uintptr(unsafe.Pointer(&c.stack))
	c.args = cloneArgs{
		flags: uint64(flags) | unix.CLONE_CLEAR_SIGHAND, exitSignal: uint64(unix.SIGCHLD),
		childTID: uint64(tid), stack: uint64(stack), stackSize: childStack,
	}
	if cgroup >= 0 {
		c.args.flags |= unix.CLONE_INTO_CGROUP
		c.args.cgroup = uint64(cgroup)
	}
	n, errno := c.fork(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&c.args)), unsafe.Sizeof(c.args), 0, 0, 0)
	if errno != 0 && cgroup < 0 { // before Linux 5.5, or in a container that hides clone3
		a4, a5 := tid, uintptr(0)
		if runtime.GOARCH == "arm64" { // where the thread's storage comes before the id
			a4, a5 = a5, a4
		}
		n, errno = c.fork(unix.SYS_CLONE, flags|uintptr(unix.SIGCHLD), stack+childStack, 0, a4, a5)
	}
	if errno != 0 {
		return nil, syscall.Errno(errno)
	}
	c.pid = int(n)
	return c, nil
}

// fork blocks all signals around clone.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func (c *child) fork(trap, a1, a2, a3, a4, a5 uintptr) (pid, errno uintptr) {
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&c.all)), uintptr(unsafe.Pointer(&c.mask)), 8, 0, 0)
	pid, errno = rawClone(trap, a1, a2, a3, a4, a5, c)
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&c.mask)), 0, 8, 0, 0)
	return
}

// give hands the child its next script, which it performs once it has performed
// those before.
func (c *child) give(s *script) {
	c.last.next = s
	set(&c.last.more, 1)
	c.last = s
	c.given++
}

// wait returns once the child has performed every script that it was given, or
// has left this memory. It says whether it is still here.
func (c *child) wait() (here bool) {
	for {
		phase := atomic.LoadUint32(&c.phase)
		if phase == 0 || phase > c.given {
			return phase != 0
		}
		waitWhile(&c.phase, phase)
	}
}

// end waits until a child that was killed has left this memory.
func (c *child) end() {
	for c.given = ^uint32(0) >> 1; c.wait(); { // more scripts than it will ever perform
	}
}

// err is what stopped the child, if an operation did.
func (c *child) err() error {
	for s := c.first; s != nil; s = s.next {
		if err := s.failed(); err != nil {
			return err
		}
	}
	return nil
}

// forbidden lists the operations that were allowed to fail and did.
func (c *child) forbidden() (list []string) {
	for s := c.first; s != nil; s = s.next {
		list = append(list, s.forbidden()...)
	}
	return list
}

// run is clone for a single script that ends in execve or exit, and returns when
// it has.
func (s *script) run(flags uintptr, cgroup int) (pid int, err error) {
	c, err := s.clone(flags, cgroup)
	if err != nil {
		return 0, err
	}
	c.wait()
	return c.pid, nil
}

// play is the child's whole life here. rawClone calls it, which a linter can't see.
//
//lint:ignore U1000 called by assembly
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func play(c *child) {
	s := c.first
	for c.perform(s) {
		atomic.AddUint32(&c.phase, 1)
		if atomic.LoadUint32(&s.more) == 0 { // else who waits does so for more than this script
			syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&c.phase)), futexWake, 1, 0, 0, 0)
		}
		for atomic.LoadUint32(&s.more) == 0 {
			syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.more)), futexWait, 0, 0, 0, 0)
		}
		s = s.next
	}
	for {
		syscall.RawSyscall6(unix.SYS_EXIT_GROUP, 127, 0, 0, 0, 0, 0)
	}
}

// perform carries out a script's operations in order. It reports false when one
// that must not fail did.
//
//go:nosplit
//go:noinline
//go:norace
//go:nocheckptr
func (c *child) perform(s *script) bool {
	for i := 0; i < len(s.ops); i++ {
		o := &s.ops[i]
		a0, a1 := o.args[0], o.args[1]
		if o.how&useSaved != 0 {
			a0 = c.saved
		}
		if o.how&toStamp != 0 {
			a1 = uintptr(unsafe.Pointer(&c.stamps[o.args[1]]))
		}
		r, _, e := syscall.RawSyscall6(o.nr, a0, a1, o.args[2], o.args[3], o.args[4], o.args[5])
		o.errno = e
		if e == 0 && r != 0 && o.how&wantZero != 0 {
			e = unix.ESRCH
		}
		if e != 0 && o.how&mayFail == 0 {
			s.at, s.errno = int32(i), e
			return false
		}
		if o.how&save != 0 {
			c.saved = r
		}
	}
	return true
}
