package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// ErrClosed is returned for what is asked of a launcher that was closed, or
// whose process has died.
var ErrClosed = errors.New("launcher is closed")

// Config says how to start the launcher's process.
type Config struct {
	Exe      string    // binary to execute; empty is this process's own
	Args     []string  // its arguments; nil is the hidden verb __launcher
	Env      []string  // added to this process's environment
	Stderr   io.Writer // for the daemon's complaints; nil is this process's stderr
	Pool     int       // sandboxes to keep ready up to their root (ModePooled); 0 makes each on its launch's path
	Profile  Profile   // what sandboxes see of the kernel; the zero value is all that runc shows
	Rootless bool      // launch in a user namespace even though this process is root; implied if it isn't, or may not mount
	Runtime  string    // what starts sandboxes, as ParseRuntime reads it; empty is this package

	unified bool // for tests: freeze by version 2 cgroups where version 1 could too
	bind    bool // for tests: as if overlay could not be mounted
}

// A Launcher is the client of a launcher's process. Its methods may be called
// from many goroutines.
type Launcher struct {
	host    Host
	runtime Runtime
	pid     int
	asks    *net.UnixConn // launches
	control *net.UnixConn // all else
	exited  chan struct{} // the process is gone
	waitErr error         // how, once exited is closed
	leave   sync.Once     // leaveRoom

	mu      sync.Mutex
	seq     int64
	boxes   map[int64]*Sandbox           // asked for and not known dead
	pending map[int64]chan controlAnswer // by seq
	closed  bool
}

type controlAnswer struct {
	payload []byte
	fds     []int
	err     error
}

// Start starts the launcher's process and waits until it can launch. The caller
// must Close the launcher; should it die before, the process notices, ends what
// it had started and goes.
func Start(c Config) (*Launcher, error) {
	l := &Launcher{exited: make(chan struct{}), boxes: map[int64]*Sandbox{}, pending: map[int64]chan controlAnswer{}}
	var err error
	if l.runtime, err = ParseRuntime(c.Runtime); err != nil {
		return nil, fmt.Errorf("start launcher: %w", err)
	}
	makeRoom()
	beside := l.runtime.cleanBeside() // while the process starts
	if err := l.spawn(c); err != nil {
		leaveRoom()
		return nil, fmt.Errorf("start launcher: %w", err)
	}
	if err := l.greet(c); err != nil {
		l.abandon()
		leaveRoom()
		return nil, fmt.Errorf("start launcher: %w", err)
	}
	go l.listen()
	if err := <-beside; err != nil {
		fmt.Fprintln(c.stderr(), "coldstorm: left by a run that was killed:", err)
	}
	return l, nil
}

func (c Config) stderr() io.Writer {
	if c.Stderr == nil {
		return os.Stderr
	}
	return c.Stderr
}

// Host is what the launcher found.
func (l *Launcher) Host() Host { return l.host }

func (l *Launcher) spawn(c Config) error {
	asks, asksTheirs, err := socketPair()
	if err != nil {
		return err
	}
	control, controlTheirs, err := socketPair()
	if err != nil {
		return errors.Join(err, asks.Close(), asksTheirs.Close())
	}
	l.asks, l.control = asks, control
	if err := hearPIDs(asks); err != nil {
		return errors.Join(err, asks.Close(), asksTheirs.Close(), control.Close(), controlTheirs.Close())
	}
	exe := c.Exe
	if exe == "" {
		exe = "/proc/self/exe"
	}
	args := c.Args
	if args == nil {
		args = []string{"__launcher"}
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stderr = c.stderr()
	cmd.ExtraFiles = []*os.File{asksTheirs, controlTheirs}                                                                          // launchFD, controlFD
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGTERM, Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID} // see ownProc
	switch {
	case !l.runtime.Isolates():
		cmd.SysProcAttr.Cloneflags = 0
	case c.rootless():
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	started := make(chan error)
	go func() {
		// The parent-death signal is sent when this thread ends, so it must not
		// end before its process.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			l.pid = cmd.Process.Pid
		}
		asksTheirs.Close()
		controlTheirs.Close()
		started <- err
		if err == nil {
			l.waitErr = cmd.Wait()
			close(l.exited)
		}
	}()
	if err := <-started; err != nil {
		return errors.Join(err, asks.Close(), control.Close())
	}
	return nil
}

// rootless says whether a user namespace is needed: also for a root that may
// not mount, as in a container.
func (c Config) rootless() bool {
	return (c.Rootless && c.Runtime != RuntimeProcess) || !privileged()
}

