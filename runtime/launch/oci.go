package launch

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
	"coldstorm/runtime/image"
)

// An OCI runtime in the place of the builtin launcher: the same root filesystem,
// network, cgroups and limits, written down as a bundle (see config), which the
// runtime's own program starts with "run --detach". The first process of the
// container is then this process's child, and ends like any sandbox; what the
// runtime keeps of it is taken away by "delete".
//
// Of what happens inside the runtime nothing is known: a start is all sandbox
// phase, from the ask to the return of the command, when the program may have
// run for a moment already.

// runtimeTime bounds one command of a runtime.
const runtimeTime = 60 * time.Second

func (d *daemon) launchOCI(id int64, spec *Spec, received results.Stamp) error {
	defer d.fly()()
	c, err := d.contain(spec, received)
	if err != nil {
		return err
	}
	defer c.close()
	bx := &box{id: id, pid: c.pid, group: c.r.group, began: received}
	return d.tellStarted(bx, ociStamps(received, c.ran), c.r.freezer, c.r.net.listener, c.out[0], c.errp[0])
}

// container is one that a runtime has started.
type container struct {
	pid       int
	r         provision
	out, errp [2]int
	ran       ran
}

// close closes the daemon's descriptors. It doesn't end the container.
func (c *container) close() {
	c.r.close()
	closeAll(c.out[0], c.out[1], c.errp[0], c.errp[1])
}

// contain starts a container. Nothing is left of it if it can't.
func (d *daemon) contain(spec *Spec, received results.Stamp) (c container, err error) {
	c.out, c.errp = [2]int{-1, -1}, [2]int{-1, -1}
	if c.r, err = d.provide(spec); err != nil {
		return c, err
	}
	id := c.r.group
	defer func() {
		if err != nil {
			c.close()
			d.oci.clear(d, id)
			d.cg.remove(id)
		}
	}()
	if err = d.oci.write(spec, &c.r); err != nil {
		return c, err
	}
	if err = pipes(&c.out, &c.errp); err != nil {
		c.out, c.errp = [2]int{-1, -1}, [2]int{-1, -1}
		return c, err
	}
	cmd := command{stdout: c.out[1], stderr: c.errp[1], into: -1, args: d.oci.args(id, "run", "--detach", "--bundle", d.oci.bundle(id), "--pid-file", d.oci.pidFile(id), id)}
	if d.oci.quirks.joins || d.rootless { // a runtime in a user namespace sees no cgroup that it could write to
		cmd.tasks, cmd.into = c.r.tasks, c.r.into
	}
	c.ran, err = d.command(cmd, received)
	if err == nil && c.ran.exit != "" {
		err = errors.New(c.ran.exit)
	}
	if err != nil {
		return c, d.oci.explain(spec, id, c.errp[0], err)
	}
	c.pid, err = readPID(d.oci.pidFile(id))
	return c, err
}

// ociStamps are those that can be known: the container's root, network and cgroups are
// made before the runtime's command begins, and what that does it doesn't tell.
func ociStamps(received results.Stamp, ran ran) Stamps {
	return Stamps{Received: received, Cloned: ran.began, Ran: ran.ended}
}

func (o *bundles) bundle(id string) string  { return filepath.Join(o.top, "b", id) }
func (o *bundles) state() string            { return filepath.Join(o.top, "state") }
func (o *bundles) pidFile(id string) string { return filepath.Join(o.bundle(id), "pid") }
func (o *bundles) log(id string) string     { return filepath.Join(o.bundle(id), "log") }

// args are a command of the runtime's.
func (o *bundles) args(id, verb string, args ...string) []string {
	list := append([]string{o.path, "--root", o.state(), "--log", o.log(id)}, o.quirks.flags...)
	if o.rootless {
		list = append(list, o.quirks.rootless...)
	}
	return append(append(list, verb), args...)
}

// write writes a sandbox's bundle.
func (o *bundles) write(s *Spec, r *provision) error {
	dir := o.bundle(r.group)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := o.root(s, dir)
	if err != nil {
		return err
	}
	network := ""
	if r.net.ns >= 0 {
		network = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), r.net.ns)
	}
	text, err := json.Marshal(o.config(s, root, "/"+r.group, network))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644)
}

func readPID(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("pid of the container: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("pid of the container: %q", text)
	}
	return pid, nil
}

// explain adds to an error what the runtime said of it, on stderr or in its log.
// That a program can't be executed is told in the builtin launcher's words.
func (o *bundles) explain(s *Spec, id string, stderr int, err error) error {
	said := make([]byte, 4096)
	unix.SetNonblock(stderr, true)
	n, _ := unix.Read(stderr, said)
	text := lastWords(string(said[:max(n, 0)]))
	if text == "" {
		log, _ := os.ReadFile(o.log(id))
		text = lastWords(string(log))
	}
	err = fmt.Errorf("%s: %w: %s", filepath.Base(o.path), err, text)
	if why := o.unexecutable(s, id); why != nil {
		err = fmt.Errorf("execve(%q): %w: %w", s.Argv[0], why, err)
	}
	return err
}

// unexecutable says why the program of a sandbox can't be one.
func (o *bundles) unexecutable(s *Spec, id string) error {
	text, err := os.ReadFile(filepath.Join(o.bundle(id), "config.json"))
	if err != nil {
		return nil
	}
	var c struct{ Root struct{ Path string } }
	if json.Unmarshal(text, &c) != nil {
		return nil
	}
	fi, err := os.Lstat(filepath.Join(c.Root.Path, s.Argv[0]))
	switch {
	case errors.Is(err, os.ErrNotExist) && !s.Image.HostUsr:
		return unix.ENOENT
	case err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 == 0:
		return unix.EACCES
	}
	return nil
}

