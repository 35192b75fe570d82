package launch

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// Stamps are the moments of a launch, in the order in which they happen but for
// Answered, which the client hears beside what the program does. A moment that did not
// happen, or of which a launcher can't tell, is 0: what was ready when it was asked for
// (of a pooled or parked start all up to Secured), what a process of the host does
// without, and all that an OCI runtime does by itself.
//
// Of a cold start, the root is completed (Cloned to Rootfs) beside the making of its
// cgroups and its network: what the child waits for of these counts to what comes after.
type Stamps struct {
	Ask      results.Stamp // Launch was called
	Received results.Stamp // the launcher's thread that sees to it took the ask
	Cloned   results.Stamp // the child's first system call: its namespaces exist; of an OCI runtime, its command's
	Rootfs   results.Stamp // its root filesystem is whole, and the only one that it sees
	Cgroups  results.Stamp // it is in its cgroups
	Joined   results.Stamp // it is in a network of its own
	Secured  results.Stamp // its rights are gone, of a cold start, which then waits for its network's socket
	Begun    results.Stamp // a child that was pooled heard what it is to be
	Exec     results.Stamp // its rights are gone, and the next call is execve
	Ran      results.Stamp // the command of an OCI runtime has ended, after the program's execve
	Answered results.Stamp // the client heard that the program runs
}

// told lists the moments that the launcher's process tells.
func (s *Stamps) told() []*results.Stamp {
	return []*results.Stamp{&s.Received, &s.Cloned, &s.Rootfs, &s.Cgroups, &s.Joined, &s.Secured, &s.Begun, &s.Exec, &s.Ran}
}

// Running is the last moment before the program runs that the launcher knows: Exec, or
// Ran where that can't be told.
func (s Stamps) Running() results.Stamp {
	if s.Exec == 0 {
		return s.Ran
	}
	return s.Exec
}

// Phases returns the launch as phases that add up to Ask to Running: rootfs (the root
// made whole; 0 if it was ready, or that isn't known) and sandbox, all else.
func (s Stamps) Phases() results.Phases {
	root := s.Rootfs.Sub(s.Cloned)
	return results.Phases{Sandbox: s.Running().Sub(s.Ask) - root, Rootfs: root}
}

// Moments returns the launch as a start's moments, up to the program's own.
func (s Stamps) Moments() results.Moments {
	return results.Moments{
		results.MomentAsk: s.Ask, results.MomentReceived: s.Received, results.MomentCloned: s.Cloned,
		results.MomentRootfs: s.Rootfs, results.MomentCgroups: s.Cgroups, results.MomentJoined: s.Joined, results.MomentSecured: s.Secured,
		results.MomentBegun: s.Begun, results.MomentExec: s.Exec, results.MomentRan: s.Ran,
	}
}

// Exit is how a sandbox ended.
type Exit struct {
	Code   int            // exit status of the first process; -1 if a signal ended it
	Signal syscall.Signal // that signal, or 0
	OOM    bool           // the kernel killed a process of the sandbox for its memory
	At     results.Stamp  // when it was noticed
	Usage  Usage          // of its whole life
}

// String says it as a person would.
func (x Exit) String() string {
	switch {
	case x.OOM:
		return "out of memory"
	case x.Signal != 0:
		return "signal: " + x.Signal.String()
	}
	return fmt.Sprintf("exit status %d", x.Code)
}

func (x Exit) encode(e *encoder) {
	e.int(int64(x.Code))
	e.int(int64(x.Signal))
	e.bool(x.OOM)
	e.int(int64(x.At))
	x.Usage.encode(e)
}

func (x *Exit) decode(d *decoder) {
	x.Code = int(d.int())
	x.Signal = syscall.Signal(d.int())
	x.OOM = d.bool()
	x.At = results.Stamp(d.int())
	x.Usage.decode(d)
}

// A Sandbox is one running sandbox. The caller owns its descriptors (Listener,
// Stdout, Stderr) and closes them, with Close if it is done with all.
type Sandbox struct {
	ID       string
	PID      int          // of its first process, as the client counts; 0 if that had ended before it could be told
	Mode     string       // ModeCold, ModePooled or ModeParked
	Listener net.Listener // the Runtime API's socket, listening inside; Addr is what to tell the function
	Stdout   *os.File     // what it writes
	Stderr   *os.File
	Stamps   Stamps
	Lacks    []string // operations that this host forbade, such as mounting mqueue; a sandbox works without

	l        *Launcher
	seq      int64
	born     func(*Sandbox) // called as soon as its descriptors are there; nil does nothing
	refused  error          // why they could not be taken
	launched chan error     // capacity 1
	answered bool           // under the launcher's lock
	ended    bool
	network  Network
	v2       bool // the freezer is a version 2 cgroup's

	mu      sync.Mutex // freezer against Stop
	freezer int        // descriptor, or -1
	stopped bool

	done chan struct{}
	exit Exit
}

// runs takes the message that the program does.
func (b *Sandbox) runs(d *decoder) error {
	for _, at := range b.Stamps.told() {
		*at = results.Stamp(d.int())
	}
	b.Stamps.Answered = results.Now()
	b.Lacks = d.strings()
	return d.err
}

