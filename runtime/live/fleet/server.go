package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"coldstorm/runtime/live"
)

// server is the way to an HTTP server in a unit, over sockets that the launcher makes
// inside its network.
type server struct {
	dial      func(context.Context, string, string) (net.Conn, error)
	address   string
	path      string // of health checks
	stated    bool   // it is known to be HTTP
	transport *http.Transport
}

// maxBody bounds an answer, in bytes.
const maxBody = 64 << 20

func newServer(c Config, box live.Sandbox) *server {
	s := &server{dial: dialer(box), address: c.address(), path: c.Path, stated: c.Serve == ServeHTTP}
	s.transport = &http.Transport{
		DialContext: s.dial, MaxIdleConnsPerHost: c.Rules.Slots + 1, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
	return s
}

// look asks whether the server is there: of one that is stated by a health check, else
// by a connection.
func (s *server) look(ctx context.Context) error {
	switch {
	case s.dial == nil:
		return errNoDial
	case s.stated:
		return s.check(ctx)
	}
	c, err := s.dial(ctx, "tcp", s.address)
	if err == nil {
		c.Close()
	}
	return err
}

// check is a health check: any answer below 500 passes, as functions that serve one
// path alone say 404 to others. (AWS's default wants 200.)
func (s *server) check(ctx context.Context) error {
	got, err := s.serve(ctx, Request{Method: http.MethodGet, Path: s.path})
	if err == nil && got.status >= http.StatusInternalServerError {
		err = fmt.Errorf("health check of %s: %d %s", s.path, got.status, http.StatusText(got.status))
	}
	return err
}

// hop lists the headers that are a connection's own (RFC 9110, 7.6.1).
var hop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (s *server) serve(ctx context.Context, r Request) (reply, error) {
	path := r.Path
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, "http://"+s.address+path, bytes.NewReader(r.Body))
	if err != nil {
		return reply{}, err
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
		for _, h := range hop {
			req.Header.Del(h)
		}
	}
	res, err := s.transport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("an answer of more than %d bytes", maxBody)
	}
	for _, h := range hop {
		res.Header.Del(h)
	}
	return reply{status: res.StatusCode, header: res.Header, body: body}, err
}

func (s *server) close() { s.transport.CloseIdleConnections() }
