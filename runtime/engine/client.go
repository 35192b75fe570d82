package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"coldstorm/results"
	"coldstorm/runtime/launch"
	"coldstorm/runtime/trigger"
)

// ErrClosed is returned for what is asked of an engine that has ended.
var ErrClosed = errors.New("engine has ended")

// Config says how to start an engine.
type Config struct {
	Exe  string   // binary to execute; empty is this process's own
	Args []string // its arguments, which lead to Serve; nil is the hidden verb __engine
	Env  []string // added to this process's environment
	Dir  string   // working directory; empty is this process's own

	Log    *os.File  // takes START, END and REPORT lines and what functions write; nil for none
	Stderr io.Writer // for complaints of engine and launcher; nil is this process's stderr

	Pool         int      // networks and cgroups that the launcher keeps ready
	Rootless     bool     // launch in a user namespace even as root
	Runtime      string   // what starts sandboxes, as launch.ParseRuntime reads it; empty is the builtin launcher
	LauncherArgs []string // of Exe, which lead to launch.Daemon; nil is the hidden verb __launcher

	Account *Account // serve the whole Lambda API; nil: the one function that Deploy deploys
}

// Engine is the client of an engine's process. Its methods may be called from
// many goroutines.
type Engine struct {
	cmd    *exec.Cmd
	hello  hello
	stdin  io.WriteCloser
	exited chan struct{}

	mu      sync.Mutex
	next    int64
	replies map[int64]chan error // nil once the process's output has ended
	watcher func(Census)
	taken   Snapshot // by the last deployment that took one
	states  []results.StateTime
}

// Start starts an engine's process and its launcher, and waits until it can
// deploy, or for the end of ctx. The caller must Close it.
func Start(ctx context.Context, c Config) (*Engine, error) {
	e := &Engine{exited: make(chan struct{}), replies: map[int64]chan error{}}
	out, err := e.spawn(c)
	if err != nil {
		return nil, fmt.Errorf("start engine: %w", err)
	}
	lines := bufio.NewReaderSize(out, 64<<10)
	greeted := make(chan error, 1)
	go func() {
		err := e.greet(lines, c)
		greeted <- err
		if err == nil {
			e.listen(lines)
		}
		io.Copy(io.Discard, out)
		e.cmd.Wait()
		close(e.exited)
	}()
	select {
	case err = <-greeted:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		e.stdin.Close() // on which it cleans up and goes
		<-e.exited
		return nil, fmt.Errorf("start engine: %w", err)
	}
	return e, nil
}

func (e *Engine) spawn(c Config) (out io.Reader, err error) {
	exe, args := c.Exe, c.Args
	if exe == "" {
		exe = "/proc/self/exe"
	}
	if args == nil {
		args = []string{"__engine"}
	}
	e.cmd = exec.Command(exe, args...)
	e.cmd.Env = append(os.Environ(), c.Env...)
	e.cmd.Dir = c.Dir
	e.cmd.Stderr = c.Stderr
	if c.Stderr == nil {
		e.cmd.Stderr = os.Stderr
	}
	if c.Log != nil {
		e.cmd.ExtraFiles = []*os.File{c.Log} // logFD
	}
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if out, err = e.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return out, e.cmd.Start()
}

func (e *Engine) greet(lines *bufio.Reader, c Config) error {
	b, err := json.Marshal(setup{Pool: c.Pool, Rootless: c.Rootless, Runtime: c.Runtime, LauncherArgs: c.LauncherArgs, Log: c.Log != nil, Account: c.Account})
	if err != nil {
		return err
	}
	if _, err := e.stdin.Write(append(b, '\n')); err != nil {
		return err
	}
	if err := readLine(lines, &e.hello); err != nil {
		return fmt.Errorf("no answer from the engine's process: %w", err)
	}
	if e.hello.Error != "" {
		return errors.New(e.hello.Error)
	}
	return nil
}

