package invoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// serviceError is an error of the service, not of the function.
type serviceError struct {
	status int
	name   string // x-amzn-ErrorType
	body   map[string]string
}

func (e *serviceError) Error() string {
	return e.name + ": " + e.body["message"] + e.body["Message"]
}

var (
	errMethod  = serviceError{http.StatusMethodNotAllowed, "MethodNotAllowedException", user("Method not allowed: use POST")}
	errNoRoute = serviceError{http.StatusNotFound, "UnknownOperationException", user("Not found: this endpoint serves POST /2015-03-31/functions/{name}/invocations")}
	errUnknown = serviceError{http.StatusNotFound, "UnknownOperationException", user("Not found: this endpoint serves no such operation of the Lambda API")}
	// A page in a browser must not create functions on its visitor's machine.
	errOrigin   = serviceError{http.StatusForbidden, "AccessDeniedException", user("The control API is not for pages in a browser")}
	errTooLarge = serviceError{http.StatusRequestEntityTooLarge, "RequestTooLargeException", user("Request must be smaller than 6291456 bytes for the InvokeFunction operation")}
	errAsync    = serviceError{http.StatusNotImplemented, "NotImplementedException", map[string]string{
		"Type": "Service", "message": "Invocation type Event is not built in this version: use RequestResponse",
	}}
)

func user(message string) map[string]string {
	return map[string]string{"Type": "User", "message": message}
}

func invalid(name, message string) *serviceError {
	return &serviceError{http.StatusBadRequest, name, user(message)}
}

func badParameter(format string, args ...any) *serviceError {
	return invalid("InvalidParameterValueException", fmt.Sprintf(format, args...))
}

func conflict(format string, args ...any) *serviceError {
	return &serviceError{http.StatusConflict, "ResourceConflictException", user(fmt.Sprintf(format, args...))}
}

// missing is a resource other than a function that is not there.
func missing(format string, args ...any) *serviceError {
	return &serviceError{http.StatusNotFound, "ResourceNotFoundException", map[string]string{
		"Type": "User", "Message": fmt.Sprintf(format, args...),
	}}
}

func outOfRange(name string, value, low, high int) *serviceError {
	return invalid("ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value between %d and %d", value, name, low, high))
}

func required(name string) *serviceError {
	return invalid("ValidationException", "1 validation error detected: Value null at '"+name+"' failed to satisfy constraint: Member must not be null")
}

func tooLarge(operation string, limit int64) *serviceError {
	return &serviceError{http.StatusRequestEntityTooLarge, "RequestTooLargeException", user(fmt.Sprintf("Request must be smaller than %d bytes for the %s operation", limit, operation))}
}

func isTooLarge(err error) bool {
	var e *http.MaxBytesError
	return errors.As(err, &e)
}

// stale is a condition on a revision that isn't met.
func stale() *serviceError {
	return &serviceError{http.StatusPreconditionFailed, "PreconditionFailedException", user("The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId")}
}

// asServiceError takes any error for one of the service.
func asServiceError(err error) *serviceError {
	var e *serviceError
	if errors.As(err, &e) {
		return e
	}
	return &serviceError{http.StatusInternalServerError, "ServiceException", map[string]string{"Type": "Service", "Message": err.Error()}}
}

func notFound(name string) serviceError {
	return serviceError{http.StatusNotFound, "ResourceNotFoundException", map[string]string{
		"Type": "User", "Message": "Function not found: " + name,
	}}
}

func throttled(reason string) serviceError {
	return serviceError{http.StatusTooManyRequests, "TooManyRequestsException", map[string]string{
		"Reason": reason, "Type": "User", "message": "Rate Exceeded.",
	}}
}

// errRestore is a restore that took longer than its limit (AWS documentation:
// "Troubleshooting SnapStart errors for Lambda functions").
var errRestore = serviceError{http.StatusRequestTimeout, "SnapStartTimeoutException", map[string]string{
	"Type": "User", "Message": "Lambda couldn't restore the snapshot within the timeout limit.",
}}

// errSnapshot is a version whose snapshot is yet to be taken (AWS API reference:
// Invoke, SnapStartNotReadyException).
var errSnapshot = serviceError{http.StatusConflict, "SnapStartNotReadyException", map[string]string{
	"Type": "User", "Message": "Lambda is initializing your function. It will be ready to invoke once your function state becomes ACTIVE.",
}}

// serviceErrorOf is the error of the service that a result is to its caller; nil for an
// answer of the function, be it an error.
func serviceErrorOf(res live.Result) *serviceError {
	switch {
	case res.Outcome == results.OutcomeThrottled:
		e := throttled(res.Reason)
		return &e
	case res.RestoreTimedOut:
		return &errRestore
	}
	return nil
}

func (e serviceError) write(w http.ResponseWriter) {
	b, err := json.Marshal(e.body)
	if err != nil {
		panic(err) // strings always marshal
	}
	h := w.Header()
	h["X-Amzn-Errortype"] = []string{e.name}
	h["Content-Type"] = contentJSON
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	if e.status == http.StatusTooManyRequests {
		h["Retry-After"] = []string{"1"}
	}
	w.WriteHeader(e.status)
	w.Write(b)
}
