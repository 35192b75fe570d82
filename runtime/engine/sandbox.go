package engine

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/live"
)

// launcher starts environments of one image.
type launcher struct {
	launch *launch.Launcher
	meters meters
	total  *total
	image  image.Image

	tmps       *tmps // of the function
	supervisor *supervisor
	extended   bool // the supervisor is its first program
}

var _ live.Launcher = launcher{}

// apiAddress is the Runtime API's, inside every sandbox's own network.
var apiAddress = fmt.Sprintf("AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", launch.APIPort)

func (l launcher) Launch(ctx context.Context, s live.Spec) (live.Sandbox, error) {
	return l.wrap(l.start(ctx, s))
}

// wrap is a launched sandbox as live sees it, or the error of its launch.
func (l launcher) wrap(b *launch.Sandbox, err error) (live.Sandbox, error) {
	if err != nil {
		if strings.Contains(err.Error(), "execve") { // the launcher's errors cross a process as text
			err = fmt.Errorf("%w: %w", live.ErrEntrypoint, err)
		}
		return nil, err
	}
	box := &sandbox{Sandbox: b, meters: l.meters, tmps: l.tmps, tmp: openTmp(b)}
	go func() { // aside: this is the path of a start
		l.total.learn(b.PID)
		box.mu.Lock()
		defer box.mu.Unlock()
		box.seek()
	}()
	return box, nil
}

// start launches an environment, the first time or again.
func (l launcher) start(ctx context.Context, s live.Spec) (*launch.Sandbox, error) {
	old := l.tmps.take(s.ID)
	if old == nil {
		return l.launch.Launch(ctx, l.spec(s))
	}
	defer old.Close()
	if empty(old) {
		return l.launch.Launch(ctx, l.spec(s))
	}
	return l.restart(ctx, l.spec(s), old)
}

// Forget lets go of what was kept of an environment.
func (l launcher) Forget(id string) {
	if old := l.tmps.take(id); old != nil {
		old.Close()
	}
}

func (l launcher) spec(s live.Spec) launch.Spec {
	argv := l.image.Command(s.MemoryMB, s.Env)
	if l.extended {
		argv = append([]string{supervisorPath}, argv...)
	}
	return launch.Spec{
		ID: s.ID, Image: l.image, Argv: argv, Env: append(s.Env, apiAddress), MemoryBytes: int64(s.MemoryMB) << 20, TmpBytes: int64(s.TmpMB) << 20,
	}
}

// next is what a function's next launch will ask for, but for its ID and variables: what
// is ready for other limits has them written anew.
func (l launcher) next(f *live.Function) launch.Spec {
	c := f.Config()
	return l.spec(live.Spec{MemoryMB: c.MemoryMB, TmpMB: c.EphemeralMB})
}

// sandbox is a launched one as live sees it.
type sandbox struct {
	*launch.Sandbox
	meters meters

	mu     sync.Mutex
	meter  meter // opened soon after the start, or at the first reading
	sought bool
	closed bool
	tmps   *tmps
	tmp    *os.File // its /tmp; nil once it was kept
}

// Keep has the next sandbox of this name begin with what this one has in /tmp.
func (b *sandbox) Keep() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tmp != nil {
		b.tmps.put(b.ID, b.tmp)
		b.tmp = nil
	}
}

var _ live.Sandbox = (*sandbox)(nil)

func (b *sandbox) Birth() live.Birth {
	exec, phases := b.Stamps.Running(), b.Stamps.Phases()
	return live.Birth{
		Listener: b.Listener, Output: []*os.File{b.Stdout, b.Stderr}, Mode: b.Mode,
		Ready: exec.Add(-phases.Rootfs), Exec: exec, Moments: b.Stamps.Moments(),
	}
}

// Usage reads the sandbox's counters, or asks the launcher.
func (b *sandbox) Usage() (live.Usage, error) {
	if u, ok := b.read(); ok {
		return u, nil
	}
	u, err := b.Sandbox.Usage()
	return usage(u), err
}

func (b *sandbox) read() (live.Usage, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seek()
	if b.meter.cpu == nil || b.closed {
		return live.Usage{}, false
	}
	u, err := b.meter.read()
	return u, err == nil
}

// Crowded asks the kernel; of an ended sandbox nothing is known.
func (b *sandbox) Crowded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seek()
	return !b.closed && b.meter.crowded()
}

// seek opens the counters, once. The caller holds the lock.
func (b *sandbox) seek() {
	if !b.sought && !b.closed {
		b.sought = true
		b.meter, _ = b.meters.open(b.PID)
	}
}

// Close releases every descriptor.
func (b *sandbox) Close() error {
	b.mu.Lock()
	b.closed = true
	b.meter.close()
	if b.tmp != nil {
		b.tmp.Close()
		b.tmp = nil
	}
	b.mu.Unlock()
	return b.Sandbox.Close()
}

func (b *sandbox) Exit() live.Exit {
	x := b.Sandbox.Exit()
	return live.Exit{Code: x.Code, Signal: x.Signal, OOM: x.OOM, Usage: usage(x.Usage)}
}

func usage(u launch.Usage) live.Usage { return live.Usage{CPU: u.CPU, PeakMemory: u.PeakMemory} }
