package drive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"coldstorm/results"
)

// ServeNull answers every HTTP/1.1 request on l with an empty 200, as fast as
// can be, until l is closed: the endpoint against which generators are held.
// It returns once all connections are closed.
func ServeNull(l net.Listener) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]struct{}{}
	defer wg.Wait()
	defer func() {
		mu.Lock()
		defer mu.Unlock()
		for c := range open {
			c.Close()
		}
	}()
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			l.Close() // whoever was not accepted would wait for ever
			return err
		}
		mu.Lock()
		open[c] = struct{}{}
		mu.Unlock()
		wg.Go(func() {
			serveNull(c)
			c.Close()
			mu.Lock()
			delete(open, c)
			mu.Unlock()
		})
	}
}

// serveNull answers requests. It reads no more of them than it must, so that the
// server takes little of the cores that a generator is measured on.
func serveNull(c net.Conn) {
	in := bufio.NewReader(c)
	for {
		length, err := readHead(in)
		if err != nil {
			return
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		arrivals.add(results.Now())
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// readHead reads a request's head and returns the length of its body.
func readHead(in *bufio.Reader) (length int, err error) {
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 && !first {
			return length, nil
		}
		const name = "content-length:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil || length < 0 {
				return 0, fmt.Errorf("content length %q", line)
			}
		}
	}
}

// arrivals of the null server: how many, the first and the last.
var arrivals arrived

type arrived struct{ n, first, last, stall atomic.Int64 }

func (a *arrived) add(at results.Stamp) {
	if a.n.Add(1) == 1 {
		a.first.Store(int64(at))
	}
	for {
		last := a.last.Load()
		if int64(at) <= last || a.last.CompareAndSwap(last, int64(at)) {
			break
		}
	}
	if until := a.stall.Load(); int64(at) < until {
		time.Sleep(results.Stamp(until).Sub(at))
	}
}

// Arrivals is how many requests the null servers of this process had since the last
// call, and the time from the first to the last of them.
func Arrivals() (n int, skew time.Duration) {
	n = int(arrivals.n.Swap(0))
	first, last := arrivals.first.Load(), arrivals.last.Swap(0)
	return n, time.Duration(last - first)
}

// Stall has the null servers of this process answer nothing for a time.
func Stall(d time.Duration) { arrivals.stall.Store(int64(results.Now().Add(d))) }
