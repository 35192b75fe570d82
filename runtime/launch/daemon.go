package launch

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// Descriptors that the client hands to the daemon. Launches have a socket of
// their own, from which each worker thread reads by itself: an ask reaches the
// thread that will clone without a hand-over, and a burst of asks waiting there
// doesn't keep a stop or a usage from being heard.
const (
	launchFD  = 3
	controlFD = 4
)

// daemon is the launcher's process.
type daemon struct {
	cg       *cgroups
	st       *stage
	rootless bool
	pool     *pool
	makers   *makers
	spares   spares
	sweeper  *sweeper
	rooms    rooms
	visits   visits
	open     chan struct{} // closed when launches can begin
	runtime  Runtime       // that starts sandboxes
	oci      *bundles      // of an OCI runtime; nil without
	self     int           // pidfd of this process; 0 where the kernel has none
	nice     int           // of this process, and of every sandbox
	yields   bool          // the threads that fill the pool are of lower priority

	send   sync.Mutex // control socket, whole messages
	clones uint32     // that the reaper was told of: a futex word

	mu      sync.Mutex
	boxes   map[int64]*box // by the ask's number; below 0 while there is no ask
	waiting int64          // number of the last without
	pids    map[int]*box   // the same, by pid
	early   map[int]death  // children that died before they were booked
	others  others
	nodes   map[string]bool // their cgroups' names
	closing bool            // nothing starts any more
	freed   *sync.Cond      // a box went
	leaks   []error         // what could not be removed
}

// A box is one sandbox as the daemon knows it.
type box struct {
	id     int64
	pid    int
	group  string
	spare  spare // what it leaves to others
	killed bool
	began  results.Stamp // before it was cloned; 0 says nothing
}

type death struct {
	status unix.WaitStatus
	usage  unix.Rusage
	at     results.Stamp // when it was noticed
}

// Daemon is the launcher's process: what the hidden verb of coldstorm's command
// line calls, in a process that Start started. It returns the exit code once
// the client has gone and everything that was started is gone too.
func Daemon() int {
	exposed := runReadOnly() // before anything else: it starts again
	// From a terminal, Ctrl-C is the client's business; the daemon outlives it
	// to clean up. SIGTERM is how the kernel tells that the client died. (The
	// signals are caught rather than ignored, which children would inherit.)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGPIPE)
	defaultSignals()
	// A thread that waits in a call, or is in a raw one, keeps its processor for a while:
	// there is one for each that launches, for the maker of its network beside it, and for
	// some others. (Those that fill the pool begin only while nothing is launched.)
	runtime.GOMAXPROCS(4 + 2*hostCPUs)
	debug.SetGCPercent(800) // little is allocated, and a collection waits for every clone
	go attend()
	d := &daemon{rooms: rooms{layers: layers{top: "/l"}}, open: make(chan struct{}), boxes: map[int64]*box{}, pids: map[int]*box{}, early: map[int]death{}, nodes: map[string]bool{}}
	d.freed = sync.NewCond(&d.mu)
	d.sweeper = newSweeper(d)
	unix.CloseOnExec(launchFD)
	unix.CloseOnExec(controlFD)
	if err := d.begin(exposed); err != nil {
		d.sendControl((&hello{err: err.Error()}).encode())
		return 1
	}
	go func() {
		for s := range signals {
			if s == unix.SIGTERM {
				os.Exit(d.end())
			}
		}
	}()
	d.serve()
	return d.end()
}

// attend keeps one of the Go scheduler's processors in use for good. With all of them
// idle, its monitor sleeps until a thread comes back from a call, wakes then, and takes
// that thread for one that has run for long, because it was not watched: it has it give
// up its processor, and one that is locked to its goroutine gets it back through two
// other threads, 60 to 80 us later. So it was with every ask that came after a pause. A
// monitor that never sleeps deep looks each 10 ms, and interrupts this call by a signal,
// as a garbage collection does.
func attend() {
	for {
		raw(unix.SYS_PPOLL)
		runtime.Gosched()
	}
}

// config is the client's first message.
type config struct {
	cgroup   string // name of ours
	pool     int
	lean     bool
	rootless bool
	unified  bool
	bind     bool
	runtime  Runtime
}

// hello is the daemon's answer to it.
type hello struct {
	err  string
	host Host
}

func (h *hello) encode() []byte {
	e := encoder{}
	e.int(msgHello)
	e.string(h.err)
	h.host.encode(&e)
	return e.b
}

