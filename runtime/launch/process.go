package launch

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// The process launcher starts a function's program as it stands in the store, as
// a process of this host: it is the floor under every other launcher's time, and
// no isolation at all. The program has the rights of who runs coldstorm, root's
// if that is root; it sees every file and process of the host, its network and
// its /tmp; nothing is limited. Its own are a session, its output streams and the
// Runtime API's listening socket, on a free port of the host's loopback.
//
// Its end is that of all its processes: its descendants, and the orphans that
// stayed in its session. One that left its parent and its session both can't be
// told from another sandbox's: it ends with the launcher. A launcher that is killed
// takes the program with it, and its client, the next launcher of this kind or Clean
// what that has started (see endMarked).

// describeProcess says of a host what a launcher without isolation makes of it.
func (h *Host) describeProcess() {
	h.UserNS, h.Overlay, h.Seccomp = Part{OK: true, Reason: "not used"}, Part{OK: true, Reason: "not used"}, Part{OK: true, Reason: "not used"}
	for _, p := range []*Part{&h.Memory, &h.CPU, &h.Pids, &h.Freezer} {
		*p = Part{Reason: "the process launcher has no cgroups", Hint: "another launcher has them"}
	}
	h.Cgroup = "none"
}

func (d *daemon) launchProcess(id int64, spec *Spec, received results.Stamp) error {
	p, err := hostProgram(spec)
	if err != nil {
		return err
	}
	defer d.fly()()
	s := *spec
	s.Network = NetworkHost
	r, err := d.provide(&s)
	if err != nil {
		return err
	}
	defer r.close()
	api, err := address(r.net.listener)
	if err != nil {
		return err
	}
	var out, errp [2]int
	if err := pipes(&out, &errp); err != nil {
		return err
	}
	defer closeAll(out[0], out[1], errp[0], errp[1])
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/null: %w", err)
	}
	defer unix.Close(null)

	c := &script{}
	c.stamp(atCloned)
	c.call(0, unix.SYS_SETSID)
	c.call(0, unix.SYS_DUP3, null, 0, 0)
	c.call(0, unix.SYS_DUP3, out[1], 1, 0)
	c.call(0, unix.SYS_DUP3, errp[1], 2, 0)
	c.call(0, unix.SYS_CHDIR, p.dir)
	c.limits()
	c.dieWith(d.self)
	c.closeRest()
	c.unblock()
	c.stamp(atExec)
	c.execve(p.argv[0], p.argv, hostEnv(spec.Env, api, p.root))
	ch, err := c.clone(0, -1)
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	ch.wait()
	bx := &box{id: id, pid: ch.pid, began: received}
	if err := ch.err(); err != nil {
		bx.id = 0 // the client never hears of it
		d.book(bx)
		return err
	}
	return d.tellStarted(bx, Stamps{Received: received, Cloned: ch.stamp(atCloned), Exec: ch.stamp(atExec)}, -1, r.net.listener, out[0], errp[0])
}

// program is what to execute, as the host sees it.
type program struct {
	root string // of the image
	dir  string
	argv []string
}

// hostProgram finds a sandbox's program on the host.
func hostProgram(s *Spec) (program, error) {
	switch {
	case len(s.Image.Layers) == 2 && s.Image.HostUsr: // a handler: its runtime, and its package
		return handlerProgram(s)
	case len(s.Image.Layers) != 1:
		return program{}, fmt.Errorf("the process launcher takes an image of one layer, not of %d", len(s.Image.Layers))
	case s.Writable:
		return program{}, errors.New("the process launcher has no root filesystem to make writable")
	}
	p := program{root: s.Image.Layers[0], argv: append([]string(nil), s.Argv...)}
	var err error
	if p.argv[0], err = onHost(p.root, s.Argv[0]); err != nil {
		return program{}, err
	}
	p.dir, err = onHost(p.root, s.dir())
	return p, err
}

// handlerProgram finds the runtime of a handler, whose interpreter is the host's.
func handlerProgram(s *Spec) (program, error) {
	const runtimeDir = "/var/runtime/"
	p := program{root: s.Image.Layers[1], argv: append([]string(nil), s.Argv...)}
	for i, a := range p.argv {
		switch {
		case strings.HasPrefix(a, runtimeDir):
			p.argv[i] = s.Image.Layers[0] + a
		case strings.HasPrefix(a, TaskDir+"/"):
			p.argv[i] = p.root + a
		}
	}
	var err error
	p.dir, err = onHost(p.root, s.dir())
	return p, err
}

// onHost is where a path of the image's /var/task lies on the host. What lies
// elsewhere in an image would be looked for among the host's own files.
func onHost(root, inside string) (string, error) {
	if clean := path.Clean(inside); clean == TaskDir || strings.HasPrefix(clean, TaskDir+"/") {
		return root + clean, nil
	}
	return "", fmt.Errorf("the process launcher runs what is in %s; %s is not", TaskDir, inside)
}

// hostEnv replaces, where a function is told them, the addresses that hold inside
// a sandbox by those of the host, and adds the launcher's mark.
func hostEnv(env []string, api, root string) []string {
	list := make([]string, len(env))
	for i, v := range env {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "AWS_LAMBDA_RUNTIME_API":
			v = name + "=" + api
		case "LAMBDA_TASK_ROOT":
			v = name + "=" + root + TaskDir
		}
		list[i] = v
	}
	return append(list, mark())
}

// address is where a socket listens.
func address(fd int) (string, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return "", os.NewSyscallError("getsockname", err)
	}
	in, ok := sa.(*unix.SockaddrInet4)
	if !ok {
		return "", errors.New("listening socket is not of IPv4")
	}
	return net.JoinHostPort(net.IP(in.Addr[:]).String(), strconv.Itoa(in.Port)), nil
}

// endFamily kills a process and all its descendants: stopped first, so that none
// is born while the list is read.
func endFamily(pid int) {
	signalFamily(pid, unix.SIGSTOP, none)
	list := family(pid)
	for i := range list { // children first: a parent's end would hand them over
		unix.Kill(list[len(list)-1-i], unix.SIGKILL)
	}
}

// endOrphans kills what a dead sandbox left in its session, and waits until that
// is gone too.
func (d *daemon) endOrphans(b *box) {
	limit := time.Now().Add(cleanTime)
	for wait := 50 * time.Microsecond; time.Now().Before(limit); wait *= 2 {
		left := false
		for _, pid := range children(os.Getpid()) {
			d.mu.Lock()
			known := d.pids[pid] != nil
			d.mu.Unlock()
			if sid, err := unix.Getsid(pid); !known && err == nil && sid == b.pid {
				left = true
				endFamily(pid)
			}
		}
		if !left {
			return
		}
		time.Sleep(wait)
	}
}

// endSession kills every process of a session. Its number is no other's as long
// as there is one.
func endSession(sid int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if got, err := unix.Getsid(pid); err == nil && got == sid {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// endStrays kills every descendant of the daemon's: nothing outlives it.
func endStrays() {
	for _, pid := range children(os.Getpid()) {
		endFamily(pid)
	}
}
