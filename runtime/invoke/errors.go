package invoke

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// serviceError is an error of the service, not of the function.
type serviceError struct {
	status int
	name   string // x-amzn-ErrorType
	body   map[string]string
}

var (
	errMethod   = serviceError{http.StatusMethodNotAllowed, "MethodNotAllowedException", user("Method not allowed: use POST")}
	errNoRoute  = serviceError{http.StatusNotFound, "UnknownOperationException", user("Not found: this endpoint serves POST /2015-03-31/functions/{name}/invocations")}
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