// begin builds everything that launches need. exposed is why what it starts could reach
// its program's file.
func (d *daemon) begin(exposed error) error {
	buf := make([]byte, maxPacket)
	n, err := unix.Read(controlFD, buf)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	dec := decoder{b: buf[:n]}
	c := config{cgroup: dec.string(), pool: int(dec.int()), lean: dec.bool(), rootless: dec.bool(), unified: dec.bool(), bind: dec.bool(), runtime: Runtime{kind(dec.int()), dec.string()}}
	if dec.err != nil {
		return dec.err
	}
	if exposed != nil && c.runtime.Isolates() {
		return exposed
	}
	d.rootless, d.runtime = c.rootless && c.runtime.Isolates(), c.runtime
	if fd, err := unix.PidfdOpen(os.Getpid(), 0); err == nil {
		d.self = fd
	}
	unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // its memory is its children's until they exec
	if d.runtime.kind != process {               // which has the host's
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return fmt.Errorf("private mounts: %w", err)
		}
		if err := ownProc(); err != nil {
			return err
		}
	}
	host := probeKernel()
	if c.bind {
		host.Overlay = Part{Reason: "not to be used"}
	}
	host.Rootless, host.Launcher = c.rootless, c.runtime.String()
	missing := map[string]error{}
	if d.cg = (&cgroups{}); c.runtime.kind != process { // which has none, and describeProcess says so
		d.cg, missing = openCgroups(c.cgroup, c.unified, c.runtime.controllers()...)
	}
	host.setCgroups(d.cg, missing)
	d.restrict(c.cgroup, &host)
	d.pool, d.visits, d.spares.most = newPool(d, c.pool), make(visits), 2*c.pool
	d.nice, d.yields = niceness()
	if c.runtime.Isolates() {
		if d.makers, err = newMakers(); err != nil {
			d.cg.close()
			return err
		}
	}
	begin := func(host *Host) error { return d.startWorkers(host, c.lean) }
	if c.runtime.kind != builtin {
		begin = d.startRuntime
	}
	if err := begin(&host); err != nil {
		d.cg.close()
		return err
	}
	go d.reap()
	go d.sweeper.sweep()
	go d.visits.serve()
	if err := d.oci.trial(d, &host); err != nil {
		d.end()
		return err
	}
	close(d.open)
	d.sendControl((&hello{host: host}).encode()) // a client that went away is noticed on reading
	return nil
}

// startWorkers starts the threads that clone: those that launch, and the last, one for
// each processor, which fill the pool. The first builds the stage.
func (d *daemon) startWorkers(host *Host, lean bool) error {
	launching := max(2, hostCPUs)
	d.pool.fills.Add(hostCPUs)
	return d.startThreads(launching+hostCPUs, func(i int) (err error) {
		if i > 0 {
			err = d.st.enter()
		} else if d.st, err = newStage(d.self, d.rootless, host.Overlay.OK, lean); err == nil {
			host.Lacks, err = d.st.trial()
		}
		if err == nil {
			err = dropBounding()
		}
		return err
	}, func(i int) {
		if i >= launching {
			d.pool.fill()
		} else {
			d.work()
		}
	})
}

// startThreads starts n threads that clone. Each is put in its place, the first before
// all others, and works once launches can begin. None ever ends, since a thread's end
// would kill the children that it cloned.
func (d *daemon) startThreads(n int, place func(i int) error, work func(i int)) error {
	ready := make(chan error)
	var errs []error
	for i := range n {
		go func() {
			runtime.LockOSThread()
			err := place(i)
			ready <- err
			if err == nil {
				<-d.open
				work(i)
			}
			select {}
		}()
		if i == 0 {
			if err := <-ready; err != nil {
				return err
			}
		}
	}
	for range n - 1 {
		errs = append(errs, <-ready)
	}
	return errors.Join(errs...)
}

// dropBounding empties the calling thread's bounding set, which its children
// inherit: none of them can gain a capability by executing a file.
func dropBounding() error {
	for c := range uintptr(64) {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); errors.Is(err, unix.EINVAL) {
			return nil // past the last one
		} else if err != nil {
			return fmt.Errorf("drop capability %d from the bounding set: %w", c, err)
		}
	}
	return nil
}

