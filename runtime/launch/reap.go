package launch

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// reap waits for children, as the only one who does, and tells of their end.
func (d *daemon) reap() {
	for {
		before := atomic.LoadUint32(&d.clones)
		var x death
		pid, err := unix.Wait4(-1, &x.status, 0, &x.usage)
		switch {
		case errors.Is(err, unix.ECHILD):
			waitWhile(&d.clones, before)
		case err == nil:
			x.at = results.Now()
			d.mu.Lock()
			b := d.pids[pid]
			if b == nil {
				d.unbooked(pid, x)
			} else {
				delete(d.pids, pid)
			}
			d.mu.Unlock()
			if b != nil {
				d.bury(b, x)
			}
		}
	}
}

// bear tells the reaper of a clone, for which it may wait. A launch does so at its end:
// the reaper would take a processor from it.
func (d *daemon) bear() {
	atomic.AddUint32(&d.clones, 1)
	wake(&d.clones)
}

// book notes a cloned child, and buries it if it died in the meantime.
func (d *daemon) book(b *box) {
	d.mu.Lock()
	x, dead := d.died(b.pid, b.began)
	if b.id == 0 { // not the client's yet
		d.waiting--
		b.id = d.waiting
	}
	d.boxes[b.id] = b
	if !dead {
		d.pids[b.pid] = b
	}
	closing := d.closing
	d.mu.Unlock()
	switch {
	case dead:
		d.bury(b, x)
	case closing:
		d.kill(b)
	}
}

// adopt makes a box that waited in the pool the client's sandbox id. It reports false
// if it has died.
func (d *daemon) adopt(b *box, id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pids[b.pid] != b {
		return false
	}
	delete(d.boxes, b.id)
	b.id = id
	d.boxes[id] = b
	return true
}

// lives says whether a sandbox's first process has not been reaped.
func (d *daemon) lives(b *box) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pids[b.pid] == b
}

// bury takes the last figures of a dead sandbox, tells the client and frees its cgroups.
func (d *daemon) bury(b *box, x death) {
	if d.runtime.kind == process {
		go func() { // aside: its orphans are reaped by the caller
			d.endOrphans(b)
			d.tell(b, x)
		}()
		return
	}
	d.tell(b, x)
}

func (d *daemon) tell(b *box, x death) {
	u := d.cg.usage(b.group)
	if d.cg.at["cpuacct"] == nil {
		u.CPU = time.Duration(x.usage.Utime.Nano() + x.usage.Stime.Nano())
	}
	if d.cg.at["memory"] == nil || d.cg.peakless() {
		u.PeakMemory = max(u.PeakMemory, x.usage.Maxrss<<10)
	}
	exit := Exit{At: results.Now(), Usage: u, OOM: u.OOMKills > 0}
	if x.status.Signaled() {
		exit.Code, exit.Signal = -1, syscall.Signal(x.status.Signal())
	} else {
		exit.Code = x.status.ExitStatus()
	}
	e := encoder{}
	e.int(msgExit)
	e.int(b.id)
	exit.encode(&e)
	d.sendControl(e.b)
	d.spares.keep(b.spare)
	d.sweeper.leave(b)
}

func (d *daemon) release(b *box) {
	err := errors.Join(d.oci.forget(d, b), d.cg.remove(b.group))
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.leaks = append(d.leaks, err)
	}
	delete(d.boxes, b.id)
	d.freed.Broadcast()
}
