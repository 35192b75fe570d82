// Command escape tries to get out of a sandbox, or to take from it more than it
// was given. Its first argument is the attempt, the others what it aims at. It
// prints one line: "reached" if it got there, "refused" and why, or "absent"
// where the kernel doesn't know what was asked. Run outside, an attempt that
// means anything reaches its aim.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// marker is what files, messages and greetings that must not be seen begin with.
const marker = "coldstorm marker"

var attempts = map[string]func(args []string) error{
	"read": readFile, "bytes": readBytes, "openw": openForWriting, "create": createFile, "climb": climb,
	"everyroot": everyRoot, "handle": byHandle, "fds": descriptors, "writables": writables, "append": appendTo, "chmod": changeMode,
	"kill": signalOther, "killall": killAll, "ptrace": trace, "vmread": readMemory, "pidfd": pidfd, "prlimit": limitsOf, "priority": priorityOf, "others": others,
	"shm": sharedMemory, "sem": semaphores, "msg": messages, "mq": queue, "key": key,
	"tcp": dial("tcp"), "unix": dial("unix"), "socket": socket, "link": linkUp,
	"mount": mount, "bind": bind, "remount": remount, "umount": unmount, "jailbreak": jailbreak,
	"mknod": makeNode, "node": openNode, "devices": devices, "tty": terminal,
	"call": call, "clone": clone, "ia32": ia32, "clock": setClock, "rlimit": raiseLimit, "oom": spareMe,
	"whoami": whoami, "exec": execute,
}

func main() {
	runtime.LockOSThread()
	args := os.Args[1:]
	if len(args) == 0 {
		fmt.Println("broken: no attempt named")
		os.Exit(3)
	}
	switch args[0] {
	case "prey":
		prey(args[1:])
		return
	case "fill", "inodes", "files":
		exhaust(args[0], args[1:])
		return
	case "probe":
		probe()
		return
	}
	try, ok := attempts[args[0]]
	if !ok {
		fmt.Println("broken: no attempt is named", args[0])
		os.Exit(3)
	}
	switch err := try(args[1:]); {
	case err == nil:
		fmt.Println("reached")
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.EPROTONOSUPPORT):
		fmt.Println("absent:", err)
	default:
		fmt.Println("refused:", err)
	}
}