// serve answers on the control socket until the client goes.
func (d *daemon) serve() {
	buf := make([]byte, maxPacket)
	for {
		n, err := unix.Read(controlFD, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		dec := decoder{b: buf[:n]}
		kind, seq, id := dec.int(), dec.int(), dec.int()
		if kind == msgGoodbye {
			code := d.end()
			err := error(nil)
			if code != 0 {
				err = errors.Join(d.leaks...)
			}
			d.reply(seq, err, nil)
			os.Exit(code)
		}
		if kind == msgPark || kind == msgFill {
			d.fill(kind, seq, &dec)
			continue
		}
		if kind == msgSettle || kind == msgFootprint {
			go d.account(kind, seq)
			continue
		}
		if kind == msgNode || kind == msgNodeEnd {
			dec.b = append([]byte(nil), dec.b...)
			go d.node(kind, seq, &dec) // the kernel may take its time
			continue
		}
		e := encoder{}
		fd, err := d.control(kind, id, &dec, &e)
		if fd >= 0 {
			d.reply(seq, err, e.b, fd)
			unix.Close(fd)
		} else {
			d.reply(seq, err, e.b)
		}
	}
}

// fill answers once all is ready that is to be, after it was told what to be ready for.
func (d *daemon) fill(kind, seq int64, dec *decoder) {
	n := 0
	if kind == msgPark {
		n = int(dec.int())
	}
	spec := &Spec{}
	spec.decode(dec)
	err := dec.err
	if d.runtime.kind != builtin {
		if err == nil && kind == msgPark && n > 0 {
			err = fmt.Errorf("the launcher %s keeps nothing ready", d.runtime)
		}
		d.reply(seq, err, nil)
		return
	}
	go func() { // the control socket is for others meanwhile
		if err == nil {
			err = d.can(spec)
		}
		if err == nil && kind == msgPark {
			d.pool.park(spec, n)
		} else if err == nil {
			d.pool.expect(spec)
		}
		if err == nil {
			err = d.pool.filled()
		}
		d.reply(seq, err, nil)
	}()
}

// control carries out one request. The descriptor, if not -1, goes with the reply.
func (d *daemon) control(kind, id int64, dec *decoder, e *encoder) (fd int, err error) {
	d.mu.Lock()
	b := d.boxes[id]
	dead := b == nil || d.pids[b.pid] != b
	d.mu.Unlock()
	if dead {
		return -1, errGone
	}
	switch kind {
	case msgStop:
		d.kill(b)
	case msgFreeze:
		sig := unix.SIGCONT
		if dec.bool() {
			sig = unix.SIGSTOP
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.pids[b.pid] != b || b.killed {
			return -1, errGone
		}
		signalFamily(b.pid, sig, traced)
	case msgCPU:
		return -1, d.cg.setCPU(b.group, dec.float())
	case msgSocket:
		return d.socket(b)
	case msgUsage:
		d.usage(b).encode(e)
	default:
		return -1, errMessage
	}
	return -1, dec.err
}

func (d *daemon) usage(b *box) Usage {
	u := d.cg.usage(b.group)
	if d.cg.at["cpuacct"] == nil || d.cg.at["memory"] == nil {
		p := procUsage(b.pid)
		if d.cg.at["cpuacct"] == nil {
			u.CPU = p.CPU
		}
		if d.cg.at["memory"] == nil {
			u.PeakMemory = p.PeakMemory
		}
	}
	return u
}

// kill ends a sandbox: its first process is init of its pid namespace, so the
// kernel ends all others with it. The pid can't be another's, since only reap,
// under the same lock, lets it go.
func (d *daemon) kill(b *box) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pids[b.pid] != b {
		return
	}
	b.killed = true
	if d.runtime.kind == process {
		endFamily(b.pid)
	}
	unix.Kill(b.pid, unix.SIGKILL)
	d.cg.thaw(b.group)
}

func (d *daemon) reply(seq int64, err error, payload []byte, fds ...int) {
	e := encoder{}
	e.int(msgReply)
	e.int(seq)
	msg := ""
	if err != nil {
		msg = err.Error()
	}
	e.string(msg)
	e.b = append(e.b, payload...)
	d.sendControl(e.b, fds...)
}

func (d *daemon) sendControl(b []byte, fds ...int) error {
	d.send.Lock()
	defer d.send.Unlock()
	return sendPacket(controlFD, b, fds...)
}

// sendPacket sends a whole packet with descriptors. A client that went away is
// noticed on reading.
func sendPacket(fd int, b []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	return sendMessage(fd, b, rights)
}

// sendMessage is sendPacket with control messages of any kind.
func sendMessage(fd int, b, control []byte) error {
	for {
		err := unix.Sendmsg(fd, b, control, nil, unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

var once sync.Once

// end kills every sandbox and removes all that the daemon made. Its mounts, and
// what they hold, go with its mount namespace.
func (d *daemon) end() (code int) {
	once.Do(func() {
		d.mu.Lock()
		d.closing = true
		d.mu.Unlock()
		if d.pool != nil {
			d.pool.close() // after the launches under way
		}
		d.mu.Lock()
		list := make([]*box, 0, len(d.boxes))
		for _, b := range d.boxes {
			list = append(list, b)
		}
		d.mu.Unlock()
		for _, b := range list {
			d.kill(b)
		}
		d.mu.Lock()
		d.sweeper.hurry(+1)
		for len(d.boxes) > 0 {
			d.freed.Wait()
		}
		d.mu.Unlock()
		if d.runtime.kind == process {
			endStrays()
		}
		d.endNodes()
		if err := d.cg.close(); err != nil {
			d.leaks = append(d.leaks, err)
		}
	})
	if len(d.leaks) > 0 {
		fmt.Fprintln(os.Stderr, "coldstorm launcher:", errors.Join(d.leaks...))
		return 1
	}
	return 0
}
