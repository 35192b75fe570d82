package launch

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A version 2 cgroup with processes of its own hands no controller down (kernel:
// cgroup-v2, no internal process constraint). So a run that was given a cgroup,
// by systemd-run -p Delegate=yes say, makes room in it: it moves its own
// processes into a folder of their own below, its leaf, and back when it ends.
// Processes of others are never moved: where there are any, there is no room,
// and a cgroup above may do (handedDown).
//
// The client does it, before it starts the launcher's process, which is born in
// the leaf then: from inside of a user namespace, the processes outside can't be
// recognised by what they execute.

// leafMark ends the name of a leaf.
const leafMark = "-" + lockedMark + "self"

// room counts the launchers of this process, for which one leaf does.
var room struct {
	sync.Mutex
	users int
	lock  int // on the leaf that this process made, see Clean; 0 without
}

// makeRoom moves this run's processes into a leaf of the cgroup that they are
// in, if that is what it takes to hand controllers down from it. Where it can't,
// nothing has changed.
func makeRoom() {
	room.Lock()
	defer room.Unlock()
	room.users++
	own := ownUnified()
	if own == "" || isLeaf(own) || !roomWanted(own) {
		return
	}
	pids, ok := oursAlone(own)
	if !ok {
		return
	}
	leaf := filepath.Join(own, cgroupName(os.Getpid(), strings.TrimPrefix(leafMark, "-"+lockedMark)))
	lock, err := makeLocked(leaf)
	if err != nil {
		return
	}
	room.lock = lock
	if move(pids, leaf) != nil { // back, and it was for nothing
		leaveLeaf(leaf)
	}
}

// ownUnified is the version 2 cgroup that this process is in, "" if none.
func ownUnified() string {
	found, err := ownCgroups()
	if h := found[""]; err == nil && h != nil {
		return h.dir
	}
	return ""
}

// roomWanted says whether a cgroup has controllers to hand down, is ours to
// change, and is one that processes keep from it: the root isn't, and has no
// cgroup.events.
func roomWanted(dir string) bool {
	for _, name := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		if unix.Access(filepath.Join(dir, name), unix.W_OK) != nil {
			return false
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "cgroup.events")); err != nil {
		return false
	}
	for _, c := range words(filepath.Join(dir, "cgroup.controllers")) {
		if c == "memory" || c == "cpu" || c == "pids" {
			return true
		}
	}
	return false
}

// oursAlone lists the processes of a cgroup, if all of them are of this run:
// this process, those above it that execute the same file, and what any of these
// started.
func oursAlone(dir string) (pids []string, ok bool) {
	top := os.Getpid()
	for p := parent(top); p > 1 && sameProgram(p); p = parent(p) {
		top = p
	}
	pids = words(filepath.Join(dir, "cgroup.procs"))
	for _, pid := range pids {
		p, err := strconv.Atoi(pid)
		if err != nil {
			return nil, false
		}
		for p > 1 && p != top {
			p = parent(p)
		}
		if p != top {
			return nil, false
		}
	}
	return pids, true
}

// sameProgram says whether a process executes the file that this one does.
func sameProgram(pid int) bool {
	ours, err := os.Stat("/proc/self/exe")
	theirs, err2 := os.Stat("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil && err2 == nil && os.SameFile(ours, theirs)
}

// stat is what the kernel says of a process from its state on, after its name; nothing
// if it is gone (proc(5), stat).
func stat(pid int) []string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

// parent is a process's parent, 0 if it has none or is gone.
func parent(pid int) int {
	f := stat(pid)
	if len(f) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

// move moves processes into a cgroup. One that has ended is none.
func move(pids []string, dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, pid := range pids {
		if _, err := f.WriteString(pid); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("move process %s to %s: %w", pid, dir, err)
		}
	}
	return nil
}

// leaveRoom undoes makeRoom, unless another launcher has controllers handed down
// beside the leaf: then that one's end does.
func leaveRoom() {
	room.Lock()
	defer room.Unlock()
	room.users--
	if own := ownUnified(); room.users == 0 && isLeaf(own) {
		leaveLeaf(own)
	}
}

func isLeaf(dir string) bool {
	return strings.HasPrefix(filepath.Base(dir), cgroupPrefix) && strings.HasSuffix(dir, leafMark)
}

func leaveLeaf(leaf string) {
	dir := filepath.Dir(leaf)
	file := filepath.Join(dir, "cgroup.subtree_control")
	var off []string
	for _, c := range words(file) {
		off = append(off, "-"+c)
	}
	if len(off) > 0 && write(file, strings.Join(off, " ")) != nil {
		return // in use
	}
	if move(words(filepath.Join(leaf, "cgroup.procs")), dir) == nil {
		rmdir(unix.AT_FDCWD, leaf)
		if room.lock > 0 {
			unix.Close(room.lock)
			room.lock = 0
		}
	}
}

// write writes to a file that is there.
func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
