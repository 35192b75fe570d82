package invoke

import (
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// Limits in bytes (AWS Lambda quotas; AWS API reference: Invoke).
const (
	maxRequest       = 6 << 20
	maxClientContext = 3583
)

// Headers of responses that were not served.
const (
	OutcomeHeader = "Coldstorm-Outcome" // a results.Outcome
)

// A Function is what an invocation is handed to.
type Function interface {
	// Serve calls answer once, and then carries out what follows the answer.
	Serve(r live.Request, answer func(live.Result))
}

var _ Function = (*live.Function)(nil)

// Handler serves the Invoke API.
type Handler struct {
	// Lookup finds a function by its name; nil if there is none.
	Lookup func(name string) Function
	// Deferred takes asynchronous invocations; nil: they are refused.
	Deferred *Deferred
}

var _ http.Handler = Handler{}

// ServeHTTP answers one request.
func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := functionName(r.URL.Path)
	if !ok {
		errNoRoute.write(w)
		return
	}
	if r.Method != http.MethodPost {
		errMethod.write(w)
		return
	}
	name, f := h.find(name, r.URL.Query().Get("Qualifier"))
	if f == nil {
		notFound(name).write(w)
		return
	}
	deferred := false
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
		return
	case "Event":
		if h.Deferred == nil {
			errAsync.write(w)
			return
		}
		deferred = true
	default:
		invalid("InvalidParameterValueException", "Invalid invocation type: "+kind).write(w)
		return
	}
	req, no := request(r)
	if no != nil {
		no.write(w)
		return
	}
	if deferred {
		h.Deferred.take(w, name, req)
		return
	}
	// Evidence begins now that the event is there: the time to read it is the
	// client's transport, as the network's is.
	f.Serve(req, func(res live.Result) {
		write(w, res, req.Tail, latest)
		// The caller's now: what net/http had kept back would go when this returns,
		// after the environment was seen to.
		http.NewResponseController(w).Flush()
	})
}

func functionName(path string) (string, bool) {
	return between(path, "/2015-03-31/functions/", "/invocations")
}

// find takes a name, name:qualifier, account:function:name or ARN, and returns the name.
func (h Handler) find(name, qualifier string) (string, Function) {
	parts := strings.Split(name, ":")
	i := 0
	switch {
	case len(parts) >= 7 && parts[0] == "arn": // arn:aws:lambda:region:account:function:name
		i = 6
	case len(parts) >= 3 && parts[1] == "function":
		i = 2
	}
	for _, q := range append(parts[i+1:], qualifier) {
		if q != "" && q != "$LATEST" {
			return name, nil
		}
	}
	return parts[i], h.Lookup(parts[i])
}

func request(r *http.Request) (live.Request, *serviceError) {
	req := live.Request{
		ContentType: r.Header.Get("Content-Type"), TraceID: r.Header.Get("X-Amzn-Trace-Id"), TenantID: r.Header.Get("X-Amz-Tenant-Id"),
		Tail: r.Header.Get("X-Amz-Log-Type") == "Tail",
	}
	if req.ContentType != "" && !strings.HasPrefix(req.ContentType, "application/") {
		req.ContentType = "" // what clients send without thinking: text/plain, form data
	}
	if c := r.Header.Get("X-Amz-Client-Context"); c != "" {
		b, err := base64.StdEncoding.DecodeString(c)
		if err != nil || len(c) > maxClientContext {
			return req, invalid("InvalidRequestContentException", "Client context must be base64 of at most 3583 bytes")
		}
		req.ClientContext = string(b)
	}
	body, tooLarge, err := readBody(r)
	switch {
	case tooLarge:
		return req, &errTooLarge
	case err != nil:
		return req, invalid("InvalidRequestContentException", "Could not read request body")
	case len(body) == 0:
		body = []byte("{}")
	}
	req.Payload = body
	return req, nil
}

func readBody(r *http.Request) (body []byte, tooLarge bool, err error) {
	if n := r.ContentLength; n > maxRequest {
		return nil, true, nil
	} else if n >= 0 {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
		return body, false, err
	}
	body, err = io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	return body, len(body) > maxRequest, err
}

// write answers with what became of an invocation.
func write(w http.ResponseWriter, res live.Result, tail bool, version []string) {
	h := w.Header()
	h["X-Amzn-Requestid"] = []string{res.RequestID}
	h[results.EvidenceHeader] = []string{res.Evidence.String()}
	if res.Outcome != results.OutcomeServed {
		h[OutcomeHeader] = []string{string(res.Outcome)}
		h[results.ReasonHeader] = []string{res.Reason}
	}
	if no := serviceErrorOf(res); no != nil {
		no.write(w)
		return
	}
	if res.Outcome != results.OutcomeServed {
		h["X-Amz-Function-Error"] = []string{unhandled}
	}
	if tail {
		h["X-Amz-Log-Result"] = []string{base64.StdEncoding.EncodeToString(res.Tail)}
	}
	h["X-Amz-Executed-Version"] = version
	h["Content-Type"] = contentJSON
	h["Content-Length"] = []string{strconv.Itoa(len(res.Payload))}
	w.Write(res.Payload)
}

var (
	latest      = []string{"$LATEST"}
	contentJSON = []string{"application/json"}
)
