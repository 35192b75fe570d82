package drive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"coldstorm/results"
)

// receiver reads the answers of all plain connections of a storm, in one goroutine
// that sleeps in epoll: waking one for each answer costs several times as much. It
// stamps and frames them; what they say is read elsewhere, in batches.
type receiver struct {
	fire        *fire
	epoll, bell int
	buffer      [64 << 10]byte
	timeout     time.Duration // from the send to the last byte
	stopped     atomic.Bool
	once        sync.Once
	ended       chan struct{}

	mu    sync.Mutex
	conns map[int]*plain
	gone  bool // the goroutine is: no more connections

	// The goroutine's own.
	batch   []ending
	since   results.Stamp // when batch's first came
	heads   []byte        // where heads are kept
	expiry  results.Stamp // when next to look for what has waited too long
	sparse  bool          // nothing came for a lull
	parking *os.File      // epoll, watched by the network poller; nil unless sparse
}

func newReceiver(f *fire) (*receiver, error) {
	r := &receiver{fire: f, timeout: f.Timeout, ended: make(chan struct{}), conns: map[int]*plain{}}
	var err error
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	if r.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(r.epoll)
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(r.bell)}
	if err := unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, r.bell, &event); err != nil {
		unix.Close(r.bell)
		unix.Close(r.epoll)
		return nil, fmt.Errorf("epoll_ctl: %w", err)
	}
	go r.run()
	return r, nil
}

// stop gives up what is in flight, and returns once the goroutine has ended.
func (r *receiver) stop() {
	r.once.Do(func() {
		r.stopped.Store(true)
		unix.Write(r.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	})
	<-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bell >= 0 {
		unix.Close(r.bell)
		r.bell = -1
	}
}

// adopt makes a connection of a descriptor, which it closes if it fails.
func (r *receiver) adopt(fd int, p *pool) (*plain, error) {
	c := &plain{fd: fd, pool: p, receiver: r}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := errStopped
	if !r.gone {
		event := unix.EpollEvent{Events: heard, Fd: int32(fd)}
		err = unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &event)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	r.conns[fd] = c
	return c, nil
}

// heard is what is told of each connection: bytes, and the end of what the endpoint sends.
const heard = unix.EPOLLIN | unix.EPOLLRDHUP

// listen has the receiver told of a connection's room for more bytes, or no longer.
func (r *receiver) listen(c *plain, room bool) error {
	event := unix.EpollEvent{Events: heard, Fd: int32(c.fd)}
	if room {
		event.Events |= unix.EPOLLOUT
	}
	return unix.EpollCtl(r.epoll, unix.EPOLL_CTL_MOD, c.fd, &event)
}

// forget is called before a connection's descriptor is closed.
func (r *receiver) forget(c *plain) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c.fd)
}

func (r *receiver) run() {
	defer close(r.ended)
	// Not sharpened: it would take the turn of the sender, and of an endpoint on this
	// host, at each answer of a burst, which then arrives over a longer time.
	var events [256]unix.EpollEvent
	for !r.stopped.Load() {
		for _, e := range events[:r.wait(events[:])] {
			r.serve(e)
		}
		r.expire()
		r.flush(false)
	}
	r.giveUp()
	if r.parking != nil {
		r.parking.Close()
	}
	unix.Close(r.epoll) // stop is the last to use the bell
}

const (
	// lull is how long the goroutine sleeps unseen by the Go scheduler, which would else
	// give its processor away at each answer of a storm.
	lull = time.Millisecond
	// held is how long answers may be held back while others come, so that many are
	// passed on together.
	held = 5 * time.Millisecond
)

// wait returns how many events there are.
func (r *receiver) wait(events []unix.EpollEvent) int {
	if !r.sparse {
		if n := poll(uintptr(r.epoll), events, lull); n > 0 {
			return n
		}
		r.sparse = true
	}
	r.flush(true)
	now := results.Now()
	n := r.park(events)
	if results.Now().Sub(now) <= lull && r.parking != nil {
		r.parking.Close() // watched, it would wake a thread at every answer
		r.sparse, r.parking = false, nil
	}
	return n
}

// park waits in the Go scheduler, for answers that are far apart: blocked in a system
// call meanwhile, this would keep Go's monitor awake, which looks every 20 µs. (The
// sender, who must not be late, blocks all the same: to be woken by the scheduler takes
// two turns on processors that others want.)
func (r *receiver) park(events []unix.EpollEvent) (n int) {
	if r.parking == nil {
		fd, err := unix.FcntlInt(uintptr(r.epoll), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil { // out of descriptors
			return poll(uintptr(r.epoll), events, lull)
		}
		unix.SetNonblock(fd, true) // for the poller to take it
		r.parking = os.NewFile(uintptr(fd), "epoll")
	}
	r.parking.SetReadDeadline(r.expiry.Time())
	raw, err := r.parking.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Read(func(fd uintptr) bool {
		n = poll(fd, events, 0)
		return n > 0
	})
	return n
}

// poll is epoll_wait(2) for up to a time, of which the Go scheduler doesn't hear.
func poll(epoll uintptr, events []unix.EpollEvent, most time.Duration) int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, epoll, uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), uintptr(most/time.Millisecond), 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// read reads what has come on a connection; nil: there is none any more. Another
// goroutine that closes it waits for r.mu first: the descriptor stays its own until then.
func (r *receiver) read(fd int) (c *plain, n int, errno syscall.Errno) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c = r.conns[fd]; c != nil {
		n, errno = recv(uintptr(fd), r.buffer[:])
	}
	return c, n, errno
}