// accept takes the sandbox as it is about to execute its program, from a message whose
// sender named pid in its credentials.
func (b *Sandbox) accept(d *decoder, pid int, fds []int) error {
	b.Mode = d.string()
	b.v2 = d.bool()
	if b.PID = int(d.int()); b.PID > 0 && b.l.runtime.Isolates() {
		b.PID = pid
	}
	if d.err != nil || len(fds) < 3 {
		closeAll(fds...)
		if d.err == nil {
			// The kernel drops descriptors that the receiver has no room for.
			return fmt.Errorf("%d of 3 descriptors received: raise the limit on open files (ulimit -n)", len(fds))
		}
		return d.err
	}
	b.mu.Lock()
	if len(fds) > 3 && b.stopped { // it has ended already
		unix.Close(fds[3])
	} else if len(fds) > 3 {
		b.freezer = fds[3]
	}
	b.mu.Unlock()
	for _, fd := range fds[1:3] {
		unix.SetNonblock(fd, true)
	}
	b.Stdout = os.NewFile(uintptr(fds[1]), b.ID+" stdout")
	b.Stderr = os.NewFile(uintptr(fds[2]), b.ID+" stderr")
	f := os.NewFile(uintptr(fds[0]), "listener")
	l, err := net.FileListener(f)
	f.Close()
	b.Listener = l
	return err
}

// Freeze stops every process of the sandbox until Thaw: one write to its
// freezer, or, without one, signals to all its processes by the launcher.
func (b *Sandbox) Freeze() error { return b.freeze(true) }

// Thaw lets it run again.
func (b *Sandbox) Thaw() error { return b.freeze(false) }

var freezerWords = map[[2]bool][]byte{ // version 2?, freeze?
	{false, true}: []byte("FROZEN"), {false, false}: []byte("THAWED"),
	{true, true}: []byte("1"), {true, false}: []byte("0"),
}

func (b *Sandbox) freeze(on bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return fmt.Errorf("freezer of sandbox %s: %w", b.ID, errGone)
	}
	var err error
	if b.freezer >= 0 {
		_, err = unix.Pwrite(b.freezer, freezerWords[[2]bool{b.v2, on}], 0)
		for errors.Is(err, unix.EINTR) {
			_, err = unix.Pwrite(b.freezer, freezerWords[[2]bool{b.v2, on}], 0)
		}
	} else {
		_, err = b.l.ask(msgFreeze, b.seq, func(e *encoder) { e.bool(on) })
	}
	if err != nil {
		return fmt.Errorf("freezer of sandbox %s: %w", b.ID, err)
	}
	return nil
}

// SetCPU changes the share of processors, as Spec.CPUs. Without a cpu cgroup it
// does nothing.
func (b *Sandbox) SetCPU(cpus float64) error {
	if _, err := b.l.ask(msgCPU, b.seq, func(e *encoder) { e.float(cpus) }); err != nil {
		return fmt.Errorf("CPU of sandbox %s: %w", b.ID, err)
	}
	return nil
}

// Usage is what the sandbox has used so far; of its whole life once it has ended.
func (b *Sandbox) Usage() (Usage, error) {
	select {
	case <-b.done:
		return b.exit.Usage, nil
	default:
	}
	var u Usage
	d, err := b.l.ask(msgUsage, b.seq, nil)
	if errors.Is(err, errGone) {
		<-b.done // the exit is on its way
		return b.exit.Usage, nil
	}
	select {
	case <-b.done: // it ended while it was being asked for
		return b.exit.Usage, nil
	default:
	}
	if err == nil {
		u.decode(&d)
		err = d.err
	}
	if err != nil {
		return u, fmt.Errorf("usage of sandbox %s: %w", b.ID, err)
	}
	return u, nil
}

// Stop kills the sandbox and waits for its end. It is not an error if it had
// ended before.
func (b *Sandbox) Stop() error {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	_, err := b.l.ask(msgStop, b.seq, nil)
	if err != nil && !errors.Is(err, errGone) && !errors.Is(err, ErrClosed) {
		return fmt.Errorf("stop sandbox %s: %w", b.ID, err)
	}
	<-b.done
	return nil
}

// Done is closed when the sandbox has ended.
func (b *Sandbox) Done() <-chan struct{} { return b.done }

// Exit is how it ended. It waits for that.
func (b *Sandbox) Exit() Exit {
	<-b.done
	return b.exit
}

func (b *Sandbox) finish(x Exit) {
	b.mu.Lock()
	b.stopped = true
	if b.freezer >= 0 {
		unix.Close(b.freezer)
		b.freezer = -1
	}
	b.mu.Unlock()
	b.exit = x
	close(b.done)
}

// let lets a sandbox die whose launcher's process is dying: the kernel has killed it
// for that, but a task that a version 1 freezer holds dies only once it is thawed, and
// the process only after it.
func (b *Sandbox) let() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	if b.freezer >= 0 && !b.v2 {
		unix.Pwrite(b.freezer, freezerWords[[2]bool{false, false}], 0)
	}
}

// lose is the end of a sandbox whose launcher's process has died.
func (b *Sandbox) lose() { b.finish(Exit{Code: -1, Signal: unix.SIGKILL, At: results.Now()}) }

// Close closes the caller's descriptors. It doesn't stop the sandbox.
func (b *Sandbox) Close() error {
	var errs []error
	if b.Listener != nil {
		errs = append(errs, b.Listener.Close())
	}
	for _, f := range []*os.File{b.Stdout, b.Stderr} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
