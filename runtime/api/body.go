package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
)

// body is a request's body: its bytes, and then its trailers. A chunked one is
// read here, since net/http takes no trailers beyond its buffer, and an error
// with its stack is longer than that.
type body struct {
	c       *conn
	r       io.Reader
	chunked bool
	ended   bool
	err     error
	length  int64       // -1 if it isn't known beforehand
	trailer http.Header // once ended
}

// begin makes b the body of req.
func (b *body) begin(c *conn, req *http.Request) {
	*b = body{c: c, r: req.Body, length: req.ContentLength, chunked: len(req.TransferEncoding) > 0}
	if b.chunked {
		b.r, b.length = httputil.NewChunkedReader(c.buf), -1
	}
}

// Read reads the bytes. Its io.EOF comes after the trailers.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	if err == io.EOF && b.chunked && !b.ended {
		b.ended = true
		if b.trailer, b.err = b.c.trailer(); b.err == nil {
			b.err = io.EOF
		}
		return n, b.err
	}
	if err != nil {
		b.err = err
	}
	return n, err
}

// trailer reads what follows the last chunk, up to the empty line.
func (c *conn) trailer() (http.Header, error) {
	c.in.N = maxHeader
	defer func() { c.in.N = unlimited }()
	h, err := textproto.NewReader(c.buf).ReadMIMEHeader()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return http.Header(h), err
}

// all reads a body whole. What is beyond limit bytes is counted and dropped.
func (b *body) all(limit int64) (p []byte, size int64, err error) {
	if n := b.length; n >= 0 && n <= limit {
		p = make([]byte, n)
		_, err = io.ReadFull(b, p)
		return p, n, err
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(b, limit+1))
	if err == nil && n > limit {
		buf.Reset()
		var more int64
		more, err = io.Copy(io.Discard, b)
		n += more
	}
	if b.err != nil && b.err != io.EOF {
		err = b.err
	}
	return buf.Bytes(), n, err
}
