package launch

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/image"
)

// The launchers there are, as Config.Runtime names them.
const (
	RuntimeBuiltin = "builtin" // this package's own
	RuntimeProcess = "process" // a process of the host: no isolation, no limit
	runtimeOCI     = "oci:"    // and the path or name of an OCI runtime
)

// A Runtime is the launcher that starts sandboxes. The zero value is the builtin one.
type Runtime struct {
	kind kind
	path string // of an OCI runtime's program, absolute
}

type kind int

const (
	builtin kind = iota
	process
	oci
)

// ParseRuntime reads "builtin" (or nothing), "process", or "oci:" with the path
// of a program or its name on PATH. It starts nothing. An error is of type
// *image.Hint.
func ParseRuntime(s string) (Runtime, error) {
	switch s {
	case "", RuntimeBuiltin:
		return Runtime{}, nil
	case RuntimeProcess:
		return Runtime{kind: process}, nil
	}
	program, ok := strings.CutPrefix(s, runtimeOCI)
	if !ok || program == "" {
		return Runtime{}, &image.Hint{
			Err:  fmt.Errorf("unknown launcher %q", s),
			Hint: "want builtin, process or oci:PATH, such as oci:runc or oci:/usr/bin/crun",
		}
	}
	if why := unsupported(program); why != "" {
		return Runtime{}, &image.Hint{Err: fmt.Errorf("launcher %s: %s", s, why), Hint: "want a runtime that shares the host's kernel or network stack, such as oci:runc, oci:crun or oci:runsc"}
	}
	path, err := exec.LookPath(program)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		if e := (*exec.Error)(nil); errors.As(err, &e) {
			err = e.Err
		}
		return Runtime{}, &image.Hint{
			Err:  fmt.Errorf("launcher %s: %w", s, err),
			Hint: "install it (Debian: apt install runc crun runsc), or give its path",
		}
	}
	return Runtime{kind: oci, path: path}, nil
}

// String is what ParseRuntime reads.
func (r Runtime) String() string {
	switch r.kind {
	case process:
		return RuntimeProcess
	case oci:
		return runtimeOCI + r.path
	}
	return RuntimeBuiltin
}

// Isolates says whether a sandbox is one: false for a process of the host.
func (r Runtime) Isolates() bool { return r.kind != process }

// controllers that it needs beside the usual ones.
func (r Runtime) controllers() []string {
	if r.kind == oci {
		return []string{devicesController}
	}
	return nil
}

// name is the program's, which tells its quirks.
func (r Runtime) name() string { return filepath.Base(r.path) }

// startRuntime starts what a launcher that is not the builtin one needs, in
// place of startWorkers.
func (d *daemon) startRuntime(host *Host) error {
	// What a sandbox leaves behind, and what a runtime hands over, becomes this
	// process's child: it can be waited for, and ended.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("child subreaper: %w", err)
	}
	launch := func(int) { d.work() }
	if d.runtime.kind == process {
		host.describeProcess()
		return d.startThreads(max(2, hostCPUs), func(int) error { return nil }, launch)
	}
	d.oci = &bundles{path: d.runtime.path, quirks: quirksOf(d.runtime.name()), rootless: d.rootless, errands: make(chan func())}
	if !host.Overlay.OK {
		return fmt.Errorf("%s needs overlay mounts: %s", d.runtime, host.Overlay.Reason)
	}
	if err := d.startThreads(max(2, hostCPUs), func(i int) error { return d.oci.stand(i, d.cg) }, launch); err != nil {
		return err
	}
	var errs []error
	ready := make(chan error)
	for range hostCPUs {
		go func() {
			runtime.LockOSThread()
			d.oci.serve(ready)
		}()
		errs = append(errs, <-ready)
	}
	return errors.Join(errs...)
}
