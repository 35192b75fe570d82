package snapshot

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// A process is all that a snapshot carries.
type process struct {
	regions []region
	runs    []run // of what the memory's file holds, in its order
	files   []file
	state   *state
	layout  layout
	dir     string
	name    string // comm
	umask   uint64
	port    int

	hugeByAdvice bool // large pages are for memory that was advised so alone
}

// Where the snapshot stands in a sandbox.
const (
	folder      = "/.coldstorm"
	programPath = folder + "/restore"
	memoryPath  = folder + "/memory"
)

// userTop is the end of the addresses that a process may use (5 levels of tables are used
// on demand alone).
const userTop = 0x7ffffffff000

// restorer compiles the program that becomes the process.
func restorer(p *process) ([]byte, error) {
	base, err := gap(p.regions)
	if err != nil {
		return nil, err
	}
	c := &program{base: base}
	c.begin()
	c.clear(p)
	c.call("open "+memoryPath, unix.SYS_OPEN, c.text(memoryPath), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	c.keep(memoryFile)
	c.lay(p)
	c.call("close "+memoryPath, unix.SYS_CLOSE, memoryFile)
	above := c.reopen(p)
	c.own(p)
	c.ask(p, above) // last of all: who hears it knows that the rest went well
	c.become(c.frame(p.state))
	c.end()
	return c.file()
}

// gap finds addresses of which neither the process uses any nor those that the new one
// has to begin with, which stand higher.
func gap(list []region) (uint64, error) {
	const step, last = 1 << 28, 1 << 40
	for base := uint64(step); base < last; base += step {
		free := true
		for _, r := range list {
			free = free && (r.end <= base-step/2 || r.start >= base+step/2)
		}
		if free {
			return base, nil
		}
	}
	return 0, unfit("it uses all low addresses")
}

// clear puts the kernel's pages aside and takes everything else from the new process but
// the program.
func (c *program) clear(p *process) {
	at := c.base + room
	for _, r := range p.kernel() {
		c.call("move "+r.name, unix.SYS_MREMAP, p.fresh(r), r.size(), r.size(), unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, at)
		at += r.size()
	}
	c.call("unmap", unix.SYS_MUNMAP, 0, c.base)
	c.call("unmap", unix.SYS_MUNMAP, at, userTop-at)
}

// kernel lists the kernel's pages.
func (p *process) kernel() (list []region) {
	for _, r := range p.regions {
		if r.ofKernel() {
			list = append(list, r)
		}
	}
	return list
}

// fresh is where the new process has one of the kernel's pages: as far from the code as
// in every process of this kernel.
func (p *process) fresh(r region) reg {
	at := kernelPage
	for _, v := range p.kernel() {
		if v.name == "[vdso]" {
			at.less = uint32(v.start - r.start)
		}
	}
	return at
}

// lay lays the memory.
func (c *program) lay(p *process) {
	aside, runs, pos := c.base+room, p.runs, uint64(0)
	for _, r := range p.regions {
		if r.ofKernel() {
			c.call("place "+r.name, unix.SYS_MREMAP, aside, r.size(), r.size(), unix.MREMAP_MAYMOVE|unix.MREMAP_FIXED, r.start)
			aside += r.size()
			continue
		}
		n := 0
		for n < len(runs) && runs[n].start < r.end {
			n++
		}
		c.mapping(r, n > 0)
		var large []run
		if p.hugeByAdvice {
			large = dense(r, runs[:n])
		}
		for _, l := range large {
			c.try(unix.SYS_MADVISE, l.start, l.size, unix.MADV_HUGEPAGE)
		}
		pos = c.fill(runs[:n], pos)
		if len(large) > 0 { // what comes later is as it was
			c.try(unix.SYS_MADVISE, r.start, r.size(), unix.MADV_NOHUGEPAGE)
		}
		runs = runs[n:]
		if n > 0 && !(r.read && r.write && !r.exec) {
			c.call("protect memory", unix.SYS_MPROTECT, r.start, r.size(), r.protection())
		}
		c.advise(r)
	}
}

func (r region) protection() (prot int) {
	if r.read {
		prot |= unix.PROT_READ
	}
	if r.write {
		prot |= unix.PROT_WRITE
	}
	if r.exec {
		prot |= unix.PROT_EXEC
	}
	return prot
}

// mapping maps a region, to be written to if it is to be filled.
func (c *program) mapping(r region, filled bool) {
	flags, prot := unix.MAP_FIXED_NOREPLACE|unix.MAP_FIXED, r.protection()
	if filled {
		prot = unix.PROT_READ | unix.PROT_WRITE
	}
	if r.shared {
		flags |= unix.MAP_SHARED
	} else if r.has("dp") {
		flags |= mapDroppable
	} else {
		flags |= unix.MAP_PRIVATE
	}
	if r.has("gd") {
		flags |= unix.MAP_GROWSDOWN
	}
	if r.has("nr") {
		flags |= unix.MAP_NORESERVE
	}
	if !r.ofFile() {
		c.callFor(r.start, "map memory", unix.SYS_MMAP, r.start, r.size(), prot, flags|unix.MAP_ANONYMOUS, ^uint64(0), 0)
		return
	}
	c.call("open "+r.name, unix.SYS_OPEN, c.text(r.name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	c.keep(otherFile)
	c.callFor(r.start, "map "+r.name, unix.SYS_MMAP, r.start, r.size(), prot, flags, otherFile, r.offset)
	c.call("close "+r.name, unix.SYS_CLOSE, otherFile)
}

const mapDroppable = 0x8 // Linux 6.11

// Limits of a call that reads to many places (readv(2)).
const (
	mostPlaces = 1024
	mostBytes  = 1 << 30
)

// fill reads runs from the memory's file, from pos on.
func (c *program) fill(runs []run, pos uint64) uint64 {
	for len(runs) > 0 {
		n, size := 0, uint64(0)
		var places []uint64
		for n < len(runs) && n < mostPlaces && (n == 0 || size+runs[n].size <= mostBytes) {
			places = append(places, runs[n].start, runs[n].size)
			size += runs[n].size
			n++
		}
		c.callFor(size, "read memory", unix.SYS_PREADV, memoryFile, c.numbers(places...), n, pos, 0)
		runs, pos = runs[n:], pos+size
	}
	return pos
}

// advise says again what the process had said of its memory.
func (c *program) advise(r region) {
	for _, a := range []struct {
		flag   string
		advice int
	}{{"wf", unix.MADV_WIPEONFORK}, {"dc", unix.MADV_DONTFORK}, {"hg", unix.MADV_HUGEPAGE}, {"nh", unix.MADV_NOHUGEPAGE}, {"dd", unix.MADV_DONTDUMP}} {
		if r.has(a.flag) {
			c.call("advise of memory", unix.SYS_MADVISE, r.start, r.size(), a.advice)
		}
	}
}

// reopen opens the files that were open. It returns a number above those of all
// descriptors.
func (c *program) reopen(p *process) (above int) {
	for _, f := range p.files {
		above = max(above, f.fd+1)
	}
	for _, f := range p.files {
		if f.path == "" {
			continue
		}
		c.call("open "+f.path, unix.SYS_OPEN, c.text(f.path), f.flags&^(unix.O_CREAT|unix.O_EXCL|unix.O_TRUNC)|unix.O_CLOEXEC, 0)
		c.keep(otherFile)
		if f.pos != 0 {
			c.call("seek in "+f.path, unix.SYS_LSEEK, otherFile, uint64(f.pos), unix.SEEK_SET)
		}
		c.place(f, above)
	}
	return above
}

// ask connects to the Runtime API and asks for the restore, as the process had.
func (c *program) ask(p *process, above int) {
	for _, f := range p.files {
		if f.path == "" {
			c.connect(p.port)
			c.place(f, above)
		}
	}
	ask := fmt.Sprintf("GET /2018-06-01/runtime/restore/next HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", p.port)
	for _, f := range p.files {
		if f.path == "" {
			c.callFor(uint64(len(ask)), "ask for the restore", unix.SYS_WRITE, f.fd, c.text(ask), len(ask))
		}
	}
}

// place gives what was opened its number, by way of one above all of them: it may have
// its number already.
func (c *program) place(f file, above int) {
	name := fmt.Sprintf("place descriptor %d", f.fd)
	c.call(name, unix.SYS_FCNTL, otherFile, unix.F_DUPFD_CLOEXEC, above)
	c.keep(aboveFile)
	c.call(name, unix.SYS_CLOSE, otherFile)
	c.call(name, unix.SYS_DUP3, aboveFile, f.fd, f.flags&unix.O_CLOEXEC)
	c.call(name, unix.SYS_FCNTL, aboveFile, unix.F_SETFL, f.flags&unix.O_NONBLOCK)
	c.call(name, unix.SYS_CLOSE, aboveFile)
}

// connect connects to the Runtime API.
func (c *program) connect(port int) {
	c.call("make a socket", unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	c.keep(otherFile)
	address := []byte{unix.AF_INET, 0, byte(port >> 8), byte(port), 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}
	c.call("connect to the Runtime API", unix.SYS_CONNECT, otherFile, c.put(address), len(address))
	c.call("set up the connection", unix.SYS_SETSOCKOPT, otherFile, unix.IPPROTO_TCP, unix.TCP_NODELAY, c.put([]byte{1, 0, 0, 0}), 4)
}

// own gives the process back what the kernel keeps of it.
func (c *program) own(p *process) {
	s := p.state
	c.call("enter "+p.dir, unix.SYS_CHDIR, c.text(p.dir))
	c.call("set the umask", unix.SYS_UMASK, p.umask)
	c.call("set the name", unix.SYS_PRCTL, unix.PR_SET_NAME, c.text(p.name), 0, 0, 0)
	for i, b := range s.limits {
		c.call("set a limit", unix.SYS_PRLIMIT64, 0, i, c.put(b), 0)
	}
	for i, b := range s.actions {
		if b != nil {
			c.call("set a signal handler", unix.SYS_RT_SIGACTION, i+1, c.put(b), 0, 8)
		}
	}
	if s.robust[0] != 0 {
		c.call("set robust futexes", unix.SYS_SET_ROBUST_LIST, s.robust[0], s.robust[1])
	}
	if s.rseq.at != 0 {
		c.call("set restartable sequences", unix.SYS_RSEQ, s.rseq.at, uint64(s.rseq.size), uint64(s.rseq.flags), uint64(s.rseq.sig))
	}
	const setFS, setGS = 0x1002, 0x1001
	c.call("set thread storage", unix.SYS_ARCH_PRCTL, setFS, s.regs.Fs_base)
	c.call("set thread storage", unix.SYS_ARCH_PRCTL, setGS, s.regs.Gs_base)
	c.call("set the heap's end", unix.SYS_PRCTL, unix.PR_SET_MM, unix.PR_SET_MM_MAP, c.layout(p), 104, 0)
}

// layout is struct prctl_mm_map (include/uapi/linux/prctl.h).
func (c *program) layout(p *process) uint64 {
	l := p.layout
	return c.numbers(l.startCode, l.endCode, l.startData, l.endData, l.startBrk, p.state.brk, l.startStack,
		l.argStart, l.argEnd, l.envStart, l.envEnd, 0, 0xffffffff<<32)
}

// frame is what a signal's handler returns to: struct rt_sigframe
// (arch/x86/include/uapi/asm/sigcontext.h).
func (c *program) frame(s *state) uint64 {
	const (
		magic1, magic2 = 0x46505853, 0x46505845 // of the extended state
		softReserved   = 464
		withXState     = 7 // UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS
	)
	le := binary.LittleEndian
	x := append([]byte(nil), s.xstate...)
	features := le.Uint64(x[softReserved:])
	le.PutUint32(x[softReserved:], magic1)
	le.PutUint32(x[softReserved+4:], uint32(len(x)+4))
	le.PutUint64(x[softReserved+8:], features)
	le.PutUint32(x[softReserved+16:], uint32(len(x)))
	at := c.put(le.AppendUint32(x, magic2))
	r := s.regs
	f := []uint64{
		0, withXState, 0, le.Uint64(s.altStack), le.Uint64(s.altStack[8:]), le.Uint64(s.altStack[16:]),
		r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15, r.Rdi, r.Rsi, r.Rbp, r.Rbx, r.Rdx, r.Rax, r.Rcx, r.Rsp, r.Rip, r.Eflags,
		r.Cs&0xffff | r.Ss&0xffff<<48, 0, 0, 0, 0, at, 0, 0, 0, 0, 0, 0, 0, 0, s.mask,
	}
	return c.numbers(append(f, make([]uint64, 32)...)...)
}

// layout is where a process's memory has its parts (proc(5), /proc/pid/stat).
type layout struct {
	startCode, endCode, startStack, startData, endData, startBrk, argStart, argEnd, envStart, envEnd uint64
}

func parseLayout(stat string) (l layout, err error) {
	_, rest, _ := strings.Cut(stat[strings.LastIndexByte(stat, ')')+1:], " ")
	f := strings.Fields(rest) // from the third field on
	for i, to := range map[int]*uint64{
		26: &l.startCode, 27: &l.endCode, 28: &l.startStack, 45: &l.startData, 46: &l.endData, 47: &l.startBrk,
		48: &l.argStart, 49: &l.argEnd, 50: &l.envStart, 51: &l.envEnd,
	} {
		if len(f) <= i-3 {
			return l, fmt.Errorf("malformed status %q", stat)
		}
		if _, err := fmt.Sscan(f[i-3], to); err != nil {
			return l, fmt.Errorf("malformed status %q: %w", stat, err)
		}
	}
	return l, nil
}
