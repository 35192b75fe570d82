package launch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What the process launcher starts is in no namespace and in no cgroup of its own. It
// is told from others by a variable in its environment, which what it starts inherits:
// the launcher's process, as a pid and the time of its start, which no two share. A
// program that empties the environment of what it leaves behind isn't followed.

// markVariable names it.
const markVariable = "COLDSTORM_LAUNCHER"

// mark is what this process marks its programs with.
func mark() string {
	return fmt.Sprintf("%s=%d-%s-%s", markVariable, os.Getpid(), started(os.Getpid()), pidNamespace())
}

// started is when a process was started, in the kernel's ticks since boot; empty if
// there is none, or only what is left of one to be reaped (proc(5), stat).
func started(pid int) string {
	f := stat(pid)
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return ""
	}
	return f[19]
}

// ownerDead says whether the launcher that a mark names is no more. Of one in another
// pid namespace nothing is known.
func ownerDead(mark string) bool {
	f := strings.Split(mark, "-")
	if len(f) != 3 || f[2] != pidNamespace() {
		return false
	}
	pid, err := strconv.Atoi(f[0])
	return err == nil && pid > 0 && started(pid) != f[1]
}

// endMarked ends the processes whose launcher was killed, and says which.
func endMarked() (ended []string) {
	for limit := time.Now().Add(cleanTime); time.Now().Before(limit); {
		found := endMarkedOnce()
		if len(found) == 0 {
			break
		}
		ended = append(ended, found...) // and once more: one may have forked meanwhile
	}
	return ended
}

func endMarkedOnce() (ended []string) {
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return nil
	}
	for _, file := range files {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0) // before it is read: the pid is no other's then
		if err != nil {
			continue
		}
		text, err := os.ReadFile(file) // empty of one that has died, none of another user's
		if err == nil && ownerDead(markIn(text)) && unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil {
			ended = append(ended, "process "+strconv.Itoa(pid))
		}
		unix.Close(fd)
	}
	return ended
}

// markIn is the mark in an environment, or empty.
func markIn(environ []byte) string {
	for v := range bytes.SplitSeq(environ, []byte{0}) {
		if m, ok := bytes.CutPrefix(v, []byte(markVariable+"=")); ok {
			return string(m)
		}
	}
	return ""
}
