package drive

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// The sender's thread sleeps in a futex rather than on a Go timer, which the
// runtime rounds up to a millisecond (golang.org/issue/53824), and rather than
// in nanosleep, which nobody could end.

// bell wakes one thread that sleeps on it.
type bell struct{ rings atomic.Uint32 }

const (
	futexWaitBitset = 9 | 128 // private; an absolute time on CLOCK_MONOTONIC
	futexWake       = 1 | 128
	anyBit          = 0xffffffff
)

// A short sleep is hidden from the Go scheduler, which would else give the
// thread's processor away and make it queue for another when it wakes. It is
// short because the scheduler, in vain, sends signals to who hides for 10 ms.
const (
	hidden = 2 * time.Millisecond
	margin = 1 * time.Millisecond // by which a long sleep ends early, to come back in time
)

// wait sleeps until the bell has rung since heard was read, or the clock
// shows until. It may return early.
func (b *bell) wait(heard uint32, until results.Stamp) {
	if until.Sub(results.Now()) <= hidden {
		ts := unix.NsecToTimespec(int64(until))
		syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.rings)), futexWaitBitset,
			uintptr(heard), uintptr(unsafe.Pointer(&ts)), 0, anyBit)
		return
	}
	ts := unix.NsecToTimespec(int64(until.Add(-margin)))
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.rings)), futexWaitBitset,
		uintptr(heard), uintptr(unsafe.Pointer(&ts)), 0, anyBit)
}

func (b *bell) ring() {
	b.rings.Add(1)
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.rings)), futexWake, 1, 0, 0, 0)
}

// sharpen makes this thread one that wakes in time: the kernel ends its sleeps
// when they are due instead of within 50 µs of it (prctl(2),
// PR_SET_TIMERSLACK), and lets it run before others that are in the middle of
// theirs, as it asks for little at once (sched(7): a slice of 100 µs, from Linux
// 6.12) and, where that is allowed, for precedence. None of it is needed to be
// right, so errors are left aside. A real-time class is not used: spinning in it
// is throttled by the kernel, for 50 ms in every second.
func sharpen() {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	slice := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Runtime: 100_000, Nice: -10}
	if unix.SchedSetAttr(0, &slice, 0) != nil {
		slice.Nice = 0
		unix.SchedSetAttr(0, &slice, 0)
	}
}

// send is write(2) on a socket that does not block, so that the scheduler need
// not be told: telling it can cost the thread its turn.
func send(fd uintptr, data []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(data))),
			uintptr(len(data)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// recv is read(2) likewise.
func recv(fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

// silent reports whether a socket is open at the other end and, unless chatty,
// has nothing to read.
func silent(fd uintptr, chatty bool) bool {
	var b [1]byte
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b)), 1,
		unix.MSG_PEEK|unix.MSG_DONTWAIT, 0, 0)
	return errno == unix.EAGAIN || (chatty && errno == 0 && n > 0)
}
