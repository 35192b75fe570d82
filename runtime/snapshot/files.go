package snapshot

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A file is an open descriptor beyond the standard streams.
type file struct {
	fd    int
	path  string // of a file; empty: the connection to the Runtime API
	pos   int64
	flags int
}

// files lists what a process has open. Of the Runtime API it may have one connection, to
// 127.0.0.1 at port.
func files(pid, port int) ([]file, error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []file
	asks := 0
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= 2 {
			continue
		}
		to, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
		if err != nil {
			return nil, err
		}
		f, err := parseInfo(string(info))
		if err != nil {
			return nil, err
		}
		f.fd = fd
		switch {
		case strings.HasPrefix(to, "socket:["):
			ok, err := connected(pid, strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]"), port)
			if err != nil {
				return nil, err
			}
			if asks++; !ok || asks > 1 {
				return nil, unfit("it has a socket open beside its connection to the Runtime API (descriptor %d)", fd)
			}
		case !strings.HasPrefix(to, "/"):
			return nil, unfit("it has a descriptor open that is no file: %s (descriptor %d)", to, fd)
		case strings.HasSuffix(to, " (deleted)") || inMemory(to) && !slices.Contains(streams, to):
			return nil, unfit("it has a file open that its sandbox alone has: %s", to)
		case f.flags&unix.O_ACCMODE != unix.O_RDONLY && !slices.Contains(streams, to):
			return nil, unfit("it has a file open for writing: %s", to)
		default:
			f.path = to
		}
		list = append(list, f)
	}
	if asks == 0 {
		return nil, unfit("it has no connection to the Runtime API")
	}
	return list, nil
}

// streams are devices that are the same in every sandbox.
var streams = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// parseInfo reads /proc/pid/fdinfo/fd.
func parseInfo(text string) (f file, err error) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "pos":
			f.pos, err = strconv.ParseInt(value, 10, 64)
		case "flags":
			var n uint64
			n, err = strconv.ParseUint(value, 8, 32)
			f.flags = int(n)
		}
		if err != nil {
			return f, fmt.Errorf("malformed descriptor %q: %w", line, err)
		}
	}
	return f, nil
}

// connected says whether a socket is a connection to 127.0.0.1 at port.
func connected(pid int, inode string, port int) (bool, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	if err != nil {
		return false, err
	}
	return hasConnection(string(b), inode, port), nil
}

// hasConnection looks for an established connection in a table of /proc/net/tcp.
func hasConnection(table, inode string, port int) bool {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) > 9 && f[9] == inode && f[3] == "01" && f[2] == fmt.Sprintf("0100007F:%04X", port) {
			return true
		}
	}
	return false
}

// alone checks that nothing but a process, its memory and its descriptors is to be
// carried.
func alone(pid int) error {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	if n := len(tasks); n != 1 {
		return unfit("it has %d threads, and a process of one alone can be restored", n)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return err
	}
	if len(strings.Fields(string(children))) > 0 {
		return unfit("it has started other processes, which still run")
	}
	timers, err := os.ReadFile(fmt.Sprintf("/proc/%d/timers", pid))
	if err == nil && len(timers) > 0 {
		return unfit("it has set timers")
	}
	for _, dir := range []string{"/tmp", "/dev/shm"} {
		left, err := os.ReadDir(fmt.Sprintf("/proc/%d/root%s", pid, dir))
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return unfit("its init has left files in %s, such as %s", dir, left[0].Name())
		}
	}
	return nil
}
