package image

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrNoInterpreter says that nothing runs a handler.
var ErrNoInterpreter = errors.New("no interpreter")

// An interpreter is a program that runs a language's files.
type interpreter struct {
	path    string // as seen inside
	runtime string // as AWS names it
}

// hostDirs are looked for interpreters of this host: the folders of programs below
// what a sandbox sees of it.
var hostDirs = []string{"/usr/local/bin", "/usr/bin", "/bin"}

// onHost finds the interpreter of a runtime, or, if that is empty, of the
// language's usual one.
func (l *language) onHost(runtime string) (interpreter, error) {
	var has []string
	for _, dir := range hostDirs {
		for _, name := range l.names(runtime) {
			at := filepath.Join(dir, name)
			if real, err := filepath.EvalSymlinks(at); err != nil || !seen(real) {
				continue
			}
			i, err := l.ask(at)
			if err != nil {
				continue
			}
			if runtime == "" || i.runtime == runtime {
				return i, nil
			}
			if !slices.Contains(has, i.runtime) {
				has = append(has, i.runtime)
			}
		}
	}
	return interpreter{}, l.missing(runtime, has)
}

// names are those that an interpreter of a runtime may have.
func (l *language) names(runtime string) []string {
	if l.name == "python" && runtime != "" {
		return append([]string{runtime}, l.programs...)
	}
	return l.programs
}

// hostTop is what a sandbox with the host's /usr sees of the host (launch's stage).
var hostTop = []string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"}

// seen says whether a sandbox with the host's /usr has a file of it.
func seen(real string) bool {
	for _, top := range hostTop {
		if strings.HasPrefix(real, top) {
			return true
		}
	}
	return false
}

// askLimit bounds how long an interpreter may take to say its version.
const askLimit = 20 * time.Second

// ask has a program of this host say its version.
func (l *language) ask(program string) (interpreter, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return interpreter{}, fmt.Errorf("%s --version: %w", program, err)
	}
	v := l.version.FindStringSubmatch(string(out))
	if v == nil {
		return interpreter{}, fmt.Errorf("%s --version: %.40q: %w", program, out, ErrNoInterpreter)
	}
	return interpreter{path: program, runtime: l.runtime(v)}, nil
}

// missing says that there is no interpreter, and what there is.
func (l *language) missing(runtime string, has []string) error {
	if len(has) > 0 {
		return &Hint{
			fmt.Errorf("%w of %s under /usr, which has %s", ErrNoInterpreter, runtime, strings.Join(has, ", ")),
			fmt.Sprintf("--runtime %s, or install the other, or give a container image that has it", has[0]),
		}
	}
	what := runtime
	if what == "" {
		what = l.programs[0]
	}
	err := fmt.Errorf("%w of %s under /usr", ErrNoInterpreter, what)
	if p, lookErr := exec.LookPath(l.programs[0]); lookErr == nil {
		err = fmt.Errorf("%w; the one on PATH, %s, is not seen by a function, nor is anything else of this host", err, p)
	}
	return &Hint{err, "apt-get install " + l.packages + ", or give a container image that has one"}
}

// inImage finds an interpreter in an image. Its version is not asked: it belongs
// to the image, and may need what only the image has.
func (l *language) inImage(v view, runtime string, env []string) (interpreter, error) {
	for _, name := range l.names(runtime) {
		p, at, err := v.program(name, "/", searchPath(env))
		if err != nil {
			continue
		}
		if _, err := v.runnable(at, p); err != nil {
			return interpreter{}, err
		}
		return interpreter{path: p, runtime: runtime}, nil
	}
	return interpreter{}, &Hint{
		fmt.Errorf("%w of %s in the image", ErrNoInterpreter, runtime),
		"build it from an image that has one, or leave --runtime out to start the image's own ENTRYPOINT and CMD (" + path.Join(runtimeDir, "bootstrap") + " in AWS's images)",
	}
}