// lastWords is the end of what a program wrote, in one line.
func lastWords(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 500 {
		s = "..." + s[len(s)-500:]
	}
	return s
}

// forget removes what the runtime and the place keep of a dead sandbox. It is
// called from any thread; without an OCI runtime it does nothing.
func (o *bundles) forget(d *daemon, b *box) error {
	if o == nil {
		return nil
	}
	return o.inPlace(func() error { return o.clear(d, b.group) })
}

// inPlace carries out an errand on a thread in the place.
func (o *bundles) inPlace(f func() error) error {
	done := make(chan error)
	o.errands <- func() { done <- f() }
	return <-done
}

// clear is forget from a thread in the place.
func (o *bundles) clear(d *daemon, id string) error {
	ran, err := d.command(command{stdout: -1, stderr: -1, into: -1, args: o.args(id, "delete", "--force", id)}, results.Now())
	if err != nil {
		err = fmt.Errorf("%s delete: %w", filepath.Base(o.path), err)
	} else if ran.exit != "" {
		// A runtime that has nothing to delete may say so; what matters is that
		// nothing is left.
		os.RemoveAll(filepath.Join(o.state(), id))
	}
	return errors.Join(err, o.discard(o.bundle(id)))
}

// serve carries out errands, on a thread in the place.
func (o *bundles) serve(ready chan<- error) {
	err := o.stand(1, nil)
	ready <- err
	if err == nil {
		for f := range o.errands {
			f()
		}
	}
}

// command is one call of a runtime's program.
type command struct {
	args           []string
	stdout, stderr int   // or -1
	tasks          []int // version 1 cgroups to write itself into
	into           int   // version 2 cgroup to be born in, or -1
}

// ran is how it went.
type ran struct {
	began, ended results.Stamp
	exit         string // how it ended, unless it was well
}

// command runs a program and waits for its end. The calling thread's namespaces
// are the program's.
func (d *daemon) command(c command, after results.Stamp) (ran, error) {
	defer d.fly()() // it may have ended before it is waited for
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return ran{}, fmt.Errorf("open /dev/null: %w", err)
	}
	defer unix.Close(null)
	s := &script{}
	s.stamp(atCloned)
	for _, fd := range c.tasks {
		s.call(0, unix.SYS_WRITE, fd, "0", 1)
	}
	s.call(0, unix.SYS_SETSID)
	for to, from := range []int{null, c.stdout, c.stderr} {
		if from < 0 {
			from = null
		}
		s.call(0, unix.SYS_DUP3, from, to, 0)
	}
	s.call(0, unix.SYS_UMASK, 0o022)
	s.dieWith(d.self)
	s.closeRest()
	s.unblock()
	s.execve(c.args[0], c.args, os.Environ())
	ch, err := s.clone(0, c.into)
	if err != nil {
		return ran{}, fmt.Errorf("clone: %w", err)
	}
	ch.wait()
	x, late := d.await(ch.pid, after, runtimeTime)
	r := ran{began: ch.stamp(atCloned), ended: results.Now()}
	switch {
	case s.failed() != nil:
		return r, s.failed()
	case late:
		r.exit = fmt.Sprintf("%s: no end after %v", c.args[0], runtimeTime)
	case x.status.Signaled():
		r.exit = "signal: " + x.status.Signal().String()
	case x.status.ExitStatus() != 0:
		r.exit = fmt.Sprintf("exit status %d", x.status.ExitStatus())
	}
	return r, nil
}

// trial starts and ends one container, so that what the runtime or the host
// refuses is known before anything is launched, and asks the runtime's version.
func (o *bundles) trial(d *daemon, host *Host) error {
	if o == nil {
		return nil
	}
	return o.inPlace(func() error {
		defer d.fly()()
		host.Version = o.version(d)
		const layer = "trial"
		at := filepath.Join(o.top, "l", layer)
		if err := os.MkdirAll(at+TaskDir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(at+TaskDir+"/bootstrap", FirstProgram(), 0o755); err != nil {
			return err
		}
		o.layers.staged = map[string]string{layer: at}
		s := Spec{ID: "trial", Argv: []string{TaskDir + "/bootstrap"}, Image: image.Image{Layers: []string{layer}}, TmpBytes: 1 << 20, Pids: DefaultPids}
		now := results.Now()
		c, err := d.contain(&s, now)
		if err != nil {
			return fmt.Errorf("trial of a sandbox: %w", err)
		}
		defer c.close()
		unix.Kill(c.pid, unix.SIGKILL)
		d.await(c.pid, now, runtimeTime)
		return errors.Join(o.clear(d, c.r.group), d.cg.remove(c.r.group))
	})
}

// version is the first line of what the runtime says of itself, or "". (Asked
// without --root, crun makes a folder for its state on the host.)
func (o *bundles) version(d *daemon) string {
	var p [2]int
	if unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return ""
	}
	defer closeAll(p[0], p[1])
	ran, err := d.command(command{stdout: p[1], stderr: -1, into: -1, args: []string{o.path, "--root", o.state(), "--version"}}, results.Now())
	if err != nil || ran.exit != "" {
		return ""
	}
	said := make([]byte, 4096)
	n, _ := unix.Read(p[0], said)
	line, _, _ := strings.Cut(string(said[:max(n, 0)]), "\n")
	return lastWords(line)
}
