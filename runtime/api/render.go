package api

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// refusal is an error of the Runtime API as the runtime sees it.
type refusal struct {
	status  int
	kind    string // errorType
	message string
}

// Bodies as in the AWS Runtime Interface Emulator, rendering.
var (
	errRequestID    = refusal{http.StatusBadRequest, "InvalidRequestID", "Invalid request ID"}
	errResponseMode = refusal{http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode"}
	errTruncated    = refusal{http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated"}
	// errLate refuses an answer to an attempt that is over, by its invocation id
	// (AWS Lambda runtime clients of July 2026: they log it and go on).
	errLate    = refusal{http.StatusGone, "ErrorRuntimeInvokeTimeout", "Invocation timed out"}
	errMethod  = refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "Method Not Allowed"}
	errNoRoute = refusal{http.StatusNotFound, "NotFound", "404 page not found"}
)

func tooLarge(limit int64) refusal {
	return refusal{
		http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", limit),
	}
}

func errTransition(from, to state) refusal {
	return refusal{
		http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to),
	}
}

// ErrorBody is the JSON of a function error: what a runtime posts and a caller
// gets.
func ErrorBody(kind, message string) []byte {
	b, err := json.Marshal(struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, kind})
	if err != nil {
		panic(err) // two strings always marshal
	}
	return b
}

func (c *conn) refuse(r refusal) error {
	return c.reply(r.status, contentJSON, "", string(ErrorBody(r.kind, r.message)))
}

// accepted is written for every answer: it is on the warm path.
var accepted = []byte("HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + `{"status":"OK"}`)

func (c *conn) ok() error {
	_, err := c.net.Write(accepted)
	return err
}

const contentJSON = "application/json"

// reply writes a whole response. headers are lines that end in CRLF.
func (c *conn) reply(status int, contentType, headers, body string) error {
	b := c.head(status, contentType, len(body))
	b = append(b, headers...)
	b = append(b, "\r\n"...)
	b = append(b, body...)
	c.out = b[:0]
	_, err := c.net.Write(b)
	return err
}

func (c *conn) head(status int, contentType string, length int) []byte {
	b := append(c.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(b, "\r\n"...)
	b = header(b, "Content-Type", contentType)
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	return append(b, "\r\n"...)
}

// header appends a header line, unless the value is empty. Line breaks in a
// value are dropped: they would be lines of their own.
func header(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	b = append(b, ": "...)
	for i := range len(value) {
		if value[i] != '\r' && value[i] != '\n' {
			b = append(b, value[i])
		}
	}
	return append(b, "\r\n"...)
}

// oneWrite is the payload size up to which an event is copied behind its head
// and written at once.
const oneWrite = 16 << 10

// event writes an invocation.
func (c *conn) event(p *pending) error {
	contentType := p.ContentType
	if contentType == "" {
		contentType = contentJSON
	}
	b := c.head(http.StatusOK, contentType, len(p.Payload))
	b = header(b, "Lambda-Runtime-Aws-Request-Id", p.ID)
	b = append(b, "Lambda-Runtime-Deadline-Ms: "...)
	b = strconv.AppendInt(b, p.Deadline.UnixMilli(), 10)
	b = append(b, "\r\n"...)
	b = header(b, "Lambda-Runtime-Invoked-Function-Arn", p.ARN)
	b = header(b, "Lambda-Runtime-Trace-Id", p.TraceID)
	b = header(b, "Lambda-Runtime-Client-Context", p.ClientContext)
	b = header(b, "Lambda-Runtime-Cognito-Identity", p.Cognito)
	b = header(b, "Lambda-Runtime-Aws-Tenant-Id", p.TenantID)
	b = append(append(b, headerInvocationID+": "...), c.env.nonce...)
	b = append(strconv.AppendUint(b, p.attempt, 10), "\r\n"...)
	b = append(b, "\r\n"...)
	c.out = b[:0]
	if len(p.Payload) <= oneWrite {
		b = append(b, p.Payload...)
		c.out = b[:0]
		_, err := c.net.Write(b)
		return err
	}
	parts := net.Buffers{b, p.Payload}
	_, err := parts.WriteTo(c.net)
	return err
}
