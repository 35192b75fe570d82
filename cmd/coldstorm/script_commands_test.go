package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// interrupt runs a command and sends it SIGINT, as Ctrl-C does, when it has
// written a given text to stderr:
//
//	interrupt TEXT COMMAND [ARGUMENTS]
//
// Its exit code is the command's, or 1 if the text never came.
func interrupt() {
	os.Exit(disturbed(func(p *os.Process) { p.Signal(os.Interrupt) }))
}

// beheaded does the same, but kills the command's engine.
func beheaded() {
	os.Exit(disturbed(func(*os.Process) {
		for _, p := range ours() {
			if args, _ := os.ReadFile(filepath.Join(strings.TrimPrefix(p, "process "), "cmdline")); strings.Contains(string(args), "\x00__engine") {
				unix.Kill(pidOf(p), unix.SIGKILL)
			}
		}
	}))
}

// killed does the same with SIGKILL, and then waits until the processes that
// the command had started have ended by themselves.
func killed() {
	disturbed(func(p *os.Process) { p.Kill() })
	for _, p := range ours() {
		if fd, err := unix.PidfdOpen(pidOf(p), 0); err == nil {
			unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1) // readable at its end
		}
	}
	os.Exit(1)
}

// pidOf is the number of a process of ours.
func pidOf(process string) int {
	pid, _ := strconv.Atoi(filepath.Base(process))
	return pid
}

// disturbed runs the command, disturbs it once the text came, and returns its exit code;
// 1 if the text never did.
func disturbed(disturb func(*os.Process)) int {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdout = os.Stdout
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	seen := false
	for lines := bufio.NewScanner(io.TeeReader(stderr, os.Stderr)); lines.Scan(); {
		if !seen && strings.Contains(lines.Text(), os.Args[1]) {
			seen = true
			disturb(cmd.Process)
		}
	}
	cmd.Wait()
	if !seen {
		return 1
	}
	return cmd.ProcessState.ExitCode()
}

// leftovers lists what this script's runs left on this machine: coldstorm's own
// processes and temporary folders. Cgroups and mounts are the launcher's, whose
// own tests look for them.
func leftovers() {
	for _, l := range left() {
		fmt.Println(l)
	}
}

func left() []string {
	folders, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "coldstorm-*"))
	return append(ours(), folders...)
}

// ours lists the processes that coldstorm started of itself in this script.
func ours() []string {
	var all []string
	mine := "WORK=" + os.Getenv("WORK") + "\x00"
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range commands {
		args, _ := os.ReadFile(file)
		env, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		if strings.Contains(string(args), "\x00__") && strings.Contains(string(env), mine) {
			all = append(all, "process "+filepath.Dir(file))
		}
	}
	return all
}
