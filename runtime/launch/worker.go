package launch

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

var errGone = errors.New("sandbox is gone")

// work reads asks from the launch socket and carries them out, on a thread that
// stands on the stage, until the client goes.
func (d *daemon) work() {
	buf := make([]byte, maxPacket)
	for {
		n, err := unix.Read(launchFD, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		received := results.Now()
		dec := decoder{b: buf[:n]}
		id := dec.int()
		var spec Spec
		spec.decode(&dec)
		d.pool.busy(1)
		if dec.err != nil {
			d.refuse(id, dec.err)
		} else if err := d.launch(id, &spec, received); err != nil {
			d.refuse(id, err)
		}
		d.pool.busy(-1)
	}
}

func (d *daemon) refuse(id int64, err error) {
	e := encoder{}
	e.int(msgRuns)
	e.int(id)
	e.string(err.Error())
	sendPacket(launchFD, e.b)
}

// launch starts one sandbox and tells the client.
func (d *daemon) launch(id int64, spec *Spec, received results.Stamp) error {
	d.mu.Lock()
	closing := d.closing
	d.mu.Unlock()
	if closing {
		return errGone
	}
	defer d.bear()
	switch d.runtime.kind {
	case process:
		return d.launchProcess(id, spec, received)
	case oci:
		return d.launchOCI(id, spec, received)
	}
	if err := d.can(spec); err != nil {
		return err
	}
	b := d.pool.take(id, spec)
	var err error
	if b == nil {
		b, err = d.cold(id, spec)
	} else {
		err = d.finish(b, spec)
	}
	if err != nil {
		d.abort(b)
		return err
	}
	defer b.drop()
	if err := d.sendRuns(b.box, b.stamps(received), b.child.forbidden()); err != nil {
		return err
	}
	d.expose(b.box)
	return nil
}

// can says why this host can't launch what spec describes.
func (d *daemon) can(spec *Spec) error {
	switch n := len(spec.Image.Layers); {
	case d.st.overlay:
	case spec.Writable:
		return errors.New("a writable root needs overlay, which this host lacks")
	case n > 1:
		return fmt.Errorf("an image of %d layers needs overlay, which this host lacks", n)
	}
	return nil
}

// present sends the client a sandbox that is about to execute its program: it makes
// itself ready to hear of it meanwhile. It returns once the program runs, or can't.
func (d *daemon) present(b *birth) error {
	freezer, err := d.cg.freezer(b.box.group)
	if errors.Is(err, unix.ENOENT) { // it has ended, and its cgroups went
		freezer, err = -1, nil
	}
	if err != nil {
		return err
	}
	err = d.sendBorn(b.box, b.mode, freezer, b.net.listener, b.stdout, b.stderr)
	closeAll(freezer)
	if err != nil {
		return err
	}
	b.child.wait()
	if err := b.child.err(); err != nil {
		return err
	}
	if b.child.stamp(atExec) == 0 { // ended by somebody
		return errGone
	}
	return nil
}

// sendBorn sends a sandbox's descriptors, of which the freezer's may be -1.
func (d *daemon) sendBorn(b *box, mode string, freezer int, fds ...int) error {
	e := encoder{}
	e.int(msgBorn)
	e.int(b.id)
	e.string(mode)
	e.bool(d.cg.v2 != nil && d.cg.at["freezer"] == d.cg.v2)
	if freezer >= 0 {
		fds = append(fds, freezer)
	}
	if err := d.sendPID(e, b.pid, fds...); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// sendRuns tells that a sandbox's program runs. The sandbox is ended if that can't be
// sent.
func (d *daemon) sendRuns(b *box, st Stamps, lacks []string) error {
	e := encoder{}
	e.int(msgRuns)
	e.int(b.id)
	e.string("")
	for _, at := range st.told() {
		e.int(int64(*at))
	}
	e.strings(lacks)
	err := sendPacket(launchFD, e.b)
	if err != nil {
		d.kill(b)
		err = fmt.Errorf("answer: %w", err)
	}
	return err
}

// abort undoes a birth that failed.
func (d *daemon) abort(b *birth) {
	if b.child != nil {
		d.bear()
		d.kill(b.box)
		b.child.end()
	} else {
		d.spares.keep(b.box.spare)
	}
	b.drop()
	if err := d.cg.remove(b.box.group); err != nil { // it may have died before its cgroups were made
		d.mu.Lock()
		d.leaks = append(d.leaks, err)
		d.mu.Unlock()
	}
}

// expose has the kernel end a sandbox before the engine, should the machine run out of
// memory. (A child that shares the daemon's memory would say so of both.)
func (d *daemon) expose(b *box) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pids[b.pid] != b { // else the pid may be another's
		return
	}
	if fd, err := openAt(d.st.proc, strconv.Itoa(b.pid)+"/oom_score_adj", unix.O_WRONLY); err == nil {
		unix.Write(fd, []byte("500"))
		unix.Close(fd)
	}
}

func pipes(out, errp *[2]int) error {
	if err := unix.Pipe2(out[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	if err := unix.Pipe2(errp[:], unix.O_CLOEXEC); err != nil {
		closeAll(out[:]...)
		return fmt.Errorf("pipe: %w", err)
	}
	return nil
}

// layers are the folders that have been put below top, each a read-only mount. They are
// used by one thread at a time.
type layers struct {
	top    string
	staged map[string]string
	n      int
}

// get returns where each folder stands there, putting there what is not
// yet. The folder itself is opened from a thread that still sees the host's tree.
func (l *layers) get(paths []string) ([]string, error) {
	list := make([]string, len(paths))
	for i, p := range paths {
		at, ok := l.staged[p]
		if !ok {
			var err error
			if at, err = l.add(p); err != nil {
				return nil, err
			}
		}
		list[i] = at
	}
	return list, nil
}

func (l *layers) add(path string) (string, error) {
	type opened struct {
		fd  int
		err error
	}
	ch := make(chan opened)
	go func() {
		fd, err := openLayer(path)
		ch <- opened{fd, err}
	}()
	o := <-ch
	if o.err != nil {
		return "", o.err
	}
	defer unix.Close(o.fd)
	l.n++
	at := filepath.Join(l.top, strconv.Itoa(l.n))
	if err := addLayer(o.fd, at); err != nil {
		return "", fmt.Errorf("layer %s: %w", path, err)
	}
	if l.staged == nil {
		l.staged = map[string]string{}
	}
	l.staged[path] = at
	return at, nil
}
