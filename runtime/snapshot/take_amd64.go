package snapshot

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Possible is why no process of this kind of host can be restored; nil if they can.
func Possible() error { return nil }

// Take takes a snapshot of the process pid, the first of its sandbox, into the folder
// layer, which must be empty, and ends the process whatever comes of it. The process has
// asked the Runtime API at 127.0.0.1 and port for its restore, and been answered nothing.
// maxBytes bounds the memory that is written. An error that is Unfit says what of the
// process can't be restored.
func Take(pid, port int, layer string, maxBytes int64) (Snapshot, error) {
	s, err := take(pid, port, layer, maxBytes)
	if err != nil {
		return s, fmt.Errorf("take snapshot: %w", err)
	}
	return s, nil
}

func take(pid, port int, layer string, maxBytes int64) (s Snapshot, err error) {
	t, err := stop(pid)
	if err != nil {
		return s, err
	}
	defer t.kill()
	if err := alone(pid); err != nil {
		return s, err
	}
	mem, err := open(pid, "mem")
	if err != nil {
		return s, err
	}
	defer mem.Close()
	p, err := observe(t, port)
	if err != nil {
		return s, err
	}
	dir := filepath.Join(layer, folder)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755)); err != nil { // whatever the umask
		return s, err
	}
	if s.Bytes, err = p.save(pid, mem, filepath.Join(layer, memoryPath), maxBytes); err != nil {
		return s, err
	}
	if err := t.findCall(p.regions, mem); err != nil { // from here on it is made use of: its memory is written already
		return s, err
	}
	if p.state, err = t.read(mem); err != nil {
		return s, err
	}
	code, err := restorer(p)
	if err != nil {
		return s, err
	}
	path := filepath.Join(layer, programPath)
	s.Argv, s.Regions = []string{programPath}, len(p.regions)
	return s, errors.Join(os.WriteFile(path, code, 0o755), os.Chmod(path, 0o755))
}

// observe reads what /proc tells of a stopped process.
func observe(t *tracee, port int) (*process, error) {
	p := &process{port: port}
	maps, err := open(t.pid, "smaps")
	if err != nil {
		return nil, err
	}
	defer maps.Close()
	if p.regions, err = parseMaps(maps); err != nil {
		return nil, err
	}
	for _, r := range p.regions {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	if p.files, err = files(t.pid, port); err != nil {
		return nil, err
	}
	if p.dir, err = os.Readlink(fmt.Sprintf("/proc/%d/cwd", t.pid)); err != nil {
		return nil, err
	}
	if inMemory(p.dir + "/") {
		return nil, unfit("its working folder is its sandbox's alone (%s)", p.dir)
	}
	texts := map[string]string{"stat": "", "comm": "", "status": ""}
	for name := range texts {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", t.pid, name))
		if err != nil {
			return nil, err
		}
		texts[name] = string(b)
	}
	p.name = strings.TrimSpace(texts["comm"])
	if p.umask, err = umaskOf(texts["status"]); err != nil {
		return nil, err
	}
	huge, _ := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled") // a kernel without has no such file
	p.hugeByAdvice = strings.Contains(string(huge), "[madvise]")
	p.layout, err = parseLayout(texts["stat"])
	return p, err
}

// umaskOf finds the umask in /proc/pid/status.
func umaskOf(status string) (uint64, error) {
	for line := range strings.Lines(status) {
		if text, ok := strings.CutPrefix(line, "Umask:"); ok {
			return strconv.ParseUint(strings.TrimSpace(text), 8, 16)
		}
	}
	return 0, errors.New("no umask in /proc/pid/status")
}

// save writes the memory that the process has changed to a file.
func (p *process) save(pid int, mem *os.File, path string, maxBytes int64) (int64, error) {
	pagemap, err := open(pid, "pagemap")
	if err != nil {
		return 0, err
	}
	defer pagemap.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	w, left := bufio.NewWriterSize(out, 1<<20), maxBytes
	for _, r := range p.regions {
		runs, err := dump(r, mem, pagemap, w, &left)
		if err != nil {
			return 0, err
		}
		p.runs = append(p.runs, runs...)
	}
	return maxBytes - left, errors.Join(w.Flush(), out.Chmod(0o644))
}
