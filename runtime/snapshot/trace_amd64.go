package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A tracee is a process that is stopped, as its tracer sees it: a thread that is locked
// from stop to kill.
type tracee struct {
	pid   int
	regs  unix.PtraceRegs // as it stood, with the call under way to be made again
	call  uint64          // where a system call's instruction is
	stack uint64          // of which nothing is in use from here downwards
}

// Numbers of ptrace(2) that package unix lacks, and of register sets (elf.h).
const (
	getSigMask = 0x420a
	getRSeq    = 0x420f
	ntXState   = 0x202
)

// stop attaches to a process that nobody else traces, and stops it.
func stop(pid int) (*tracee, error) {
	runtime.LockOSThread()
	t := &tracee{pid: pid}
	err := ptrace(unix.PTRACE_SEIZE, pid, 0, unix.PTRACE_O_EXITKILL)
	if err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("trace process %d: %w", pid, err)
	}
	if err = ptrace(unix.PTRACE_INTERRUPT, pid, 0, 0); err == nil {
		err = t.wait()
	}
	if err == nil {
		err = unix.PtraceGetRegs(pid, &t.regs)
	}
	if err != nil {
		t.kill()
		return nil, fmt.Errorf("stop process %d: %w", pid, err)
	}
	t.stack = (t.regs.Rsp - 1024) &^ 63
	t.settle()
	return t, nil
}

// The kernel's marks of a call that a stop has interrupted (include/linux/errno.h).
const (
	restartSys    = 512
	restartNoIntr = 513
	restartNoHand = 514
	restartBlock  = 516 // with what the kernel keeps of it: to be told that it was interrupted
	syscallLength = 2
	notInACall    = ^uint64(0)
)

// settle has a call that was interrupted made again.
func (t *tracee) settle() {
	r := &t.regs
	if r.Orig_rax != notInACall {
		switch -int64(r.Rax) {
		case restartSys, restartNoIntr, restartNoHand:
			r.Rax = r.Orig_rax
			r.Rip -= syscallLength
		case restartBlock:
			r.Rax = ^uint64(unix.EINTR) + 1
		}
	}
	r.Orig_rax = notInACall
}

// wait waits until the process has stopped.
func (t *tracee) wait() error {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(t.pid, &ws, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case ws.Stopped():
			return nil
		default:
			return errors.New("it has ended")
		}
	}
}

// kill ends the process and the tracing of it.
func (t *tracee) kill() {
	unix.Kill(t.pid, unix.SIGKILL)
	for t.wait() == nil {
		ptrace(unix.PTRACE_CONT, t.pid, 0, 0) // it was stopped before the signal came
	}
	runtime.UnlockOSThread()
}

// ask has the process make a system call, and returns its result.
func (t *tracee) ask(nr uint64, args ...uint64) (uint64, error) {
	r := t.regs
	r.Rip, r.Rax, r.Orig_rax = t.call, nr, notInACall
	for i, to := range []*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9}[:len(args)] {
		*to = args[i]
	}
	if err := unix.PtraceSetRegs(t.pid, &r); err != nil {
		return 0, err
	}
	if err := unix.PtraceSingleStep(t.pid); err != nil {
		return 0, err
	}
	if err := t.wait(); err != nil {
		return 0, err
	}
	if err := unix.PtraceGetRegs(t.pid, &r); err != nil {
		return 0, err
	}
	if r.Rip != t.call+syscallLength {
		return 0, errors.New("it was interrupted by a signal")
	}
	if errno := -int64(r.Rax); errno > 0 && errno < 4096 {
		return 0, unix.Errno(errno)
	}
	return r.Rax, nil
}

// askFor is ask for a call that writes size bytes where its argument at says.
func (t *tracee) askFor(mem *os.File, size, at int, nr uint64, args ...uint64) ([]byte, error) {
	args[at] = t.stack
	if _, err := t.ask(nr, args...); err != nil {
		return nil, err
	}
	b := make([]byte, size)
	_, err := mem.ReadAt(b, int64(t.stack))
	return b, err
}

