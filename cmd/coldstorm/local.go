package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"coldstorm/runtime/image"
	"coldstorm/runtime/launch"
	"coldstorm/workloads"
)

// local is what serve and invoke need of this machine: a temporary folder, and
// an opener of functions. Its zero value has to be begun.
type local struct {
	memory           int
	timeout          time.Duration
	runtime, handler string
	launcher         string

	work   string // gone at the end
	remove func()
	layers string
	opener *image.Opener
}

// flags declares those of a function and its launcher.
func (l *local) flags(f *pflag.FlagSet) {
	f.IntVar(&l.memory, "memory", 128, "memory of each --function in `MB`; 1769 is one vCPU")
	f.DurationVar(&l.timeout, "timeout", 3*time.Second, "timeout of each --function, 1s to 900s")
	f.StringVar(&l.runtime, "runtime", "", "`runtime` of each --function as AWS names it: python3.13, nodejs22.x, provided.al2023 (default: as what is there says)")
	f.StringVar(&l.handler, "handler", "", "`handler` of each --function, module.function (default: the usual one)")
	f.StringVar(&l.launcher, "launcher", launch.RuntimeBuiltin, "`launcher` that starts sandboxes: builtin, process (a plain process: no isolation, no limits) or oci:PATH (runc, crun, runsc)")
}

// begin checks the flags and makes the folder, which end removes.
func (l *local) begin(say func(string)) error {
	switch {
	case l.memory < workloads.MinMemoryMB || l.memory > workloads.MaxMemoryMB:
		return usageError("", "--memory %d is not within %d..%d MB (AWS Lambda quotas)", l.memory, workloads.MinMemoryMB, workloads.MaxMemoryMB)
	case l.timeout < workloads.MinTimeout || l.timeout > workloads.MaxTimeout || l.timeout%time.Second != 0:
		return usageError("", "--timeout %v is not of whole seconds within %v..%v (AWS Lambda quotas)", l.timeout, workloads.MinTimeout, workloads.MaxTimeout)
	}
	if err := checkLauncher(l.launcher); err != nil {
		return err
	}
	layers, _, err := layerStore(os.Getenv)
	if err != nil {
		return err
	}
	if l.work, l.remove, err = workFolder(); err != nil {
		return exitError{code: exitUsage, err: fmt.Errorf("make a temporary folder: %w", err), hint: "TMPDIR names a folder that you may write to"}
	}
	if layers == "" {
		layers = filepath.Join(l.work, "layers")
	}
	l.layers = layers
	l.opener = &image.Opener{Copies: filepath.Join(l.work, "store"), Layers: layers, Say: say}
	return nil
}

func (l *local) end() {
	if l.opener != nil {
		l.opener.Close()
	}
	if l.remove != nil {
		l.remove()
	}
}

// open opens a function by its path or reference.
func (l *local) open(ctx context.Context, path string) (image.Image, error) {
	img, err := l.opener.OpenPackage(ctx, image.Package{Path: path, Runtime: l.runtime, Handler: l.handler})
	if err != nil && ctx.Err() != nil {
		return img, exitError{code: exitInterrupted, err: errInterrupted}
	}
	if err != nil {
		return img, badFunction(err)
	}
	return img, nil
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// functionName is what a function is called that was not given a name.
func functionName(path string) string {
	sc, err := workloads.ForFunction(workloads.Function{Path: path}, "")
	if err != nil {
		return "function"
	}
	name := strings.Trim(notInNames.ReplaceAllString(sc.Function.Name, "-"), "-")
	if name == "" {
		return "function"
	}
	return name[:min(len(name), 64)]
}

// logTo is a file that an engine can be given to log into, and whose lines come
// out of w. The caller closes the file, and then waits.
func logTo(w io.Writer) (file *os.File, wait func(), err error) {
	if f, ok := w.(*os.File); ok {
		return f, func() {}, nil
	}
	r, f, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(w, r)
		r.Close()
	}()
	return f, func() {
		f.Close()
		<-done
	}, nil
}
