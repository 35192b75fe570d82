package launch

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// The modes of a sandbox's start: how much of it was there when it was asked for.
const (
	ModeCold   = "cold"   // nothing
	ModePooled = "pooled" // its namespaces, with /proc, /sys, /dev and /tmp in them, its network and its cgroups
	ModeParked = "parked" // everything but execve
)

// A birth is a sandbox on its way to be a program.
type birth struct {
	box   *box
	child *child
	mode  string
	set   limits // of its cgroups
	net   network

	parked *Spec // as what it is parked; nil if it isn't

	stdout, stderr int // what it writes, to be read
}

// drop closes what a birth holds.
func (b *birth) drop() { closeAll(b.net.ns, b.net.listener, b.stdout, b.stderr) }

// stamps are the moments of a start that the daemon knows. A moment that passed
// before the ask, of what was ready, counts as the ask's.
func (b *birth) stamps(received results.Stamp) Stamps {
	at := func(n int) results.Stamp { return max(b.child.stamp(n), received) }
	return Stamps{
		Received: received, Cloned: at(atCloned), Kernel: at(atKernel), Joined: at(atJoined), Begun: at(atBegun),
		Rootfs: at(atRootfs), Exec: at(atExec),
	}
}

// conceive clones a child that begins with what begin writes, after it has taken
// its streams. A version 2 cgroup must be there by then, for it to be born in.
func (d *daemon) conceive(b *birth, begin func(s *script)) error {
	into, err := d.cg.birthplace(b.box.group)
	if err != nil {
		return err
	}
	defer closeAll(into)
	var out, errp [2]int
	if err := pipes(&out, &errp); err != nil {
		return err
	}
	b.stdout, b.stderr = out[0], errp[0]
	defer closeAll(out[1], errp[1])
	s := &script{ops: make([]op, 0, 80)}
	d.st.streams(s, out[1], errp[1])
	begin(s)
	if b.child, err = s.clone(birthFlags, into); err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	b.box.pid = b.child.pid
	d.book(b.box)
	return nil
}

// cold starts a sandbox of which nothing is ready. Its root is mounted by the
// child while this thread makes its cgroups and another its network.
func (d *daemon) cold(id int64, spec *Spec, layers []string) (b *birth, err error) {
	b = &birth{mode: ModeCold, box: &box{id: id, group: d.pool.name()}, net: network{-1, -1}, stdout: -1, stderr: -1}
	var ns []byte
	var ordered <-chan made
	if spec.Network == NetworkNone {
		ns, ordered = make([]byte, 16), d.makers.order()
	}
	defer func() {
		if ordered != nil {
			m := <-ordered
			m.net.close()
		}
	}()
	early := d.cg.v2 != nil
	if early {
		err = d.cg.prepare(b.box.group, spec)
	}
	if err == nil {
		err = d.conceive(b, func(s *script) {
			s.add(d.st.mounted)
			d.st.root(s, spec, layers)
		})
	}
	if err == nil && !early {
		err = d.cg.prepare(b.box.group, spec)
	}
	if err != nil {
		return b, err
	}
	s := &script{ops: make([]op, 0, 48)}
	d.st.join(s, d.cg, b.box.group, ns)
	d.st.become(s, spec)
	if ordered != nil {
		m := <-ordered
		ordered = nil
		if b.net = m.net; m.err != nil {
			return b, m.err
		}
		copy(ns, strconv.Itoa(b.net.ns))
	} else if b.net.listener, err = listen(0, false); err != nil {
		return b, err
	}
	b.child.give(s)
	return b, nil
}

// become is a child's last script: it gives up its rights and executes.
func (st *stage) become(s *script, spec *Spec) {
	st.secure(s, spec.hostname())
	s.execve(spec.Argv[0], spec.Argv, spec.Env)
}

// finish gives a birth that was ready what it still lacks of spec.
func (d *daemon) finish(b *birth, spec *Spec, layers []string) error {
	if b.set != limitsOf(spec) {
		if err := d.cg.relimit(b.box.group, spec); err != nil {
			return err
		}
	}
	s := &script{ops: make([]op, 0, 48)}
	s.stamp(atBegun)
	if !d.rootless { // the thread that made it ready is of low priority
		s.call(0, unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, 0)
	}
	d.st.root(s, spec, layers)
	d.st.become(s, spec)
	b.child.give(s)
	return nil
}

// wake lets a parked sandbox be a program.
func (b *birth) wake(spec *Spec) {
	s := &script{}
	s.stamp(atExec)
	s.execve(spec.Argv[0], spec.Argv, spec.Env)
	b.child.give(s)
}

// seed makes a birth that waits: parked where park is given, else pooled with the
// limits of like, if that is given. The calling thread must be one that lives as long
// as the daemon and that may leave its network namespace.
func (d *daemon) seed(park, like *Spec) (b *birth, err error) {
	b = &birth{mode: ModePooled, box: &box{group: d.pool.name()}, net: network{-1, -1}, stdout: -1, stderr: -1}
	if park != nil {
		b.mode, b.parked, like = ModeParked, park, park
	}
	if like != nil {
		b.set = limitsOf(like)
	}
	var layers []string
	if park != nil {
		if layers, err = d.layers.get(park.Image.Layers); err != nil {
			return b, err
		}
	}
	if b.net.listener, err = newNetwork(); err == nil {
		err = d.cg.prepare(b.box.group, like)
	}
	if err == nil {
		err = d.conceive(b, func(s *script) {
			d.st.join(s, d.cg, b.box.group, nil)
			s.add(d.st.mounted)
			s.call(0, unix.SYS_CLOSE_RANGE, firstFD, int(^uint32(0)), 0) // what belongs to other sandboxes would outlive them here
			if park == nil {
				return
			}
			if !d.rootless {
				s.call(0, unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, 0)
			}
			d.st.root(s, park, layers)
			d.st.secure(s, park.hostname())
		})
	}
	if err == nil && !b.child.wait() {
		if err = b.child.err(); err == nil {
			err = errGone
		}
	}
	return b, err
}
