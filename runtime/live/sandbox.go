package live

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"coldstorm/results"
)

// A Launcher starts sandboxes of one function's image.
type Launcher interface {
	// Launch returns when the function's process has been executed. An error
	// that is ErrEntrypoint says that it couldn't be.
	Launch(context.Context, Spec) (Sandbox, error)
}

// ErrEntrypoint says that the function's bootstrap can't be executed.
var ErrEntrypoint = errors.New("entry point can't be executed")

// A Spec says how to start an environment. During init it may use every
// processor.
type Spec struct {
	ID       string   // of the environment
	Env      []string // NAME=value; AWS_LAMBDA_RUNTIME_API is the launcher's to add
	MemoryMB int
	TmpMB    int // size of /tmp; 0 is the launcher's default, Lambda's 512
}

// A Sandbox is one started sandbox. Its methods may be called from any
// goroutine. What more one may have: Signal, to its first process; DialContext, to
// servers inside; Keep, which has the next sandbox of its ID begin with its /tmp,
// unless its launcher's Forget is called for that ID.
type Sandbox interface {
	Birth() Birth
	Freeze() error
	Thaw() error
	SetCPU(processors float64) error // 0: all
	Usage() (Usage, error)           // is on the path of every invocation
	Crowded() bool                   // its limit on processes has refused one; false once it has ended, or if that isn't known
	Stop() error                     // kills it and waits for its end
	Done() <-chan struct{}           // closed when it has ended, by itself or by Stop
	Exit() Exit                      // how it ended; waits for that
	Close() error                    // releases descriptors, after its end
}

// Birth is what a sandbox starts with. The stamps are in the order of time.
type Birth struct {
	Listener net.Listener  // of the Runtime API
	Output   []*os.File    // what the function writes: stdout, stderr
	Mode     string        // cold or pooled
	Ready    results.Stamp // namespaces and cgroup there
	Exec     results.Stamp // root filesystem there, execve is next

	Moments results.Moments // of the start, as far as the launcher tells them; none is fine
}

// Usage is what a sandbox has used since its start.
type Usage struct {
	CPU        time.Duration
	PeakMemory int64 // bytes
}

// Exit is how a sandbox ended.
type Exit struct {
	Code   int            // exit status of its first process
	Signal syscall.Signal // that ended it, or 0
	OOM    bool           // for its memory
	Usage  Usage          // of its whole life
}
