package fleet

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"coldstorm/results"
)

// maxRequest bounds a request's body, in bytes.
const maxRequest = 64 << 20

var _ http.Handler = (*Fleet)(nil)

// ServeHTTP is the load balancer: it answers a request with what a unit says to it, and
// with the evidence of that.
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		status := http.StatusBadRequest
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, http.StatusText(status), status)
		return
	}
	// Evidence begins now that the request is there: the time to read it is the
	// client's transport, as the network's is.
	a := f.Serve(r.Context(), Request{Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header, Body: body})
	h := w.Header()
	for k, v := range a.Header {
		h[k] = v
	}
	h[results.EvidenceHeader] = []string{a.Evidence.String()}
	h["X-Amzn-Requestid"] = []string{a.ID}
	if a.Outcome != results.OutcomeServed {
		h[results.ReasonHeader] = []string{a.Reason}
		if len(a.Body) == 0 {
			a.Body = []byte(http.StatusText(a.Status) + "\n")
		}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(a.Body))}
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}
