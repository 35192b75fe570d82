package launch

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What threads of a launch wait for is a word of memory, by futex(2), rather than a
// channel: a channel's wake-up is Go's scheduler's, which starts threads of its own to
// look for work, on the processors that the launch needs (23 sleeps and wake-ups a
// launch were counted, where 5 do). Likewise the short calls of a launch are made
// without telling the scheduler (raw): it would wake its monitor after each.
const (
	futexWait = 0 // FUTEX_WAIT and FUTEX_WAKE of linux/futex.h, not private: the kernel's own wake is not
	futexWake = 1
)

// waitWhile returns once a word has another value than v.
func waitWhile(word *uint32, v uint32) {
	for atomic.LoadUint32(word) == v {
		syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(v), 0, 0, 0)
	}
}

// set gives a word a value and wakes who waits for another.
func set(word *uint32, v uint32) {
	atomic.StoreUint32(word, v)
	wake(word)
}

// wake wakes who waits for a word to change.
func wake(word *uint32) {
	syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1<<30, 0, 0, 0)
}

// raw makes a system call that doesn't wait for anything but other launches.
//
//go:uintptrescapes
func raw(nr uintptr, a ...uintptr) (int, error) {
	var args [6]uintptr
	copy(args[:], a)
	r, _, errno := syscall.RawSyscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5])
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}
