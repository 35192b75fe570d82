package main

import (
	"fmt"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

func init() {
	calls["iopl"], calls["ioperm"] = unix.SYS_IOPL, unix.SYS_IOPERM
	calls["x32 getpid"] = 1<<30 | unix.SYS_GETPID
}

// int80 makes a system call as a 32-bit program does.
func int80(nr uint32) int32

// ia32 asks for the process's number by the 32-bit call of that name (20). A kernel
// without 32-bit programs has no such gate, and faults.
func ia32([]string) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%w: %v", unix.ENOSYS, fault)
		}
	}()
	if r := int80(20); r < 0 {
		return unix.Errno(-r)
	}
	return nil
}
