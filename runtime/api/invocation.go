package api

import (
	"errors"
	"time"

	"coldstorm/results"
)

// MaxPayload is the limit of a response body in bytes: 6 MB and a margin (AWS
// Runtime Interface Emulator: 6*1024*1024 + 100).
const MaxPayload = 6*1024*1024 + 100

// ErrNotReady is returned by Invoke when the runtime isn't waiting for work.
var ErrNotReady = errors.New("runtime is not waiting for an event")

// ErrClosed is returned by Invoke when the environment was closed.
var ErrClosed = errors.New("environment closed")

// Invocation is one event for the runtime.
type Invocation struct {
	ID            string    // request id; one at a time of each
	ARN           string    // of the function, with the qualifier used
	Deadline      time.Time // told to the runtime; keeping it is the caller's matter
	TraceID       string    // left out if empty, as are the next three
	ClientContext string    // JSON
	Cognito       string    // JSON
	TenantID      string    // of a function with tenants
	ContentType   string    // of Payload; application/json if empty
	Payload       []byte    // must not change until the environment is idle again

	// Stream takes the response as it comes. Nil: the response is buffered, up to
	// MaxPayload, even if the runtime streams it.
	Stream Stream
}

// Response is the runtime's answer.
type Response struct {
	Payload     []byte // empty if it was streamed
	ContentType string

	// ErrorType is empty for a response. For a function error it is its
	// sanitised type, such as Function.Unknown, and Payload is what the caller
	// gets: the runtime's own JSON or, where this package found the error, one
	// with errorType and errorMessage.
	ErrorType string

	Streamed bool  // its Stream has begun; an error came after that
	Size     int64 // bytes of the response, streamed or not

	Delivered results.Stamp // the event was about to be written to the runtime
	Begun     results.Stamp // the head of the answer was read
	Received  results.Stamp // the last byte of the answer was read
}

// InitError is what a runtime reported to init/error or restore/error.
type InitError struct {
	Type    string // sanitised
	Payload []byte // JSON
}

// pending is an invocation on its way.
type pending struct {
	Invocation
	attempt uint64 // number of it, in Lambda-Runtime-Invocation-Id
	flow    *flow  // of a streamed one

	// Guarded by Environment.mu.
	delivered results.Stamp
	answering bool // its answer is being read

	answer chan outcome // one value, buffered
}

type outcome struct {
	response Response
	err      error
}
