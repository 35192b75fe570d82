package snapshot

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A region is one mapping of a process (proc(5), /proc/pid/smaps).
type region struct {
	start, end uint64
	read       bool
	write      bool
	exec       bool
	shared     bool
	offset     uint64
	inode      uint64
	name       string // a file's path, as seen inside; the kernel's own name in brackets; or empty
	flags      string // two letters each, a space after each
}

func (r region) size() uint64 { return r.end - r.start }

func (r region) has(flag string) bool { return strings.Contains(r.flags, flag+" ") }

// ofFile says whether the region shows a file.
func (r region) ofFile() bool { return r.inode != 0 || strings.HasPrefix(r.name, "/") }

// ofKernel says whether the kernel has put it there, the same in every process.
func (r region) ofKernel() bool {
	return r.name == "[vdso]" || strings.HasPrefix(r.name, "[vvar")
}

// wiped says whether its content is not for a twin.
func (r region) wiped() bool { return r.has("wf") || r.has("dp") }

// parseMaps reads /proc/pid/smaps. The page that the kernel shows at the same place in
// every process is left out.
func parseMaps(from io.Reader) ([]region, error) {
	var list []region
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		head, rest, _ := strings.Cut(line, " ")
		if strings.HasSuffix(head, ":") {
			if head == "VmFlags:" && len(list) > 0 {
				list[len(list)-1].flags = strings.TrimSpace(rest) + " "
			}
			continue
		}
		r, err := parseRegion(line)
		if err != nil {
			return nil, err
		}
		if n := len(list); r.start >= r.end || n > 0 && r.start < list[n-1].end {
			return nil, fmt.Errorf("mapping %q out of order", line)
		}
		list = append(list, r)
	}
	if n := len(list); n > 0 && list[n-1].name == "[vsyscall]" {
		list = list[:n-1]
	}
	return list, lines.Err()
}

func parseRegion(line string) (r region, err error) {
	f := strings.Fields(line)
	if len(f) < 5 || len(f[1]) != 4 {
		return r, fmt.Errorf("malformed mapping %q", line)
	}
	from, to, _ := strings.Cut(f[0], "-")
	numbers := []struct {
		to   *uint64
		text string
		base int
	}{{&r.start, from, 16}, {&r.end, to, 16}, {&r.offset, f[2], 16}, {&r.inode, f[4], 10}}
	for _, n := range numbers {
		if *n.to, err = strconv.ParseUint(n.text, n.base, 64); err != nil {
			return r, fmt.Errorf("malformed mapping %q: %w", line, err)
		}
	}
	r.read, r.write, r.exec, r.shared = f[1][0] == 'r', f[1][1] == 'w', f[1][2] == 'x', f[1][3] == 's'
	for range 5 { // a name may hold spaces
		line = strings.TrimLeft(line, " ")
		_, line, _ = strings.Cut(line, " ")
	}
	r.name = strings.TrimLeft(line, " ")
	return r, nil
}

// check says why a region can't be laid again.
func (r region) check() error {
	what := r.name
	if what == "" {
		what = "anonymous memory"
	}
	switch {
	case r.ofKernel():
		if r.has("sl") {
			return unfit("this kernel seals %s, which must be moved", what)
		}
	case r.shared && (r.write || !r.ofFile()):
		return unfit("it shares memory that can be written (%s)", what)
	case strings.HasSuffix(r.name, " (deleted)"):
		return unfit("it has mapped a file that is gone (%s)", what)
	case r.ofFile() && inMemory(r.name):
		return unfit("it has mapped a file of /tmp or /dev (%s)", what)
	case r.has("ht") || r.has("um") || r.has("uw") || r.has("pf") || r.has("io") || r.has("sl") || r.has("ss"):
		return unfit("it has memory of a special kind (%s: %s)", what, strings.TrimSpace(r.flags))
	case strings.HasPrefix(r.name, "[") && r.name != "[heap]" && r.name != "[stack]" && !strings.HasPrefix(r.name, "[anon:"):
		return unfit("it has memory of an unknown kind (%s)", what)
	}
	return nil
}

// inMemory says whether a file is lost with its sandbox.
func inMemory(path string) bool {
	return strings.HasPrefix(path, "/tmp/") || strings.HasPrefix(path, "/dev/") || !strings.HasPrefix(path, "/")
}
