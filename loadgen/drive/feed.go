package drive

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"coldstorm/results"
)

// feed hands what the receiver reads of an odd response to net/http.
type feed struct {
	mu   sync.Mutex
	come sync.Cond
	data []byte
	at   results.Stamp // when the last of it came
	err  error         // after data
}

func newFeed(held []byte, at results.Stamp) *feed {
	f := &feed{data: append([]byte(nil), held...), at: at}
	f.come.L = &f.mu
	return f
}

func (f *feed) add(p []byte, at results.Stamp) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.data, f.at = append(f.data, p...), at
	f.come.Signal()
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err, f.at = err, results.Now()
	}
	f.come.Signal()
}

// Read waits for data, or for the connection's end.
func (f *feed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.data) == 0 && f.err == nil {
		f.come.Wait()
	}
	if len(f.data) == 0 {
		return 0, f.err
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

// readOdd reads an odd response to t, whose end net/http tells.
func (f *fire) readOdd(c *plain, t *trigger, from *feed) {
	in := bufio.NewReader(from)
	got := receive(in, f.methodOf(t.seq), f.keep)
	c.mu.Lock()
	from.mu.Lock()
	got.done = from.at
	got.last = got.last || got.err != nil || in.Buffered() > 0 || len(from.data) > 0 || from.err != nil || c.spent()
	if got.err != nil && !errors.Is(got.err, from.err) && !errors.Is(got.err, io.ErrUnexpectedEOF) {
		got.err = fmt.Errorf("%w: %w", errMalformed, got.err)
	}
	from.mu.Unlock()
	c.trigger, c.odd = nil, nil
	c.mu.Unlock()
	c.free(got.last)
	f.end(t, got)
}
