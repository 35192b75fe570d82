package api

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
)

// maxHeader bounds the bytes of a request's head, and of its trailers. Runtimes
// put an X-Ray error cause of up to 1 MiB there.
const maxHeader = 2 << 20

// unlimited is the bound of a body: what is done with it has its own.
const unlimited = 1 << 62

// conn is one connection of the runtime: one goroutine, one request at a time.
type conn struct {
	env  *Environment
	net  net.Conn
	in   io.LimitedReader
	buf  *bufio.Reader
	body body
	out  []byte     // the head, or all, of a response
	wake chan woken // ends a blocked next, one value, buffered; closed if there is nothing to come
}

// woken says what a blocked next is to do: write p, or nothing more if p is nil.
type woken struct {
	p        *pending
	err      error  // of the write
	restored bool   // it was restore/next
	raw      []byte // of an extension: the response
}

func newConn(e *Environment, nc net.Conn) *conn {
	c := &conn{env: e, net: nc, wake: make(chan woken, 1)}
	c.in = io.LimitedReader{R: nc}
	c.buf = bufio.NewReader(&c.in)
	return c
}

func (c *conn) serve() {
	defer c.env.serving.Done()
	defer c.end()
	for {
		c.in.N = maxHeader
		req, err := http.ReadRequest(c.buf)
		if err != nil {
			c.complain(err)
			return
		}
		c.in.N = unlimited
		c.body.begin(c, req)
		if req.Header.Get("Expect") == "100-continue" {
			if _, err := io.WriteString(c.net, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
				return
			}
		}
		if err := c.route(req); err != nil || req.Close {
			return
		}
		if err := c.body.discard(); err != nil {
			return
		}
	}
}

// complain answers bytes that are no request, as net/http's server does. The
// connection is of no more use, since nobody knows where the next one would begin.
func (c *conn) complain(err error) {
	var e net.Error
	switch {
	case c.in.N <= 0:
		c.farewell("431 Request Header Fields Too Large")
	case errors.Is(err, io.EOF), errors.As(err, &e): // the peer has gone
	default:
		c.farewell("400 Bad Request")
	}
}

func (c *conn) farewell(status string) {
	io.WriteString(c.net, "HTTP/1.1 "+status+"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+status)
}

func (c *conn) end() {
	c.net.Close()
	c.env.mu.Lock()
	defer c.env.mu.Unlock()
	delete(c.env.conns, c)
	if i := slices.Index(c.env.waiting, c); i >= 0 {
		c.env.waiting = slices.Delete(c.env.waiting, i, i+1)
	}
	if c.env.restoring == c {
		c.env.restoring = nil
	}
	for _, x := range c.env.extensions {
		if x.waiting == c {
			x.waiting = nil
		}
	}
}

// route answers one request. An error means that the connection is of no more
// use.
func (c *conn) route(req *http.Request) error {
	switch path, get := req.URL.Path, req.Method == http.MethodGet; {
	case path == "/2018-06-01/runtime/invocation/next":
		if !get {
			return c.refuse(errMethod)
		}
		return c.next(req.Header)
	case path == "/2018-06-01/runtime/restore/next" && c.env.config.SnapStart:
		if !get {
			return c.refuse(errMethod)
		}
		return c.restoreNext()
	case path == "/2018-06-01/ping":
		return c.reply(http.StatusOK, "text/plain", "", "pong")
	case path == "/2020-01-01/extension/event/next":
		return c.extensionNext(req)
	case path == "/2022-07-01/telemetry", path == "/2020-08-15/logs":
		if req.Method != http.MethodPut {
			return c.refuse(errMethod)
		}
		return c.subscribe(req)
	case req.Method != http.MethodPost:
		return c.refuse(errMethod)
	case path == "/2018-06-01/runtime/init/error":
		return c.initError(req)
	case path == "/2018-06-01/runtime/restore/error" && c.env.config.SnapStart:
		return c.restoreError(req)
	case path == "/coldstorm/exit" && len(c.env.config.Extensions) > 0:
		return c.exited()
	case path == "/2020-01-01/extension/init/error":
		return c.extensionFails(req, extensionInitFailed, "Extension.InitError")
	case path == "/2020-01-01/extension/exit/error":
		return c.extensionFails(req, extensionExitFailed, "Extension.ExitError")
	case path == "/2020-01-01/extension/register":
		return c.register(req)
	default:
		if id, verb, ok := invocationPath(path); ok && verb == "response" {
			return c.response(req, id)
		} else if ok && verb == "error" {
			return c.functionError(req, id)
		}
		return c.refuse(errNoRoute)
	}
}

func invocationPath(path string) (id, verb string, ok bool) {
	const prefix = "/2018-06-01/runtime/invocation/"
	if len(path) <= len(prefix) || path[:len(prefix)] != prefix {
		return "", "", false
	}
	rest := path[len(prefix):]
	for i := range len(rest) {
		if rest[i] == '/' {
			return rest[:i], rest[i+1:], true
		}
	}
	return "", "", false
}