// findCall looks for a system call's instruction in what the kernel has put there.
func (t *tracee) findCall(list []region, mem *os.File) error {
	for _, r := range list {
		if r.name != "[vdso]" {
			continue
		}
		code := make([]byte, r.size())
		if _, err := mem.ReadAt(code, int64(r.start)); err != nil {
			return err
		}
		for i := range len(code) - 1 {
			if code[i] == 0x0f && code[i+1] == 0x05 {
				t.call = r.start + uint64(i)
				return nil
			}
		}
	}
	return errors.New("no system call in the kernel's page")
}

// state is what a process has beside memory and files.
type state struct {
	regs   unix.PtraceRegs
	xstate []byte // of XSAVE, in its standard form
	mask   uint64

	actions  [64][]byte // struct sigaction of the kernel, by signal from 1 on; nil: the default
	altStack []byte     // stack_t
	limits   [16][]byte // struct rlimit64
	brk      uint64
	robust   [2]uint64 // head and length; 0: none
	rseq     struct {
		at     uint64
		size   uint32
		sig    uint32
		flags  uint32
		padded uint32
	}
}

// read reads the state of a stopped process.
func (t *tracee) read(mem *os.File) (*state, error) {
	s := &state{regs: t.regs, xstate: make([]byte, 16<<10)}
	v := unix.Iovec{Base: &s.xstate[0], Len: uint64(len(s.xstate))}
	if err := ptrace(unix.PTRACE_GETREGSET, t.pid, ntXState, uintptr(unsafe.Pointer(&v))); err != nil {
		return nil, fmt.Errorf("floating point's registers: %w", err)
	}
	s.xstate = s.xstate[:v.Len]
	if err := ptrace(getSigMask, t.pid, 8, uintptr(unsafe.Pointer(&s.mask))); err != nil {
		return nil, fmt.Errorf("signal mask: %w", err)
	}
	if err := ptrace(getRSeq, t.pid, unsafe.Sizeof(s.rseq), uintptr(unsafe.Pointer(&s.rseq))); err != nil {
		s.rseq.at = 0 // a kernel that has none, or doesn't tell: the library's fast paths find no processor
	}
	_, _, errno := unix.Syscall(unix.SYS_GET_ROBUST_LIST, uintptr(t.pid), uintptr(unsafe.Pointer(&s.robust[0])), uintptr(unsafe.Pointer(&s.robust[1])))
	if errno != 0 {
		return nil, fmt.Errorf("robust futexes: %w", errno)
	}
	return s, t.inquire(mem, s)
}

// inquire has the process itself say what nobody else is told.
func (t *tracee) inquire(mem *os.File, s *state) (err error) {
	for i := range s.actions {
		b, err := t.askFor(mem, 32, 2, unix.SYS_RT_SIGACTION, uint64(i+1), 0, 0, 8)
		if err != nil {
			return fmt.Errorf("handler of signal %d: %w", i+1, err)
		}
		if binary.LittleEndian.Uint64(b) != 0 { // SIG_DFL
			s.actions[i] = b
		}
	}
	if s.altStack, err = t.askFor(mem, 24, 1, unix.SYS_SIGALTSTACK, 0, 0); err != nil {
		return fmt.Errorf("signal stack: %w", err)
	}
	for i := range s.limits {
		if s.limits[i], err = t.askFor(mem, 16, 3, unix.SYS_PRLIMIT64, 0, uint64(i), 0, 0); err != nil {
			return fmt.Errorf("limit %d: %w", i, err)
		}
	}
	for which := range uint64(3) {
		b, err := t.askFor(mem, 32, 1, unix.SYS_GETITIMER, which, 0)
		if err != nil {
			return fmt.Errorf("timer: %w", err)
		}
		if binary.LittleEndian.Uint64(b[16:])|binary.LittleEndian.Uint64(b[24:]) != 0 {
			return unfit("it has set timers")
		}
	}
	s.brk, err = t.ask(unix.SYS_BRK, 0)
	return err
}

func ptrace(request, pid int, addr, data uintptr) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(pid), addr, data, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
