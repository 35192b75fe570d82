package drive

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/net/http2"

	"coldstorm/results"
)

// functionError is set on a 200 response whose body is the function's error
// (AWS Lambda API: Invoke).
const functionError = "X-Amz-Function-Error"

// ReasonWrongOutput marks a response that Attack.Check refused.
const ReasonWrongOutput = "WrongOutput"

// restoreTimedOut is what Lambda calls a restore from a snapshot that took longer
// than its limit (AWS Lambda API: Invoke).
const restoreTimedOut = "SnapStartTimeoutException"

// responseOutcome says what a response means.
func responseOutcome(got answer, wrong bool) (results.Outcome, string) {
	switch {
	case got.status == http.StatusTooManyRequests:
		return results.OutcomeThrottled, throttleReason(got)
	case got.status == http.StatusRequestTimeout && kindOf(got) == restoreTimedOut:
		return results.OutcomeTimedOut, restoreTimedOut
	case got.status < 200 || got.status >= 300:
		return results.OutcomeFailed, "HTTP " + strconv.Itoa(got.status)
	case got.get(functionError) != "":
		return functionOutcome(got)
	case wrong:
		return results.OutcomeFailed, ReasonWrongOutput
	}
	return results.OutcomeServed, ""
}

// throttleReason is the Reason of a TooManyRequestsException, or its type.
func throttleReason(got answer) string {
	var body struct{ Reason string }
	if json.Unmarshal(got.body, &body) == nil && body.Reason != "" {
		return body.Reason
	}
	if kind := kindOf(got); kind != "" {
		return kind
	}
	return "HTTP 429"
}

// kindOf is the name of an error of the service; empty if it has none.
func kindOf(got answer) string {
	kind, _, _ := strings.Cut(got.get("X-Amzn-Errortype"), ":")
	return kind
}

// functionOutcome tells a function's error from its timeout. Lambda names a
// timeout Sandbox.Timedout, and in older responses says so in the message
// alone: "Task timed out after 3.00 seconds".
func functionOutcome(got answer) (results.Outcome, string) {
	var body struct{ ErrorType, ErrorMessage string }
	reason := got.get(functionError)
	if json.Unmarshal(got.body, &body) == nil && body.ErrorType != "" {
		reason = body.ErrorType
	}
	switch {
	case reason == "Sandbox.Timedout", reason == "Sandbox.Timeout":
		return results.OutcomeTimedOut, reason
	case strings.Contains(body.ErrorMessage, "Task timed out"):
		return results.OutcomeTimedOut, "Sandbox.Timedout"
	}
	// The platform's own errors are named more closely by the endpoint; what a
	// function calls its error is its own business.
	if named := got.get(results.ReasonHeader); named != "" && (body.ErrorType == "" || strings.HasPrefix(body.ErrorType, "Runtime.")) {
		reason = named
	}
	return results.OutcomeFailed, reason
}

// noApplicationProtocol is in the text of crypto/tls's error for the alert of an endpoint that
// speaks none of the protocols offered (RFC 7301, 3.2); its type can't be asked for.
const noApplicationProtocol = "no application protocol"

// transportOutcome names the cause of a trigger that got no response.
func transportOutcome(err error) (results.Outcome, string) {
	var (
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		reset   http2.StreamError
		away    http2.GoAwayError
	)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return results.OutcomeTimedOut, "client timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return results.OutcomeFailed, "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return results.OutcomeFailed, "connection reset"
	case errors.Is(err, ErrNoHTTP2), strings.Contains(err.Error(), noApplicationProtocol):
		return results.OutcomeFailed, "no HTTP/2"
	case errors.As(err, &reset):
		return results.OutcomeFailed, "stream reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &away):
		return results.OutcomeFailed, "connection closed"
	case errors.Is(err, syscall.ENOENT):
		return results.OutcomeFailed, "no such socket"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return results.OutcomeFailed, "out of file descriptors"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return results.OutcomeFailed, "out of ports"
	case errors.As(err, &dns):
		return results.OutcomeFailed, "unknown host"
	case errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &record), errors.As(err, &alert):
		return results.OutcomeFailed, "TLS"
	case strings.Contains(err.Error(), "malformed"):
		return results.OutcomeFailed, "malformed response"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Timeout() {
		return results.OutcomeFailed, "connection timeout"
	}
	return results.OutcomeFailed, "transport error"
}
