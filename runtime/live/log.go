package live

import (
	"fmt"
	"io"
	"sync"
)

// logSize bounds what waits for the log's writer, in bytes.
const logSize = 1 << 20

// Log passes lines to a writer through a bounded buffer: Write never waits for
// the writer. Lines that find no room are dropped, counted, and the number is
// written in their place. A nil Log drops everything.
type Log struct {
	w    io.Writer
	wake chan struct{} // buffered
	done chan struct{}

	mu      sync.Mutex
	waiting []byte
	dropped int
	closed  bool
	err     error // the writer's first; nothing is written after it
}

// NewLog starts a log to w. It returns nil if w is nil.
func NewLog(w io.Writer) *Log {
	if w == nil {
		return nil
	}
	l := &Log{w: w, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.flush()
	return l
}

// Write takes p, one or several whole lines.
func (l *Log) Write(p []byte) (int, error) {
	l.Add(p)
	l.Wake()
	return len(p), nil
}

// Add takes whole lines, but leaves the writer asleep: they are written with the
// next Write, Wake or Close.
func (l *Log) Add(p []byte) {
	if l == nil {
		return
	}
	l.mu.Lock()
	switch {
	case l.closed:
	case len(l.waiting)+len(p) > logSize:
		l.dropped++
	default:
		if l.dropped > 0 {
			l.waiting = fmt.Appendf(l.waiting, "coldstorm: %d log writes dropped\n", l.dropped)
			l.dropped = 0
		}
		l.waiting = append(l.waiting, p...)
	}
	l.mu.Unlock()
}

// Wake has the lines written that wait.
func (l *Log) Wake() {
	if l == nil {
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Log) flush() {
	defer close(l.done)
	var spare []byte
	for range l.wake {
		l.mu.Lock()
		out, closed, broken := l.waiting, l.closed, l.err != nil
		l.waiting = spare[:0]
		if closed && l.dropped > 0 {
			out = fmt.Appendf(out, "coldstorm: %d log writes dropped\n", l.dropped)
		}
		l.mu.Unlock()
		if len(out) > 0 && !broken {
			if _, err := l.w.Write(out); err != nil {
				l.mu.Lock()
				l.err = err
				l.mu.Unlock()
			}
		}
		if closed {
			return
		}
		spare = out
	}
}

// Close writes what waits and returns the writer's error.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.Wake()
	<-l.done
	return l.err
}
