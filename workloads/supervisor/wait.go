package main

import (
	"syscall"
	"unsafe"
)

// waitable blocks until a child has ended, and leaves it to be reaped.
func waitable() error {
	const (
		pAll    = 0
		wExited = 4
		wNoWait = 0x01000000
	)
	var info [128]byte
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pAll, 0, uintptr(unsafe.Pointer(&info)), wExited|wNoWait, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
