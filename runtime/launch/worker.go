package launch

import (
	"errors"
	"fmt"
	"sync"

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
	e.int(id)
	e.string(err.Error())
	sendPacket(launchFD, e.b)
}

// launch starts one sandbox and sends its descriptors to the client.
func (d *daemon) launch(id int64, spec *Spec, received results.Stamp) error {
	d.mu.Lock()
	closing := d.closing
	d.mu.Unlock()
	if closing {
		return errGone
	}
	switch d.runtime.kind {
	case process:
		return d.launchProcess(id, spec, received)
	case oci:
		return d.launchOCI(id, spec, received)
	}
	if spec.Writable && !d.st.overlay {
		return errors.New("a writable root needs overlay, which this host lacks")
	}
	if len(spec.Image.Layers) > 1 && !d.st.overlay {
		return fmt.Errorf("an image of %d layers needs overlay, which this host lacks", len(spec.Image.Layers))
	}
	b := &birth{spec: spec}
	var err error
	if b.layers, err = d.layers.get(spec.Image.Layers); err != nil {
		return err
	}
	r, err := d.pool.take(spec)
	if err != nil {
		return err
	}
	defer r.close()
	kept := false
	defer func() {
		if !kept {
			d.cg.remove(r.group)
		}
	}()
	var out, errp [2]int
	if err := pipes(&out, &errp); err != nil {
		return err
	}
	defer closeAll(out[0], out[1], errp[0], errp[1])
	b.tasks, b.cgroup, b.net, b.stdout, b.stderr = r.tasks, len(r.tasks) > 0 || r.into >= 0, r.net.ns, out[1], errp[1]
	s := d.st.compile(b)
	pid, err := s.run(birthFlags, r.into)
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	kept = true
	bx := &box{id: id, pid: pid, group: r.group}
	if err := s.failed(); err != nil {
		bx.id = -int64(pid) // the client never hears of it by its own number
		d.book(bx)
		return err
	}
	fds := []int{r.net.listener, out[0], errp[0]}
	if r.freezer >= 0 {
		fds = append(fds, r.freezer)
	}
	e := encoder{}
	e.int(id)
	e.string("")
	e.int(int64(pid))
	e.string(r.mode)
	e.bool(d.cg.v2 != nil && d.cg.at["freezer"] == d.cg.v2)
	for _, st := range []results.Stamp{received, stampOf(b.cloned), stampOf(b.ready), stampOf(b.rootfs), stampOf(b.exec)} {
		e.int(int64(st))
	}
	e.strings(s.forbidden())
	d.book(bx) // before the answer: the client may ask for its end at once
	if err := sendPacket(launchFD, e.b, fds...); err != nil {
		d.kill(bx)
		return err
	}
	return nil
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

// layers are the folders that have been put on the stage.
type layers struct {
	mu     sync.Mutex
	staged map[string]string
	n      int
}

// get returns where each folder stands on the stage, putting there what is not
// yet. The folder itself is opened from a thread that still sees the host's tree.
func (l *layers) get(paths []string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
	at, err := addLayer(o.fd, l.n)
	if err != nil {
		return "", fmt.Errorf("layer %s: %w", path, err)
	}
	if l.staged == nil {
		l.staged = map[string]string{}
	}
	l.staged[path] = at
	return at, nil
}
