package live

import (
	"bytes"
	"os"
	"slices"
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
	begun   bool      // an invocation has
	running int       // invocations that have begun and not ended
	base    []byte    // the last lines before
	tails   []*tail   // of invocations that want one
}

// tail is the end of an invocation's lines.
type tail struct {
	request string
	text    []byte
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
	switch {
	case !o.begun:
		o.base = appendTail(o.base, lines)
	case len(o.tails) == 1:
		o.tails[0].text = appendTail(o.tails[0].text, lines)
	case len(o.tails) > 1:
		for line := range bytes.Lines(lines) {
			o.share(line)
		}
	}
}

// share gives a line to the tail of the invocation that it names, and one that names
// none to those of all that it may be of.
func (o *output) share(line []byte) {
	named := false
	for _, t := range o.tails {
		if bytes.Contains(line, []byte(t.request)) {
			t.text, named = appendTail(t.text, line), true
		}
	}
	for _, t := range o.tails {
		if !named {
			t.text = appendTail(t.text, line)
		}
	}
}

func appendTail(t, lines []byte) []byte {
	if len(lines) >= tailSize {
		return append(t[:0], lines[len(lines)-tailSize:]...)
	}
	if over := len(t) + len(lines) - tailSize; over > 0 {
		t = append(t[:0], t[over:]...)
	}
	return append(t, lines...)
}

// say adds a line of ours.
func (o *output) say(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(line)
}

// begin starts an invocation with its first line, and its tail if that is wanted.
func (o *output) begin(request string, line []byte, wanted bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.begun, o.base = true, nil
	o.running++
	o.log.Add(line)
	if wanted {
		o.tails = append(o.tails, &tail{request, line})
	}
}

// end adds the lines that end an invocation, and returns its tail if that is wanted. Of
// one that never began that has what was written before.
func (o *output) end(request string, lines []byte, wanted bool) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log.Add(lines)
	o.running = max(0, o.running-1)
	if !wanted {
		return nil
	}
	text := bytes.Clone(o.base)
	if i := slices.IndexFunc(o.tails, func(t *tail) bool { return t.request == request }); i >= 0 {
		text = o.tails[i].text
		o.tails = slices.Delete(o.tails, i, i+1)
	}
	return appendTail(text, lines)
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
		if o.running <= 1 { // else the line may be another's, who goes on with it
			o.flush(i)
		}
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

// last is a copy of the last lines before any invocation.
func (o *output) last() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.base)
}

// close waits for the end of the files, which comes with the end of the
// sandbox.
func (o *output) close() { o.pumps.Wait() }
