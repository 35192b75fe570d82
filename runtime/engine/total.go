package engine

import (
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// total reads the processor time of all sandboxes there have been from the
// cgroup that holds theirs. It finds that by the first sandbox it is shown. The
// zero value knows nothing.
type total struct {
	cpu hierarchy

	mu   sync.Mutex
	file string // empty until found
}

// learn looks for the folder above a sandbox's, by its first process. It is
// cheap once it has been found.
func (t *total) learn(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file != "" {
		return
	}
	dir, err := t.cpu.folder(strconv.Itoa(pid))
	if err != nil || !isOurs(dir) {
		return
	}
	t.file = filepath.Join(ourFolder(dir), t.cpu.choose("cpuacct.usage", "cpu.stat"))
}

// read reports false where it isn't known.
func (t *total) read() (time.Duration, bool) {
	t.mu.Lock()
	file := t.file
	t.mu.Unlock()
	if file == "" {
		return 0, false
	}
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	var b [512]byte
	n, err := unix.Read(fd, b[:])
	if err != nil {
		return 0, false
	}
	return parseCPU(b[:n]), true
}
