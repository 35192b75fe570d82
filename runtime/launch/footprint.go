package launch

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// A Footprint is what a launcher holds of the machine once everything that ended has
// been removed: what must not grow with the number of starts.
type Footprint struct {
	Client, Daemon Held

	Sandboxes int // alive: launched, or ready in a pool
	Processes int // children of the launcher's process, dead ones that wait included
	Cgroups   int // of sandboxes, one in each hierarchy that is used

	// Spares are networks of sandboxes that have ended, for the pool to use again: as many
	// as lived at once beyond what is in it, and no more than a bound. Each is a
	// descriptor and a namespace, which Daemon leaves out.
	Spares int

	Charged int64 // bytes that the memory cgroups of sandboxes are charged with, the kernel's own among them; 0 without
	Own     int64 // of these, what programs have mapped, written or read
}

// Held is what one process holds.
type Held struct {
	Descriptors int
	Threads     int
	Mounts      int   // in the fullest of its threads' mount namespaces
	Namespaces  int   // different ones that its descriptors hold or its threads are in
	Heap        int64 // bytes of the Go heap that are reachable
	Resident    int64 // bytes of its resident set
}

// Footprint asks the launcher's process for what it holds, and adds what this one does.
// It collects the garbage of both.
func (l *Launcher) Footprint() (Footprint, error) {
	var f Footprint
	d, err := l.ask(msgFootprint, 0, nil)
	if err == nil {
		f.decode(&d)
		err = d.err
	}
	if err != nil {
		return f, fmt.Errorf("footprint of the launcher: %w", err)
	}
	f.Client = held()
	return f, nil
}

// Settle returns once what belonged to sandboxes that have ended is removed. (The kernel
// may still be at it: it destroys network namespaces in a thread of its own.)
func (l *Launcher) Settle() error {
	if _, err := l.ask(msgSettle, 0, nil); err != nil {
		return fmt.Errorf("settle: %w", err)
	}
	return nil
}

// account answers a question about what the daemon holds.
func (d *daemon) account(kind, seq int64) {
	e := encoder{}
	d.settled()
	if kind == msgFootprint {
		f := d.footprint()
		f.encode(&e)
	}
	d.reply(seq, nil, e.b)
}

// settled waits until every sandbox that is known lives.
func (d *daemon) settled() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweeper.hurry(+1)
	defer d.sweeper.hurry(-1)
	for len(d.boxes) > len(d.pids) { // those that are dead are in boxes alone
		d.freed.Wait()
	}
}

// footprint is what the client is told. Its own part is left out.
func (d *daemon) footprint() Footprint {
	f := Footprint{Daemon: held(), Spares: d.spares.waiting()}
	f.Daemon.Descriptors -= f.Spares
	f.Daemon.Namespaces -= f.Spares
	d.mu.Lock()
	f.Sandboxes = len(d.boxes)
	groups := make([]string, 0, len(d.boxes))
	for _, b := range d.boxes {
		groups = append(groups, b.group)
	}
	d.mu.Unlock()
	for _, name := range groups {
		charged, own := d.cg.charged(name)
		f.Charged += charged
		f.Own += own
	}
	f.Processes = len(children(os.Getpid()))
	for _, h := range d.cg.all {
		dirs, _ := filepath.Glob(h.dir + "/*/cgroup.procs")
		f.Cgroups += len(dirs)
	}
	return f
}

func (f *Footprint) encode(e *encoder) {
	for _, n := range f.fields() {
		e.int(int64(*n))
	}
	for _, n := range f.sizes() {
		e.int(*n)
	}
}

func (f *Footprint) decode(d *decoder) {
	for _, n := range f.fields() {
		*n = int(d.int())
	}
	for _, n := range f.sizes() {
		*n = d.int()
	}
}

// fields lists the numbers that the daemon tells.
func (f *Footprint) fields() []*int {
	h := &f.Daemon
	return []*int{&f.Sandboxes, &f.Processes, &f.Cgroups, &f.Spares, &h.Descriptors, &h.Threads, &h.Mounts, &h.Namespaces}
}

// sizes lists the bytes that the daemon tells.
func (f *Footprint) sizes() []*int64 {
	return []*int64{&f.Charged, &f.Own, &f.Daemon.Heap, &f.Daemon.Resident}
}

// charged is what a sandbox's memory cgroup holds, and what of it the program itself has
// there: anonymous memory, files in the page cache and shared memory.
func (g *cgroups) charged(name string) (all, own int64) {
	h := g.at["memory"]
	if h == nil {
		return 0, 0
	}
	file, parts := "/memory.usage_in_bytes", []string{"rss", "cache"}
	if h.v2 {
		file, parts = "/memory.current", []string{"anon", "file"}
	}
	if text, err := h.read(name + file); err == nil {
		all, _ = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	}
	if text, err := h.read(name + "/memory.stat"); err == nil {
		for _, p := range parts {
			own += field(text, p)
		}
	}
	return all, own
}

// held counts what this process holds. What can't be read counts as nothing.
func held() Held {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h := Held{Heap: int64(m.HeapAlloc)}
	seen := map[string]bool{}
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil {
			continue // the descriptor by which they are listed
		}
		h.Descriptors++
		if namespaceLink(to) {
			seen[to] = true
		}
	}
	threads, _ := os.ReadDir("/proc/self/task")
	h.Threads = len(threads)
	for _, t := range threads {
		dir := "/proc/self/task/" + t.Name()
		for _, kind := range []string{"mnt", "net"} {
			if to, err := os.Readlink(dir + "/ns/" + kind); err == nil {
				seen[to] = true
			}
		}
		mounts, _ := os.ReadFile(dir + "/mountinfo")
		h.Mounts = max(h.Mounts, strings.Count(string(mounts), "\n"))
	}
	h.Namespaces = len(seen)
	statm, _ := os.ReadFile("/proc/self/statm") // proc(5): pages, size first
	if f := strings.Fields(string(statm)); len(f) > 1 {
		pages, _ := strconv.ParseInt(f[1], 10, 64)
		h.Resident = pages * int64(os.Getpagesize())
	}
	return h
}

// namespaceLink says whether a descriptor's link names a namespace (namespaces(7)).
func namespaceLink(to string) bool {
	kind, _, ok := strings.Cut(to, ":[")
	return ok && len(kind) <= len("cgroup") && kind != "socket" && kind != "pipe"
}
