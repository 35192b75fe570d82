package image

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// defaultPath is where programs are looked for if the image doesn't say, as
// container engines have it.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// command fills in what the configuration says of the program. The user that it
// names is not heeded, nor is it by Lambda.
func (img *Image) command(c v1.Config, v view) error {
	img.Env = c.Env
	img.Dir = path.Join("/", c.WorkingDir)
	img.Handler = strings.Join(c.Cmd, " ")
	argv := append(append([]string{}, c.Entrypoint...), c.Cmd...)
	if len(argv) == 0 || argv[0] == "" {
		return &Hint{ErrNoProgram, `give it one in the Dockerfile, such as ENTRYPOINT ["/bootstrap"]: it is what speaks the Lambda Runtime API`}
	}
	if _, _, fi, err := v.find(img.Dir); img.Dir != "/" && (err != nil || !fi.IsDir()) && !inBase(img.Dir) {
		return &Hint{fmt.Errorf("working directory %s is no folder of the image: %w", img.Dir, ErrNoProgram), "make it in the Dockerfile: RUN mkdir -p " + img.Dir}
	}
	program, at, err := v.program(argv[0], img.Dir, searchPath(c.Env))
	if err != nil {
		return err
	}
	argv[0] = program
	img.Argv = argv
	img.Static, err = v.runnable(at, program)
	return err
}

// interpreted makes img run a handler in the image's own interpreter, where the image
// has no client of the Runtime API to do so. The handler's modules are looked for
// in the image's working directory, or in /var/task if it names none.
func (img *Image) interpreted(p Package, l *language, c v1.Config, store string) error {
	handler := cmp.Or(p.Handler, strings.Join(c.Cmd, " "))
	if err := l.named(handler); err != nil {
		return err
	}
	i, err := l.inImage(view(img.Layers), p.Runtime, c.Env)
	if err != nil {
		return err
	}
	img.Env, img.Dir = c.Env, "/var/task"
	if c.WorkingDir != "" {
		img.Dir = path.Join("/", c.WorkingDir)
	}
	return img.manage(l, i, handler, store, false)
}

// inBase says whether the launcher makes a folder that the image lacks.
func inBase(dir string) bool { return dir == "/tmp" || dir == "/var/task" }

func searchPath(env []string) string {
	for _, e := range env {
		if value, ok := strings.CutPrefix(e, "PATH="); ok {
			return value
		}
	}
	return defaultPath
}

// program finds a program as a container engine does: by its path, or in the
// folders of PATH.
func (v view) program(name, dir, search string) (inside, at string, err error) {
	paths := []string{path.Join(dir, name)}
	switch {
	case path.IsAbs(name):
		paths[0] = path.Clean(name)
	case !strings.Contains(name, "/"):
		paths = nil
		for _, d := range strings.Split(search, ":") {
			paths = append(paths, path.Join("/", d, name))
		}
	}
	for _, p := range paths {
		at, real, fi, err := v.find(p)
		if err != nil || fi.IsDir() {
			continue
		}
		return p, at, v.open(real)
	}
	hint := "ENTRYPOINT and CMD name it"
	if strings.Contains(name, " ") {
		hint = `it looks like a line for a shell: write ENTRYPOINT ["program", "argument"]`
	}
	return "", "", &Hint{fmt.Errorf("%s is not in the image: %w", name, ErrNoProgram), hint}
}

// open says whether everybody may execute a program. Lambda's user owns nothing
// in an image: what is only for root, such as all below /root, is closed to it.
func (v view) open(program string) error {
	for p := program; p != "/"; p = path.Dir(p) {
		if _, fi, err := v.look(p); err == nil && fi.Mode()&0o001 == 0 {
			return &Hint{fmt.Errorf("%s: %s has mode %04o: %w", program, p, fi.Mode().Perm(), ErrNotExecutable), "Lambda's user owns nothing in an image: RUN chmod 755 " + p}
		}
	}
	return nil
}

// runnable says whether a program is static, and refuses one that this host or
// the image can't run. Execve's own error says no more than that a file is
// missing.
func (v view) runnable(at, name string) (static bool, err error) {
	for range 5 { // an interpreter may be a script itself
		f, err := os.Open(at)
		if errors.Is(err, fs.ErrPermission) {
			return false, nil // readable to nobody, not even its owner
		}
		if err != nil {
			return false, err
		}
		kind, err := inspect(f)
		f.Close()
		if err != nil {
			return false, inImage(name, err)
		}
		if kind.needs == "" {
			return true, nil
		}
		next, _, fi, err := v.find(path.Join("/", kind.needs))
		if err != nil || fi.IsDir() {
			hint := "build the program on the image that it runs in, or statically; a Go function: CGO_ENABLED=0"
			if kind.script {
				hint = "install the interpreter in the image, or name its path there after #!"
			}
			return false, &Hint{fmt.Errorf("%s %s, which is not in the image: %w", name, kind.reason(), ErrNoProgram), hint}
		}
		if !kind.script {
			return false, nil
		}
		at, name = next, kind.needs
	}
	return false, nil
}

// inImage says an error of inspect for a program of an image.
func inImage(name string, err error) error {
	hint := ""
	var h *Hint
	if errors.As(err, &h) {
		err = h.Err
	}
	switch {
	case errors.Is(err, ErrArchitecture):
		hint = "build the program and the image for the same platform: docker build --platform"
	case errors.Is(err, ErrFormat):
		hint = "a script begins with #! and its interpreter"
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
	return &Hint{fmt.Errorf("%s: %w", name, err), hint}
}
