package drive

import (
	"sync/atomic"
	"syscall"
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

// wait sleeps until the bell has rung since heard was read, or the clock
// shows until. It may return early.
func (b *bell) wait(heard uint32, until results.Stamp) {
	ts := unix.NsecToTimespec(int64(until))
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.rings)), futexWaitBitset,
		uintptr(heard), uintptr(unsafe.Pointer(&ts)), 0, anyBit)
}

func (b *bell) ring() {
	b.rings.Add(1)
	syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&b.rings)), futexWake, 1, 0, 0, 0)
}

// sharpen lets the kernel end this thread's sleeps when they are due instead
// of within 50 µs of it (prctl(2), PR_SET_TIMERSLACK).
func sharpen() { unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

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
