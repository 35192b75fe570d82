package main

import "golang.org/x/sys/unix"

var unprobed = []uintptr{
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_PAUSE, unix.SYS_RT_SIGRETURN, unix.SYS_FORK, unix.SYS_VFORK,
	unix.SYS_SYNC, unix.SYS_URETPROBE,
}
