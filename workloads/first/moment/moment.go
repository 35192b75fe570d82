// Package moment holds when the first instruction of a program's own was: the first that
// Go lets a program have, once its runtime has started. It imports almost nothing, since
// a package is initialised after those that it imports, and else in the order of paths.
package moment

import (
	"syscall"
	"unsafe"
)

// At is the reading of CLOCK_MONOTONIC in nanoseconds.
var At = func() int64 {
	const monotonic = 1
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}()
