package drive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"

	"golang.org/x/net/http2"

	"coldstorm/results"
)

// Over HTTP/2 the sender wakes a trigger's worker at its time, which sends it by
// golang.org/x/net/http2, vegeta's own: its stream is one of many on a connection. The
// send is stamped when the frame of its headers was written.

// ErrNoHTTP2 is of an endpoint that doesn't take HTTP/2 on its TLS connections.
var ErrNoHTTP2 = errors.New("the endpoint offers no HTTP/2")

// streamsEach is how many triggers at once a connection is dialled for before the storm; the
// least that RFC 9113 (6.5.2) advises an endpoint to allow.
const streamsEach = 100

// streams are a host's HTTP/2 connections. Another is dialled when none takes one more
// request, as far as limit allows; then requests wait for the connection's.
type streams struct {
	dialer *dialer
	limit  int

	mu      sync.Mutex
	conns   []*http2.ClientConn
	dialled int // after the storm began
}

// reserve returns a connection that will take a request.
func (s *streams) reserve(ctx context.Context) (*http2.ClientConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	living := s.conns[:0]
	for _, c := range s.conns {
		if st := c.State(); !st.Closed && !st.Closing {
			living = append(living, c)
		}
	}
	s.conns = living
	for _, c := range s.conns {
		if c.ReserveNewRequest() {
			return c, nil
		}
	}
	if len(s.conns) == s.limit {
		return s.conns[0], nil
	}
	c, err := s.dial(ctx) // under the lock: those who come meanwhile want the same
	if err != nil {
		return nil, err
	}
	s.dialled++
	s.conns = append(s.conns, c)
	c.ReserveNewRequest()
	return c, nil
}

func (s *streams) dial(ctx context.Context) (*http2.ClientConn, error) {
	t := &http2.Transport{AllowHTTP: true, DisableCompression: true}
	if s.dialer.tls == nil {
		c, err := s.dialer.dial(ctx)
		if err != nil {
			return nil, err
		}
		return t.NewClientConn(c)
	}
	c, _, err := s.dialer.shake(ctx)
	if err != nil {
		return nil, err
	}
	if c.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
		c.Close()
		return nil, ErrNoHTTP2
	}
	return t.NewClientConn(c)
}

// fill dials for n requests at once.
func (s *streams) fill(ctx context.Context, n int) {
	for range min((n+streamsEach-1)/streamsEach, s.limit) {
		c, err := s.dial(ctx)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
	}
}

func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

// template is a request of HTTP/2, made of what goes out in HTTP/1.1.
type template struct {
	request *http.Request
	body    []byte
}

// templates are the requests by the first byte of what pick returns.
func (a Attack) templates(r *requests) (map[*byte]template, error) {
	all := map[*byte]template{}
	for i, wires := range r.wire {
		at := a.URL
		if len(a.Targets) > 0 {
			at = a.Targets[i].URL
		} else if len(a.Routes) > 0 {
			at = a.Routes[i]
		}
		u, err := url.Parse(at)
		if err != nil {
			return nil, err
		}
		for _, wire := range wires {
			req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
			if err != nil {
				return nil, err
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			req.URL, req.RequestURI = u, ""
			all[&wire[0]] = template{req, body}
		}
	}
	return all, nil
}

// deliverStream sends t as a stream when it is its turn, and reads the answer. One that was
// not sent is tried again. A connection that can't be dialled ahead of the time is tried
// again then, as connect does.
func (f *fire) deliverStream(t *trigger) (got answer) {
	s := f.hosts.to(t.seq).streams
	t.turn = make(chan struct{})
	for range tries {
		c, err := s.reserve(f.ctx)
		f.armed(t)
		if !f.awaitTurn(t) {
			got.err = errStopped
			break
		}
		if err != nil {
			c, err = s.reserve(f.ctx)
		}
		if got = (answer{err: err}); err == nil {
			got = f.stream(c, t)
		}
		if got.err == nil || err != nil || t.sent.Load() != 0 || f.ctx.Err() != nil {
			break
		}
	}
	got.done = results.Now()
	return got
}

// awaitTurn reports whether t is to be sent now: the sender said so once.
func (f *fire) awaitTurn(t *trigger) bool {
	if t.state == fresh && !f.sender.add(t) {
		return false
	}
	select {
	case <-t.turn:
		return true
	case <-f.ctx.Done():
		return !f.sender.takeBack(t) && f.ctx.Err() == nil
	}
}

func (f *fire) stream(c *http2.ClientConn, t *trigger) answer {
	ctx, cancel := context.WithTimeout(f.ctx, f.Timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { t.sent.CompareAndSwap(0, int64(results.Now())) },
	})
	from := f.templates[&t.data[0]]
	req := from.request.WithContext(ctx)
	req.Body, req.ContentLength = http.NoBody, int64(len(from.body))
	if len(from.body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(from.body))
	}
	res, err := c.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	return read(res, f.keep)
}
