package live

import (
	"bytes"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	tailSize = 4 << 10 // AWS documentation: Invoke, LogResult: "The last 4 KB of the execution log"
	lineSize = 8 << 10 // a longer line is broken up
)

// output collects what an environment writes: lines go to the log whole, and
// the end of an invocation's lines is kept.
type output struct {
	log   *Log
	told  func(lines []byte)        // called with what the function wrote; nil: not called
	keep  func(lines []byte) []byte // of what the function wrote, what is to be seen; nil: all
	heard func()                    // called after each reading of stderr; nil: not called
	files []*os.File
	pumps sync.WaitGroup

	mu      sync.Mutex
	partial [2][]byte // of each file: a line that has no end yet
	tail    []byte
}

// stderr is its place among the files.
const stderr = 1

// open reads the files until they end.
func (o *output) open(files []*os.File) {
	o.files = files
	for i, f := range files {
		o.pumps.Add(1)
		go o.pump(i, f)
	}
}

var chunks = sync.Pool{New: func() any { return new([16 << 10]byte) }}

// pump reads under the lock, so that whoever finds the pipe empty and then
// takes the lock has all that was in it.
func (o *output) pump(i int, f *os.File) {
	defer o.pumps.Done()
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	for more := true; more; {
		err := raw.Read(func(fd uintptr) bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			chunk := chunks.Get().(*[16 << 10]byte)
			defer chunks.Put(chunk)
			n, err := unix.Read(int(fd), chunk[:])
			for err == unix.EINTR {
				n, err = unix.Read(int(fd), chunk[:])
			}
			if err == unix.EAGAIN {
				return false
			}
			if n > 0 {
				o.take(i, chunk[:n])
			}
			more = n > 0
			return true
		})
		if i == stderr && o.heard != nil {
			o.heard()
		}
		o.log.Wake()
		if err != nil {
			break
		}
	}
	o.mu.Lock()
	o.flush(i)
	o.mu.Unlock()
	o.log.Wake()
}

// take splits off whole lines. The caller holds the lock.
func (o *output) take(i int, b []byte) {
	end := bytes.LastIndexByte(b, '\n') + 1
	if end > 0 {
		whole := b[:end]
		if len(o.partial[i]) > 0 {
			whole = append(o.partial[i], whole...)
		}
		if o.told != nil {
			o.told(whole)
		}
		o.own(whole)
		o.partial[i] = o.partial[i][:0]
	}
	o.partial[i] = append(o.partial[i], b[end:]...)
	if len(o.partial[i]) > lineSize {
		o.flush(i)
	}
}

func (o *output) flush(i int) {
	if len(o.partial[i]) > 0 {
		o.own(append(o.partial[i], '\n'))
		o.partial[i] = o.partial[i][:0]
	}
}

// own passes on what is kept of the function's lines. The caller holds the lock.
func (o *output) own(lines []byte) {
	if o.keep != nil {
		lines = o.keep(lines)
	}
	o.put(lines)
}

// put passes lines on, without waking the log's writer. The caller holds the
// lock.
func (o *output) put(lines []byte) {
	o.log.Add(lines)
	if len(lines) >= tailSize {
		o.tail = append(o.tail[:0], lines[len(lines)-tailSize:]...)
		return
	}
	if over := len(o.tail) + len(lines) - tailSize; over > 0 {
		o.tail = append(o.tail[:0], o.tail[over:]...)
	}
	o.tail = append(o.tail, lines...)
}

// say adds a line of ours.
func (o *output) say(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(line)
}

// begin starts the tail of an invocation with its first line.
func (o *output) begin(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tail = o.tail[:0]
	o.put(line)
}

// catchUpLimit bounds the wait for what the function wrote before it answered.
const catchUpLimit = 20 * time.Millisecond

// catchUp waits until what was in the pipes has been read.
func (o *output) catchUp() {
	until := time.Now().Add(catchUpLimit)
	for _, f := range o.files {
		for unread(f) > 0 && time.Now().Before(until) {
			time.Sleep(50 * time.Microsecond)
		}
	}
	o.mu.Lock()
	for i := range o.files {
		o.flush(i)
	}
	o.mu.Unlock()
}

func unread(f *os.File) (n int) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	return n
}

// last is a copy of the tail.
func (o *output) last() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.tail)
}

// close waits for the end of the files, which comes with the end of the
// sandbox.
func (o *output) close() { o.pumps.Wait() }
