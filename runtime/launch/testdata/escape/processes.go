package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func pidOf(arg string) int {
	n, err := strconv.Atoi(arg)
	if err != nil {
		fmt.Println("broken:", err)
		os.Exit(3)
	}
	return n
}

func signalOther(args []string) error { return unix.Kill(pidOf(args[0]), 0) }

// killAll kills what it can; who is alive then says how far it reached.
func killAll([]string) error {
	unix.Kill(-1, unix.SIGTERM)
	return errors.New("see who is alive")
}

func trace(args []string) error {
	pid := pidOf(args[0])
	err := unix.PtraceSeize(pid)
	if err == nil {
		unix.PtraceDetach(pid)
	}
	return err
}

// readMemory reads the marker at an address in another process.
func readMemory(args []string) error {
	at, err := strconv.ParseUint(args[1], 0, 64)
	if err != nil {
		return err
	}
	b := make([]byte, len(marker))
	local := []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}
	_, err = unix.ProcessVMReadv(pidOf(args[0]), local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(b)}}, 0)
	if err == nil && string(b) != marker {
		err = errors.New("other bytes")
	}
	return err
}

func pidfd(args []string) error {
	fd, err := unix.PidfdOpen(pidOf(args[0]), 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func limitsOf(args []string) error {
	return unix.Prlimit(pidOf(args[0]), unix.RLIMIT_NOFILE, nil, &unix.Rlimit{})
}

func priorityOf(args []string) error {
	_, err := unix.Getpriority(unix.PRIO_PROCESS, pidOf(args[0]))
	return err
}

// others looks for a process that isn't this one.
func others([]string) error {
	list, _ := filepath.Glob("/proc/[0-9]*")
	if len(list) > 1 {
		return nil
	}
	return fmt.Errorf("only %v", list)
}

// execute runs a program and takes over its verdict.
func execute(args []string) error {
	out, err := exec.Command(args[0], args[1:]...).Output()
	if err == nil && strings.HasPrefix(string(out), "reached") {
		return nil
	}
	return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
}

// whoami reaches its aim if the program has become another user, or can anything.
func whoami([]string) error {
	ruid, euid, suid := unix.Getresuid()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	if ruid != euid || suid != euid {
		return nil
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if strings.HasPrefix(name, "Cap") && strings.Trim(value, "0") != "" && name != "CapBnd" {
			return nil
		}
	}
	return fmt.Errorf("user %d without a capability", euid)
}

// raiseLimit wants one more of a limit than it may have at most.
func raiseLimit(args []string) error {
	which := map[string]int{"files": unix.RLIMIT_NOFILE, "core": unix.RLIMIT_CORE}[args[0]]
	var lim unix.Rlimit
	if err := unix.Getrlimit(which, &lim); err != nil {
		return err
	}
	lim.Cur, lim.Max = lim.Max+1, lim.Max+1
	return unix.Prlimit(0, which, &lim, nil)
}

// spareMe sets how likely it is to be killed when memory runs out.
func spareMe(args []string) error {
	return os.WriteFile("/proc/self/oom_score_adj", []byte(args[0]), 0)
}

// prey is what attempts from another sandbox aim at, and on the host their
// control: it holds everything under one name until its input ends. It prints
// its pid, the address of a marker in its memory, and its port.
func prey(args []string) {
	name, port, stay := args[0], args[1], len(args) > 2 && args[2] == "stay"
	unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0)
	held := []byte(marker)
	var undo []func()
	for _, hold := range []func(string) (func(), error){holdFiles, holdShm, holdSem, holdMsg, holdQueue, holdKey} {
		u, err := hold(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "prey:", err)
			continue
		}
		undo = append(undo, u)
	}
	port, err := holdSockets(name, port)
	if err != nil {
		fmt.Fprintln(os.Stderr, "prey:", err)
	}
	fmt.Println(os.Getpid(), uintptr(unsafe.Pointer(&held[0])), port)
	if stay {
		select {}
	}
	bufio.NewReader(os.Stdin).ReadString(0)
	for _, u := range undo {
		u()
	}
	held[0] = 0
}
