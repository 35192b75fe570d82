package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"coldstorm/runtime/launch"
)

// A reset keeps an environment's /tmp (AWS documentation: "Understanding the
// Lambda execution environment lifecycle"), but a sandbox's ends with its first
// process. So each sandbox's is held open, and where an environment is started
// again that had written something, the supervisor is its first program: it waits
// until the files have been copied, and then executes the function's in its own
// place. Turned down: a first process that outlives the function, which every
// start would pay for; the old mount in the new sandbox, which the kernel refuses
// once its namespace has gone.

// tmps holds the /tmp of environments that are to be started again. The zero
// value is ready.
type tmps struct {
	mu   sync.Mutex
	kept map[string]*os.File // by environment
}

func (t *tmps) put(id string, dir *os.File) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil {
		t.kept = map[string]*os.File{}
	}
	t.kept[id] = dir
}

// take is what was kept for an environment, nil if nothing was, as of a nil t.
func (t *tmps) take(id string) *os.File {
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	dir := t.kept[id]
	delete(t.kept, id)
	return dir
}

// openTmp opens the /tmp of a sandbox that lives; nil if it has none of its own.
// It is called before the sandbox is handed on: afterwards its end may be too
// near.
func openTmp(b *launch.Sandbox) *os.File {
	fd, err := unix.Open("/proc/"+strconv.Itoa(b.PID)+"/root/tmp", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	dir := os.NewFile(uintptr(fd), "/tmp of "+b.ID)
	select {
	case <-b.Done(): // the number may be another's
		dir.Close()
		return nil
	default:
	}
	var inside unix.Stat_t
	if unix.Fstat(int(dir.Fd()), &inside) != nil || inside.Dev == hostTmp() {
		dir.Close() // a plain process of the host
		return nil
	}
	return dir
}

// hostTmp is the device of the host's /tmp.
var hostTmp = sync.OnceValue(func() uint64 {
	var host unix.Stat_t
	unix.Stat("/tmp", &host) // without one, no sandbox's is it
	return host.Dev
})

// at names what a descriptor stands for.
func at(dir *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) }

func empty(dir *os.File) bool {
	names, err := os.ReadDir(at(dir) + "/.")
	return err != nil || len(names) == 0
}

// restart starts an environment again with what it had in /tmp.
func (l launcher) restart(ctx context.Context, s launch.Spec, old *os.File) (*launch.Sandbox, error) {
	layer, err := l.supervisor.layer()
	if err != nil {
		return nil, fmt.Errorf("keep /tmp: %w", err)
	}
	if !slices.Contains(s.Image.Layers, layer) {
		s.Image.Layers = append(slices.Clone(s.Image.Layers), layer)
	}
	s.Argv = append([]string{supervisorPath, "--wait"}, s.Argv...)
	b, err := l.launch.Launch(ctx, s)
	if err != nil {
		return nil, err
	}
	to := openTmp(b)
	if to == nil {
		err = errors.New("no /tmp")
	} else {
		err = errors.Join(copyTree(at(old)+"/.", at(to)+"/."), mark(at(to), b.PID), to.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep /tmp: %w", err), b.Stop(), b.Close())
	}
	return b, nil
}

// waitMark is the file in /tmp for which the supervisor waits.
const waitMark = ".coldstorm-ready"

// mark lets the supervisor go on. The file is its own, for it to remove.
func mark(dir string, pid int) error {
	var owner unix.Stat_t
	if err := unix.Stat("/proc/"+strconv.Itoa(pid), &owner); err != nil {
		return err
	}
	path := filepath.Join(dir, waitMark)
	if err := os.WriteFile(path+"-", nil, 0o600); err != nil {
		return err
	}
	if err := os.Lchown(path+"-", int(owner.Uid), int(owner.Gid)); err != nil {
		return err
	}
	return os.Rename(path+"-", path)
}

// copyTree copies files, folders and symbolic links with their owners and modes.
// Nobody changes either tree meanwhile.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		return copyEntry(path, filepath.Join(to, rel), d)
	})
}

func copyEntry(from, to string, d fs.DirEntry) error {
	i, err := d.Info()
	if err != nil {
		return err
	}
	switch {
	case i.IsDir():
		err = os.Mkdir(to, 0o700)
	case i.Mode()&fs.ModeSymlink != 0:
		var target string
		if target, err = os.Readlink(from); err == nil {
			err = os.Symlink(target, to)
		}
	case i.Mode().IsRegular():
		err = copyFile(from, to)
	default:
		return nil // a socket or a pipe is of no use without who made it
	}
	if err != nil {
		return err
	}
	if s, ok := i.Sys().(*syscall.Stat_t); ok {
		if err := os.Lchown(to, int(s.Uid), int(s.Gid)); err != nil {
			return err
		}
	}
	if i.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return errors.Join(os.Chmod(to, i.Mode()), os.Chtimes(to, i.ModTime(), i.ModTime()))
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
