package main

import "golang.org/x/sys/unix"

// ia32 is of another machine.
func ia32([]string) error { return unix.ENOSYS }
