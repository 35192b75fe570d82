package api

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"

	"coldstorm/results"
)

const (
	headerErrorType    = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody    = "Lambda-Runtime-Function-Error-Body"
	headerResponseMode = "Lambda-Runtime-Function-Response-Mode"
)

// response handles POST {id}/response.
func (c *conn) response(req *http.Request, id string) error {
	p, no := c.env.claim(id, toResponse)
	if no != nil {
		return c.refuse(*no)
	}
	if mode := req.Header[headerResponseMode]; len(mode) > 0 && mode[0] != "streaming" {
		c.env.settle(p, failure("Runtime.InvalidResponseModeHeader", fmt.Sprintf("Invalid response mode %q", mode[0])))
		return c.refuse(errResponseMode)
	}
	body, no := c.body(req, p)
	if no != nil {
		return c.refuse(*no)
	}
	r := Response{Payload: body, ContentType: contentType(req), Received: results.Now()}
	if kind := req.Trailer.Get(headerErrorType); kind != "" {
		r = streamError(kind, req.Trailer.Get(headerErrorBody))
	}
	c.env.settle(p, r)
	return c.ok()
}

// body reads the answer to a claimed invocation. One that is cut short may be
// sent again; one over MaxPayload ends the invocation. Both are refused.
func (c *conn) body(req *http.Request, p *pending) ([]byte, *refusal) {
	body, size, err := readBody(req)
	switch {
	case err != nil:
		c.env.unclaim(p)
		return nil, &errTruncated
	case size > MaxPayload:
		c.env.settle(p, failure("Function.ResponseSizeTooLarge", fmt.Sprintf(
			"Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, MaxPayload)))
		return nil, &errTooLarge
	}
	return body, nil
}

// functionError handles POST {id}/error.
func (c *conn) functionError(req *http.Request, id string) error {
	p, no := c.env.claim(id, toError)
	if no != nil {
		return c.refuse(*no)
	}
	body, no := c.body(req, p)
	if no != nil {
		return c.refuse(*no)
	}
	c.env.settle(p, Response{
		Payload: body, ContentType: contentType(req), Received: results.Now(),
		ErrorType: SanitizeErrorType(req.Header.Get(headerErrorType)),
	})
	return c.ok()
}

// failure is an error that this package found in an answer.
func failure(kind, message string) Response {
	return Response{
		Payload: ErrorBody(kind, message), ContentType: contentJSON, ErrorType: kind, Received: results.Now(),
	}
}

// streamError is the error that a runtime announced after a part of its
// response, in trailers: a type and the base64 of a JSON body.
func streamError(kind, body string) Response {
	kind = SanitizeErrorType(kind)
	decoded, err := base64.StdEncoding.DecodeString(body)
	if err != nil || len(decoded) == 0 {
		return failure(kind, "")
	}
	return Response{Payload: decoded, ContentType: contentJSON, ErrorType: kind, Received: results.Now()}
}

func contentType(req *http.Request) string {
	if t := req.Header["Content-Type"]; len(t) > 0 {
		return t[0]
	}
	return ""
}

// readBody reads a request's body, buffered or chunked. What is beyond
// MaxPayload is counted and dropped.
func readBody(req *http.Request) (body []byte, size int64, err error) {
	if n := req.ContentLength; n >= 0 && n <= MaxPayload {
		body = make([]byte, n)
		_, err = io.ReadFull(req.Body, body)
		return body, n, err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(req.Body, MaxPayload+1))
	if err == nil && n > MaxPayload {
		b.Reset()
		var more int64
		more, err = io.Copy(io.Discard, req.Body)
		n += more
	}
	return b.Bytes(), n, err
}