// serve reads what has come on a connection. What did not fit is written once nothing
// has: an endpoint may answer a request that it won't read to its end, and hang up.
func (r *receiver) serve(e unix.EpollEvent) {
	c, n, errno := r.read(int(e.Fd))
	at := results.Now()
	switch {
	case c == nil:
		return
	case errno == unix.EAGAIN:
		if e.Events&unix.EPOLLOUT == 0 {
			return
		}
		if err := c.writeOn(); err != nil {
			r.lose(c, err)
		}
		return
	case errno != 0:
		r.lose(c, os.NewSyscallError("recv", errno))
		return
	case n == 0:
		r.lose(c, io.EOF)
		return
	}
	c.mu.Lock()
	t := c.trigger
	c.over = c.over || e.Events&unix.EPOLLRDHUP != 0
	if c.odd != nil {
		c.odd.add(r.buffer[:n], at)
		c.mu.Unlock()
		return
	}
	if t == nil || t.sent.Load() == 0 {
		r.loseLocked(c, errUnasked)
		return
	}
	what, err := c.in.add(r.buffer[:n], r.fire.keep)
	if err != nil {
		r.loseLocked(c, err)
		return
	}
	switch what {
	case odd:
		c.odd = newFeed(c.in.held, at)
		c.in.begin("")
		c.mu.Unlock()
		go r.fire.readOdd(c, t, c.odd)
	case whole:
		got := c.in.got
		got.head = r.keepHead(got.head)
		got.done = at
		got.last = got.last || c.spent()
		c.in.begin("") // a connection that waits keeps no body
		c.trigger = nil
		c.mu.Unlock()
		c.free(got.last)
		r.end(t, got)
	default:
		c.mu.Unlock()
	}
}

var errUnasked = errors.New("the endpoint spoke unasked")

// free gives a connection whose trigger has ended back, or closes it if that
// was its last.
func (c *plain) free(last bool) {
	if last {
		c.pool.drop(c)
	} else {
		c.pool.put(c)
	}
}

// lose is called for a connection that has ended, or can't be used any more.
func (r *receiver) lose(c *plain, err error) {
	c.mu.Lock()
	r.loseLocked(c, err)
}

// loseLocked is lose with c.mu held, which it releases.
func (r *receiver) loseLocked(c *plain, err error) {
	if c.odd != nil { // its reader sees to the rest
		c.odd.fail(err)
		unix.EpollCtl(r.epoll, unix.EPOLL_CTL_DEL, c.fd, nil)
		c.mu.Unlock()
		return
	}
	t := c.trigger
	c.trigger = nil
	c.end()
	unsent := t != nil && r.fire.sender.takeBack(t)
	c.mu.Unlock()
	switch {
	case t == nil:
		c.pool.lost(c)
		return
	case unsent:
		c.pool.drop(c)
		r.fire.again(t, err)
	default:
		c.pool.drop(c)
		r.end(t, answer{err: err, done: results.Now()})
	}
}

// keepHead copies a head to where it stays.
func (r *receiver) keepHead(h head) head {
	if len(h) > cap(r.heads)-len(r.heads) {
		r.heads = make([]byte, 0, max(32<<10, len(h)))
	}
	from := len(r.heads)
	r.heads = append(r.heads, h...)
	return head(r.heads[from:len(r.heads):len(r.heads)])
}

// end passes what became of a trigger on: soon, but of a closed storm at once.
func (r *receiver) end(t *trigger, got answer) {
	if len(r.batch) == 0 {
		r.since = got.done
	}
	r.batch = append(r.batch, r.fire.ending(t, got))
	r.flush(r.fire.closed)
}

func (r *receiver) flush(now bool) {
	if len(r.batch) == 0 || !now && results.Now() < r.since.Add(held) {
		return
	}
	r.fire.endings.add(r.batch...)
	clear(r.batch)
	r.batch = r.batch[:0]
}

// expire gives up what was sent a timeout ago. All have the same: what is sent
// after a look is due a timeout after it, or later.
func (r *receiver) expire() {
	now := results.Now()
	if now < r.expiry {
		return
	}
	r.expiry = now.Add(r.timeout)
	for _, c := range r.all() {
		c.mu.Lock()
		due := never
		if c.trigger != nil {
			if sent := results.Stamp(c.trigger.sent.Load()); sent != 0 {
				due = sent.Add(r.timeout)
			}
		}
		if due <= now {
			r.loseLocked(c, os.ErrDeadlineExceeded)
			continue
		}
		c.mu.Unlock()
		r.expiry = min(r.expiry, due)
	}
}

func (r *receiver) all() []*plain {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*plain, 0, len(r.conns))
	for _, c := range r.conns {
		all = append(all, c)
	}
	return all
}

// giveUp ends everything that is under way; the sender has stopped.
func (r *receiver) giveUp() {
	r.mu.Lock()
	r.gone = true
	r.mu.Unlock()
	for _, c := range r.all() {
		r.lose(c, errStopped)
	}
	r.flush(true)
}
