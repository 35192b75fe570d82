package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"coldstorm/results"
)

const (
	headerErrorType    = "Lambda-Runtime-Function-Error-Type"
	headerErrorBody    = "Lambda-Runtime-Function-Error-Body"
	headerResponseMode = "Lambda-Runtime-Function-Response-Mode"
	headerInvocationID = "Lambda-Runtime-Invocation-Id"
)

// response handles POST {id}/response.
func (c *conn) response(req *http.Request, id string) error {
	p, no := c.env.claim(id, req, toResponse)
	if no != nil {
		return c.refuse(*no)
	}
	if mode := req.Header[headerResponseMode]; len(mode) > 0 && mode[0] != "streaming" {
		c.env.settle(p, failure("Runtime.InvalidResponseModeHeader", fmt.Sprintf("Invalid response mode %q", mode[0])))
		return c.refuse(errResponseMode)
	}
	r := Response{ContentType: contentType(req), Begun: results.Now()}
	if p.flow != nil {
		no = c.stream(&c.body, p, r)
	} else if r.Payload, no = c.buffered(p, MaxPayload); no == nil {
		r.Size = int64(len(r.Payload))
		c.env.settle(p, c.whole(&c.body, r))
	}
	if no != nil {
		return c.refuse(*no)
	}
	return c.ok()
}

// whole is an answer of which everything was read: the response, or the error
// that its trailers say.
func (c *conn) whole(b *body, r Response) Response {
	r.Received = results.Now()
	if kind := b.trailer.Get(headerErrorType); kind != "" {
		r = r.broken(kind, b.trailer.Get(headerErrorBody))
	}
	return r
}

// buffered reads the answer to a claimed invocation. One that is cut short may
// be sent again; one over limit ends the invocation. Both are refused.
func (c *conn) buffered(p *pending, limit int64) ([]byte, *refusal) {
	body, size, err := c.body.all(limit)
	switch {
	case err != nil:
		c.env.unclaim(p)
		return nil, &errTruncated
	case size > limit:
		c.env.settle(p, failure("Function.ResponseSizeTooLarge", sizeMessage(size, limit)))
		no := tooLarge(limit)
		return nil, &no
	}
	return body, nil
}

func sizeMessage(size, limit int64) string {
	return fmt.Sprintf("Response payload size (%d bytes) exceeded maximum allowed payload size (%d bytes).", size, limit)
}

// functionError handles POST {id}/error.
func (c *conn) functionError(req *http.Request, id string) error {
	p, no := c.env.claim(id, req, toError)
	if no != nil {
		return c.refuse(*no)
	}
	r := Response{ContentType: contentType(req), Begun: results.Now(), ErrorType: SanitizeErrorType(req.Header.Get(headerErrorType))}
	if r.Payload, no = c.buffered(p, c.env.config.maxError()); no != nil {
		return c.refuse(*no)
	}
	r.Payload, r.ContentType = withoutCause(r.Payload, r.ContentType)
	r.Size, r.Received = int64(len(r.Payload)), results.Now()
	c.env.settle(p, r)
	return c.ok()
}

// withoutCause takes the X-Ray cause out of an error that carries it in its body:
// it is for the trace, not for the caller.
func withoutCause(body []byte, contentType string) ([]byte, string) {
	if !strings.HasPrefix(contentType, "application/vnd.aws.lambda.error.cause+json") {
		return body, contentType
	}
	var e struct {
		Message string          `json:"errorMessage"`
		Type    string          `json:"errorType"`
		Stack   json.RawMessage `json:"stackTrace,omitempty"`
	}
	if json.Unmarshal(body, &e) != nil {
		return body, contentType
	}
	b, err := json.Marshal(e)
	if err != nil {
		return body, contentType
	}
	return b, contentJSON
}

// failure is an error that this package found in an answer.
func failure(kind, message string) Response { return Response{}.failed(kind, message) }

// failed makes an error of an answer that had begun.
func (r Response) failed(kind, message string) Response {
	r.Payload, r.ContentType, r.ErrorType, r.Received = ErrorBody(kind, message), contentJSON, kind, results.Now()
	return r
}

// broken is the error that a runtime announced after a part of its response, in
// trailers: a type and the base64 of a JSON body.
func (r Response) broken(kind, body string) Response {
	r = r.failed(SanitizeErrorType(kind), "")
	if decoded, err := base64.StdEncoding.DecodeString(body); err == nil && len(decoded) > 0 {
		r.Payload = decoded
	}
	return r
}

func contentType(req *http.Request) string {
	if t := req.Header["Content-Type"]; len(t) > 0 {
		return t[0]
	}
	return ""
}

// discard reads what is left of a request.
func (b *body) discard() error {
	if b.ended || b.err == io.EOF {
		return nil
	}
	_, err := io.Copy(io.Discard, b)
	return err
}
