package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Dial connects to a TCP port inside the sandbox.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// telemetry passes events on to the extensions that subscribed.
type telemetry struct {
	some atomic.Bool // there are subscribers

	mu   sync.Mutex
	subs []*subscriber
}

// subscriber collects events for one extension and sends them in batches: when
// there are as many, or as much, as it buffers, or its time is over. What finds
// the buffer full while a batch is under way is dropped and counted.
type subscriber struct {
	subscription
	dial Dial
	wake chan struct{} // buffered
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	waiting []json.RawMessage
	size    int
	dropped int
	lost    int // bytes
	full    bool
}

// An event as it is sent.
type event struct {
	Time   string `json:"time"`
	Type   string `json:"type"`
	Record any    `json:"record"`
}

// eventTime is the form of an event's time.
const eventTime = "2006-01-02T15:04:05.000Z"

// Telemetry reports whether an extension has subscribed, so that Emit is worth
// its while.
func (e *Environment) Telemetry() bool { return e.telemetry.some.Load() }

// Emit sends an event to the extensions that subscribed to its type, such as
// platform.start or function. It doesn't wait for them.
func (e *Environment) Emit(kind string, at time.Time, record any) {
	if !e.Telemetry() {
		return
	}
	b, err := json.Marshal(event{at.UTC().Format(eventTime), kind, record})
	if err != nil {
		return
	}
	e.telemetry.mu.Lock()
	defer e.telemetry.mu.Unlock()
	for _, s := range e.telemetry.subs {
		if s.wants(kind) {
			s.put(b)
		}
	}
}

func (t *telemetry) add(s subscription, dial Dial) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, old := range t.subs {
		if old.extension == s.extension {
			close(old.quit)
			t.subs = append(t.subs[:i], t.subs[i+1:]...)
			break
		}
	}
	sub := &subscriber{subscription: s, dial: dial, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	t.subs = append(t.subs, sub)
	t.some.Store(true)
	go sub.run()
}

// close sends nothing more.
func (t *telemetry) close() {
	t.some.Store(false)
	t.mu.Lock()
	subs := t.subs
	t.subs = nil
	t.mu.Unlock()
	for _, s := range subs {
		close(s.quit)
		<-s.done
	}
}

// put adds an event to the buffer.
func (s *subscriber) put(b json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) >= s.items || s.size+len(b) > s.bytes && len(s.waiting) > 0 {
		s.dropped++
		s.lost += len(b)
		return
	}
	s.waiting = append(s.waiting, b)
	s.size += len(b)
	if s.full = len(s.waiting) >= s.items || s.size >= s.bytes; s.full || len(s.waiting) == 1 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// take empties the buffer.
func (s *subscriber) take() (batch []json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch, s.waiting, s.size, s.full = s.waiting, nil, 0, false
	if s.dropped > 0 {
		b, err := json.Marshal(event{time.Now().UTC().Format(eventTime), "platform.logsDropped", map[string]any{
			"reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.", "droppedRecords": s.dropped, "droppedBytes": s.lost,
		}})
		if err == nil {
			batch = append(batch, b)
		}
		s.dropped, s.lost = 0, 0
	}
	return batch
}

func (s *subscriber) isFull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}

// run sends batches until the environment ends.
func (s *subscriber) run() {
	defer close(s.done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-s.quit
		cancel()
	}()
	for {
		select {
		case <-s.wake:
		case <-s.quit:
			return
		}
		timer := time.NewTimer(s.wait)
		for over := false; !over && !s.isFull(); {
			select {
			case <-timer.C:
				over = true
			case <-s.wake:
			case <-s.quit:
				timer.Stop()
				return
			}
		}
		timer.Stop()
		if batch := s.take(); len(batch) > 0 {
			s.send(ctx, batch)
		}
	}
}

// sendLimit bounds the delivery of a batch; one that fails is lost.
const sendLimit = 10 * time.Second

func (s *subscriber) send(ctx context.Context, batch []json.RawMessage) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	nc, err := s.dial(ctx, "tcp", s.address)
	if err != nil {
		return
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	var b bytes.Buffer
	if s.tcp { // a line for each
		for _, m := range batch {
			b.Write(m)
			b.WriteByte('\n')
		}
		nc.Write(b.Bytes())
		return
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return
	}
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", s.path, sandboxHost, len(body))
	b.Write(body)
	if _, err := nc.Write(b.Bytes()); err != nil {
		return
	}
	if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil {
		res.Body.Close()
	}
}
