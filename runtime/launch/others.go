package launch

import (
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// What the launchers other than the builtin one share.

// others are the daemon's notes on children that are no sandbox's first process.
type others struct {
	flying int                  // launches under way
	waited map[int]chan<- death // by pid, commands whose end a launch waits for
}

// fly notes that a launch has begun. The result ends it: a child that died
// without being booked until then never will be.
func (d *daemon) fly() (land func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.others.flying++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.others.flying--; d.others.flying == 0 {
			clear(d.early)
		}
	}
}

// await waits for the end of a child that was cloned after a moment. It is killed
// when it takes too long.
func (d *daemon) await(pid int, after results.Stamp, limit time.Duration) (x death, late bool) {
	over := make(chan death, 1)
	d.bear()
	d.mu.Lock()
	if x, dead := d.died(pid, after); dead {
		d.mu.Unlock()
		return x, false
	}
	if d.others.waited == nil {
		d.others.waited = map[int]chan<- death{}
	}
	d.others.waited[pid] = over
	d.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case x = <-over:
		return x, false
	case <-timer.C:
	}
	d.mu.Lock()
	if d.others.waited[pid] != nil {
		unix.Kill(pid, unix.SIGKILL)
	}
	d.mu.Unlock()
	return <-over, true
}

// died takes the death of a child that was cloned after a moment, if it is known
// already. The caller holds the lock. An orphan's pid can be given again, so an
// older death is another's.
func (d *daemon) died(pid int, after results.Stamp) (death, bool) {
	x, ok := d.early[pid]
	if ok {
		delete(d.early, pid)
	}
	return x, ok && x.at >= after
}

// unbooked takes the death of a child that is no booked sandbox's: of a command,
// of a sandbox that is being launched, or of an orphan. The caller holds the lock.
func (d *daemon) unbooked(pid int, x death) {
	if over := d.others.waited[pid]; over != nil {
		delete(d.others.waited, pid)
		over <- x
		return
	}
	if d.runtime.kind == builtin || d.others.flying > 0 {
		d.early[pid] = x
	}
}

// provision is what a sandbox of another launcher is given, made when it is asked
// for.
type provision struct {
	group   string // of its cgroups
	net     network
	freezer int   // or -1
	tasks   []int // version 1 cgroups to write oneself into
	into    int   // version 2 cgroup to be born in, or -1
}

func (p *provision) close() {
	closeAll(append(p.tasks, p.net.ns, p.net.listener, p.freezer, p.into)...)
}

// provide makes a sandbox's network and cgroups. Nothing is left of them if it can't.
func (d *daemon) provide(s *Spec) (p provision, err error) {
	p = provision{group: d.pool.name(), net: network{-1, -1}, freezer: -1, into: -1}
	defer func() {
		if err != nil {
			p.close()
			d.cg.remove(p.group)
		}
	}()
	if s.Network == NetworkNone {
		p.net, err = d.makers.take(d.makers.order(nil, false))
	} else {
		p.net.listener, err = listen(0, false, nil)
	}
	if err == nil {
		err = d.cg.prepare(p.group, s)
	}
	if err == nil {
		p.freezer, err = d.cg.freezer(p.group)
	}
	if err == nil {
		p.into, err = d.cg.birthplace(p.group)
	}
	for _, h := range d.cg.all {
		if err == nil && !h.v2 {
			var fd int
			if fd, err = openAt(h.fd, p.group+"/tasks", unix.O_WRONLY); err == nil {
				p.tasks = append(p.tasks, fd)
			}
		}
	}
	return p, err
}

// tellStarted books a started sandbox and tells the client.
func (d *daemon) tellStarted(bx *box, st Stamps, freezer int, fds ...int) error {
	d.book(bx) // before the answer: the client may ask for its end at once
	if err := d.sendBorn(bx, ModeCold, freezer, fds...); err != nil {
		d.kill(bx)
		return err
	}
	return d.sendRuns(bx, st, nil)
}
