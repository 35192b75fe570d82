package launch

import (
	"fmt"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// The modes of a sandbox's start: how much of it was there when it was asked for.
const (
	ModeCold   = "cold"   // nothing but what its image's sandboxes share, from the second on (see rooms)
	ModePooled = "pooled" // its namespaces, its root in them, its network (new, or see spares) and its cgroups
	ModeParked = "parked" // everything but execve
)

// A birth is a sandbox on its way to be a program.
type birth struct {
	box   *box
	child *child
	mode  string
	net   network

	like *Spec // what one that is ready was made for

	stdout, stderr int // what it writes, to be read
}

// newBirth is one of the client's sandbox id, or of none yet, without anything made.
func (d *daemon) newBirth(mode string, id int64) *birth {
	return &birth{mode: mode, box: &box{id: id, group: d.pool.name()}, net: network{-1, -1}, stdout: -1, stderr: -1}
}

// drop closes what a birth holds.
func (b *birth) drop() { closeAll(b.net.ns, b.net.listener, b.stdout, b.stderr) }

// stamps are the moments of a start that the daemon knows. What was ready before the
// ask has none.
func (b *birth) stamps(received results.Stamp) Stamps {
	at := b.child.stamp
	s := Stamps{Received: received, Begun: at(atBegun), Exec: at(atExec)}
	if b.mode == ModeCold {
		s.Cloned, s.Rootfs, s.Cgroups, s.Joined, s.Secured = at(atCloned), at(atRootfs), at(atCgroups), at(atJoined), at(atSecured)
	}
	return s
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

// cold starts a sandbox of which nothing of its own is ready. This thread makes its cgroups and
// clones the child, which then completes its root on the same processor; a maker, on
// another, makes the network meanwhile and does all the rest (see upbringing), so that
// nothing takes the processor from the child.
func (d *daemon) cold(id int64, spec *Spec) (b *birth, err error) {
	b = d.newBirth(ModeCold, id)
	if b.box.group, err = d.placed(spec, b.box.group); err != nil {
		return b, err
	}
	u := &upbringing{d: d, b: b, spec: spec}
	if spec.Network == NetworkNone {
		o := d.makers.order(u, d.pool.alone())
		u.begins(d.beget(b, spec))
		b.net, err = d.makers.take(o)
		return b, err
	}
	if b.net.listener, err = listen(0, false, nil); err == nil {
		u.begins(d.beget(b, spec))
		err = u.named(-1)
	}
	if err == nil {
		err = u.listens(b.net)
	}
	return b, err
}

// beget makes a cold start's cgroups, without limits yet, and a child that completes its
// root and enters them. (A version 2 cgroup must be there before, for it to be born in.)
func (d *daemon) beget(b *birth, spec *Spec) error {
	if err := d.cg.make(b.box.group); err != nil {
		return err
	}
	layers, err := d.rooms.enter(d.st, spec)
	if err != nil {
		return err
	}
	return d.conceive(b, func(s *script) {
		if spec.Writable {
			d.st.written(s, spec, layers)
		} else {
			d.st.inherited(s, spec)
		}
		d.st.joinCgroups(s, d.cg, b.box.group)
	})
}

// An upbringing is what a cold start's child is given once it was begotten, as its network
// comes to be: it is the network's buyer.
type upbringing struct {
	d    *daemon
	b    *birth
	spec *Spec

	begun uint32 // 1 once there is a child, or err: a futex word
	err   error
}

// begins tells that the child was begotten, or why it wasn't.
func (u *upbringing) begins(err error) {
	u.err = err
	set(&u.begun, 1)
}

// named has the child enter its network, unless ns is -1, and give up its rights.
func (u *upbringing) named(ns int) error {
	s := &script{ops: make([]op, 0, 32)}
	if ns >= 0 {
		u.d.st.joinNetwork(s, ns)
	}
	u.d.st.secure(s, u.spec)
	s.stamp(atSecured)
	waitWhile(&u.begun, 0)
	if u.err == nil {
		u.b.child.give(s)
	}
	return u.err
}

// listens sets the sandbox's limits, has its program executed and the client told of it.
func (u *upbringing) listens(n network) error {
	if err := u.d.cg.limit(u.b.box.group, u.spec); err != nil {
		return err
	}
	u.b.net = n
	u.b.execute(u.spec)
	return u.d.present(u.b)
}

// execute is a child's last script.
func (b *birth) execute(spec *Spec) {
	s := &script{}
	s.become(spec)
	b.child.give(s)
}

// finish gives a birth that was ready what it still lacks of spec, and tells the client.
func (d *daemon) finish(b *birth, spec *Spec) error {
	if b.mode == ModeParked {
		b.execute(spec)
		return d.present(b)
	}
	if limitsOf(spec) != limitsOf(b.like) {
		if err := d.cg.relimit(b.box.group, spec); err != nil {
			return err
		}
	}
	s := &script{ops: make([]op, 0, 32)}
	s.stamp(atBegun)
	d.st.secure(s, spec)
	s.become(spec)
	b.child.give(s)
	return d.present(b)
}

// connect moves the calling thread into the network that a birth is to be born in, which
// outlives its sandbox if it is pooled.
func (d *daemon) connect(b *birth, room string) (err error) {
	if b.mode == ModeParked {
		b.net.listener, err = newNetwork(nil)
		return err
	}
	if n := d.reuse(room); n.ns >= 0 {
		b.box.spare, b.net.listener = spare{room, n.ns}, n.listener
		return nil
	}
	n, err := d.st.freshNetwork()
	if b.net.listener = n.listener; err != nil {
		closeAll(n.ns)
		return err
	}
	b.box.spare = d.spares.hold(spare{room, n.ns})
	return nil
}

// seed makes a birth that waits, pooled or parked, for what like describes. The calling
// thread must be one that lives as long as the daemon and that may leave its network
// namespace.
func (d *daemon) seed(mode string, like *Spec) (b *birth, err error) {
	b = d.newBirth(mode, 0)
	b.like = like
	defer d.makers.leave()
	if _, err = d.rooms.enter(d.st, like); err == nil {
		err = d.connect(b, roomKey(like))
	}
	if err == nil {
		err = d.cg.prepare(b.box.group, like)
	}
	if err == nil {
		err = d.conceive(b, func(s *script) {
			d.st.joinCgroups(s, d.cg, b.box.group)
			d.st.inherited(s, like)
			s.call(0, unix.SYS_CLOSE_RANGE, firstFD, int(^uint32(0)), 0) // what belongs to other sandboxes would outlive them here
			if d.yields {                                                // the thread that makes it ready is of low priority
				s.call(0, unix.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, d.nice)
			}
			if mode == ModeParked {
				d.st.secure(s, like)
			}
		})
	}
	if err == nil && !b.child.wait() {
		if err = b.child.err(); err == nil {
			err = errGone
		}
	}
	return b, err
}