// listen takes the engine's messages until there are no more.
func (e *Engine) listen(lines *bufio.Reader) {
	for {
		var m message
		if err := readLine(lines, &m); err != nil {
			break
		}
		e.mu.Lock()
		reply, watcher := e.replies[m.Reply], e.watcher
		if m.Snapshot != nil {
			e.taken = *m.Snapshot
		}
		if m.States != nil {
			e.states = m.States
		}
		delete(e.replies, m.Reply)
		e.mu.Unlock()
		switch {
		case m.Census != nil && watcher != nil:
			watcher(*m.Census)
		case reply != nil && m.Error != "":
			reply <- errors.New(m.Error)
		case reply != nil:
			reply <- nil
		}
	}
	e.mu.Lock()
	left := e.replies
	e.replies = nil
	e.mu.Unlock()
	for _, reply := range left {
		reply <- ErrClosed
	}
}

func (e *Engine) ask(c command) error {
	reply := make(chan error, 1)
	e.mu.Lock()
	if e.replies == nil {
		e.mu.Unlock()
		return ErrClosed
	}
	e.next++
	c.ID = e.next
	b, err := json.Marshal(c)
	if err == nil {
		e.replies[c.ID] = reply
		_, err = e.stdin.Write(append(b, '\n'))
	}
	if err != nil {
		delete(e.replies, c.ID)
		e.mu.Unlock()
		return err
	}
	e.mu.Unlock()
	return <-reply
}

// URL is the endpoint of the Invoke API, such as http://127.0.0.1:40123.
func (e *Engine) URL() string { return e.hello.URL }

// InvokeURL is where to POST triggers of the function with this name.
func (e *Engine) InvokeURL(name string) string {
	return e.hello.URL + "/2015-03-31/functions/" + url.PathEscape(name) + "/invocations"
}

// Host is what the launcher found.
func (e *Engine) Host() launch.Host { return *e.hello.Host }

// PID is the engine's process.
func (e *Engine) PID() int { return e.cmd.Process.Pid }

// Deploy replaces what was deployed. It returns when nothing of that is left;
// triggers that it had in flight fail. Nothing is started before the first
// trigger.
func (e *Engine) Deploy(f Function) error {
	return e.ask(command{Verb: verbDeploy, Function: &f})
}

// Beside deploys a function beside what is deployed, until the next Deploy.
func (e *Engine) Beside(f Function) error {
	return e.ask(command{Verb: verbBeside, Function: &f})
}

// Add takes a function into the engine's account, beside those that are there.
// Of f, what an account sets for all functions is left out.
func (e *Engine) Add(f Function) error {
	return e.ask(command{Verb: verbAdd, Function: &f})
}

// Trigger adds an event source to the engine's account, whose function is there.
func (e *Engine) Trigger(x trigger.Source) error {
	return e.ask(command{Verb: verbSource, Source: &x})
}

// Discard ends every environment, and returns when nothing of them is left. The
// next trigger's start is the first of a deployment.
func (e *Engine) Discard() error { return e.ask(command{Verb: verbDiscard}) }

// Watch calls each with a census now and then at every interval, until stop is
// called or the engine ends. It replaces an earlier Watch. each is called from
// one goroutine, which also delivers replies: it must not block or call e.
func (e *Engine) Watch(every time.Duration, each func(Census)) (stop func(), err error) {
	e.setWatcher(each)
	if err := e.ask(command{Verb: verbCensus, Every: every}); err != nil {
		e.setWatcher(nil)
		return nil, err
	}
	return func() {
		e.ask(command{Verb: verbCensus})
		e.setWatcher(nil)
	}, nil
}

func (e *Engine) setWatcher(f func(Census)) {
	e.mu.Lock()
	e.watcher = f
	e.mu.Unlock()
}

// Done is closed when the engine's process has ended.
func (e *Engine) Done() <-chan struct{} { return e.exited }

// Close stops everything, and waits until no sandbox, cgroup, folder or process
// of the engine's is left. The error says what is, or how the engine had died
// before.
func (e *Engine) Close() error {
	err := e.ask(command{Verb: verbClose})
	e.stdin.Close()
	<-e.exited
	if err == nil || !errors.Is(err, ErrClosed) {
		return err
	}
	if state := e.cmd.ProcessState; state != nil && !state.Success() {
		return fmt.Errorf("engine's process: %s", state)
	}
	return nil
}