func privileged() bool {
	var caps [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &caps[0])
	return err == nil && os.Geteuid() == 0 && caps[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// socketPair makes a connected pair: our end, and one to hand down.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "launcher"), os.NewFile(uintptr(fds[1]), "client")
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// configure sends the configuration.
func (l *Launcher) configure(c Config) error {
	e := encoder{}
	e.string(cgroupName(l.pid, strconv.FormatInt(time.Now().UnixNano()&0xffffffffff, 36)))
	e.int(int64(c.Pool))
	e.bool(c.Profile == ProfileLean)
	e.bool(c.rootless())
	e.bool(c.unified)
	e.bool(c.bind)
	e.int(int64(l.runtime.kind))
	e.string(l.runtime.path)
	_, err := l.control.Write(e.b)
	return err
}

// greet sends the configuration and hears what the host offers.
func (l *Launcher) greet(c Config) error {
	if err := l.configure(c); err != nil {
		return err
	}
	buf := make([]byte, maxPacket)
	n, err := l.control.Read(buf)
	if err != nil {
		return fmt.Errorf("no answer from the launcher's process: %w", err)
	}
	d := decoder{b: buf[:n]}
	kind, msg := d.int(), d.string()
	l.host.decode(&d)
	switch {
	case msg != "":
		return errors.New(msg)
	case kind != msgHello || d.err != nil:
		return errMessage
	}
	return nil
}

// abandon closes the sockets, on which the process ends, and waits for it.
func (l *Launcher) abandon() {
	l.asks.Close()
	l.control.Close()
	<-l.exited
}

// Close ends every sandbox and the launcher's process and waits until nothing
// of them is left. The error tells what could not be removed.
func (l *Launcher) Close() error {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	list := slices.Collect(maps.Values(l.boxes))
	l.mu.Unlock()
	if closed {
		<-l.exited
		l.leave.Do(leaveRoom)
		return nil
	}
	for _, b := range list { // a frozen one could not be killed
		b.mu.Lock()
		b.stopped = true
		b.mu.Unlock()
	}
	_, err := l.ask(msgGoodbye, 0, nil)
	if errors.Is(err, ErrClosed) {
		err = nil // gone already: said by how it exited
	}
	l.abandon()
	l.leave.Do(leaveRoom)
	if l.waitErr != nil && err == nil {
		err = fmt.Errorf("launcher's process: %w", l.waitErr)
	}
	return err
}

// Fill has the pool filled for what s describes, and returns when it is full (see
// Config.Pool). Without it, the pool is for the image of the last launch that found none
// ready.
func (l *Launcher) Fill(s Spec) error {
	err := s.canWait()
	if err == nil {
		_, err = l.ask(msgFill, 0, s.encode)
	}
	if err != nil {
		return fmt.Errorf("fill the pool for sandbox %s: %w", s.ID, err)
	}
	return nil
}

// Park keeps n sandboxes of what s describes ready up to execve, and returns when they
// are. Launch takes one for a Spec that differs from s in nothing but ID, Argv and Env
// (its host name remains that of s); further ones are made in quiet moments. A later
// Park replaces an earlier one; n = 0 ends it.
func (l *Launcher) Park(s Spec, n int) error {
	err := s.canWait()
	if err == nil {
		_, err = l.ask(msgPark, 0, func(e *encoder) {
			e.int(int64(n))
			s.encode(e)
		})
	}
	if err != nil {
		return fmt.Errorf("park sandbox %s: %w", s.ID, err)
	}
	return nil
}

// Launch starts a sandbox. It returns when the program has been executed; a
// program that can't be executed is an error. When ctx ends first, the sandbox
// is stopped as soon as it has started.
func (l *Launcher) Launch(ctx context.Context, s Spec) (*Sandbox, error) {
	return l.launch(ctx, s, nil)
}

// launch is Launch. As soon as the sandbox's descriptors are there, before its program
// runs, it calls born, unless that is nil.
func (l *Launcher) launch(ctx context.Context, s Spec, born func(*Sandbox)) (*Sandbox, error) {
	asked := results.Now()
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, err)
	}
	b := &Sandbox{ID: s.ID, l: l, done: make(chan struct{}), launched: make(chan error, 1), freezer: -1, network: s.Network, born: born}
	b.Stamps.Ask = asked
	if !l.runtime.Isolates() {
		b.network = NetworkHost
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, ErrClosed)
	}
	l.seq++
	b.seq = l.seq
	l.boxes[b.seq] = b
	l.mu.Unlock()
	e := encoder{}
	e.int(b.seq)
	s.encode(&e)
	err := ctx.Err()
	if err == nil && len(e.b) > maxPacket {
		err = fmt.Errorf("arguments and environment of %d bytes: more than %d", len(e.b), maxPacket)
	}
	if err == nil {
		_, err = l.asks.Write(e.b)
	}
	if err != nil {
		l.drop(b.seq)
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, err)
	}
	select {
	case err = <-b.launched:
	case <-ctx.Done():
		err = ctx.Err()
		go func() {
			if <-b.launched == nil {
				b.Stop()
			}
			b.Close()
		}()
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, err)
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("start sandbox %s: %w", s.ID, err)
	}
	return b, nil
}

func (l *Launcher) drop(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.boxes, seq)
}
