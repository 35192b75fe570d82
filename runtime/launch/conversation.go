package launch

import (
	"errors"
	"sync"

	"golang.org/x/sys/unix"
)

// settle marks a sandbox and forgets it once its launch has been answered and
// its end told: they come on two sockets, in any order.
func (l *Launcher) settle(b *Sandbox, mark func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mark()
	if b.answered && b.ended {
		delete(l.boxes, b.seq)
	}
}

// listen hears the daemon on both sockets until it has said all: an exit that
// stands in one is told even if the other has ended.
func (l *Launcher) listen() {
	var both sync.WaitGroup
	both.Go(l.readLaunches)
	both.Go(l.readControl)
	both.Wait()
	l.mu.Lock()
	for _, b := range l.boxes {
		b.let()
	}
	l.mu.Unlock()
	<-l.exited
	if l.waitErr != nil {
		Clean() // it could not
	}
	l.fail()
}

// readLaunches receives the answers to launches, with their descriptors.
func (l *Launcher) readLaunches() {
	buf, oob := make([]byte, maxPacket), make([]byte, unix.CmsgSpace(4*8)+unix.CmsgSpace(unix.SizeofUcred))
	for {
		n, oobn, _, _, err := l.asks.ReadMsgUnix(buf, oob)
		if err != nil || n == 0 {
			return
		}
		fds := rights(oob[:oobn])
		d := decoder{b: buf[:n]}
		kind, seq := d.int(), d.int()
		l.mu.Lock()
		b := l.boxes[seq]
		l.mu.Unlock()
		switch {
		case b == nil:
			closeAll(fds...)
		case kind == msgBorn:
			if b.refused = b.accept(&d, namedPID(oob[:oobn]), fds); b.refused == nil && b.born != nil {
				b.born(b)
			}
		default:
			l.launched(b, &d)
		}
	}
}

// launched takes the answer to a launch.
func (l *Launcher) launched(b *Sandbox, d *decoder) {
	var err error
	if msg := d.string(); msg != "" {
		l.drop(b.seq)
		err = errors.New(msg)
	} else if err = errors.Join(b.refused, b.runs(d)); err != nil { // it runs, and nobody will ever hear of it
		go b.Stop()
	}
	l.settle(b, func() { b.answered = true })
	b.launched <- err
}

// rights returns the descriptors of a control message.
func rights(oob []byte) []int {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	var fds []int
	for _, m := range list {
		if got, err := unix.ParseUnixRights(&m); err == nil {
			fds = append(fds, got...)
		}
	}
	return fds
}

// readControl receives answers and exits.
func (l *Launcher) readControl() {
	buf, oob := make([]byte, maxPacket), make([]byte, unix.CmsgSpace(4*8))
	for {
		n, oobn, _, _, err := l.control.ReadMsgUnix(buf, oob)
		if err != nil || n == 0 {
			return
		}
		fds := rights(oob[:oobn])
		d := decoder{b: buf[:n]}
		switch d.int() {
		case msgExit:
			seq := d.int()
			var x Exit
			x.decode(&d)
			l.mu.Lock()
			b := l.boxes[seq]
			l.mu.Unlock()
			if b != nil {
				b.finish(x)
				l.settle(b, func() { b.ended = true })
			}
		case msgReply:
			seq, msg := d.int(), d.string()
			a := controlAnswer{payload: append([]byte(nil), d.b...), fds: fds}
			if msg == errGone.Error() {
				a.err = errGone
			} else if msg != "" {
				a.err = errors.New(msg)
			}
			l.mu.Lock()
			ch := l.pending[seq]
			delete(l.pending, seq)
			l.mu.Unlock()
			if ch != nil {
				ch <- a
			} else {
				closeAll(fds...)
			}
		}
	}
}

// ask makes a request on the control socket and waits for its answer.
func (l *Launcher) ask(kind, box int64, fields func(*encoder)) (decoder, error) {
	d, _, err := l.askFDs(kind, box, fields)
	return d, err
}

// askFDs is ask for what is answered with descriptors.
func (l *Launcher) askFDs(kind, box int64, fields func(*encoder)) (decoder, []int, error) {
	ch := make(chan controlAnswer, 1)
	l.mu.Lock()
	if l.pending == nil {
		l.mu.Unlock()
		return decoder{}, nil, ErrClosed
	}
	l.seq++
	seq := l.seq
	l.pending[seq] = ch
	l.mu.Unlock()
	e := encoder{}
	e.int(kind)
	e.int(seq)
	e.int(box)
	if fields != nil {
		fields(&e)
	}
	if _, err := l.control.Write(e.b); err != nil {
		l.mu.Lock()
		delete(l.pending, seq)
		l.mu.Unlock()
		return decoder{}, nil, ErrClosed
	}
	a := <-ch
	return decoder{b: a.payload}, a.fds, a.err
}

// fail ends everything that waits for a process that has gone, once nothing
// more comes from it.
func (l *Launcher) fail() {
	l.mu.Lock()
	l.closed = true
	boxes, pending := l.boxes, l.pending
	l.boxes, l.pending = map[int64]*Sandbox{}, nil
	l.mu.Unlock()
	for _, ch := range pending {
		ch <- controlAnswer{err: ErrClosed}
	}
	for _, b := range boxes {
		select {
		case b.launched <- ErrClosed:
		default:
		}
		if !b.ended {
			if l.runtime.kind == process && b.PID > 1 {
				endSession(b.PID) // its children asked for no signal at the daemon's death
			}
			b.lose()
		}
	}
}
