package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Go's runtime handles every signal that a program can catch, and what is
// handled is back at its default after execve, but for these three, which C
// libraries keep to themselves. A parent that ignored one of them would have
// every sandbox ignore it.
const firstLibrarySignal, lastLibrarySignal = 32, 34

// defaultSignals lets sandboxes start with every signal at its default.
func defaultSignals() {
	var action [32]byte // struct sigaction of the kernel: SIG_DFL, no flags, no mask
	for sig := uintptr(firstLibrarySignal); sig <= lastLibrarySignal; sig++ {
		syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	}
}
