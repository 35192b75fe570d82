package invoke

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// streamName is the function that the path of InvokeWithResponseStream names.
func streamName(path string) (string, bool) {
	return between(path, "/2021-11-15/functions/", "/response-streaming-invocations")
}

// eventWriter passes a response on as events.
type eventWriter struct {
	w       http.ResponseWriter
	version []string
	begun   bool
	buffer  []byte
}

var _ live.Stream = (*eventWriter)(nil)

// Begin sends the status.
func (e *eventWriter) Begin(string) {
	h := e.w.Header()
	h["X-Amz-Executed-Version"] = e.version
	h["Content-Type"] = []string{"application/vnd.amazon.eventstream"}
	e.begun = true
	e.w.WriteHeader(http.StatusOK)
}

// Write sends p as one or several events, at once.
func (e *eventWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		piece := p[n:min(len(p), n+maxMessagePayload)]
		e.buffer = appendEvent(e.buffer[:0], "PayloadChunk", "application/octet-stream", piece)
		if _, err := e.w.Write(e.buffer); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return n, http.NewResponseController(e.w).Flush()
}

// complete is the last event of a stream.
type complete struct {
	ErrorCode    string `json:",omitempty"`
	ErrorDetails string `json:",omitempty"`
	LogResult    string `json:",omitempty"`
}

// invokeStream answers POST /2021-11-15/functions/{name}/response-streaming-invocations.
// What goes wrong before the function is asked has a status; its own errors are
// in the last event (AWS API reference: InvokeWithResponseStream).
func (s *Service) invokeStream(w http.ResponseWriter, r *http.Request, name string) {
	ride, _, req, _ := s.admit(w, r, name, kindSync)
	if ride == nil {
		return
	}
	out := &eventWriter{w: w, version: ride.version}
	req.ID = newID()
	w.Header()["X-Amzn-Requestid"] = []string{req.ID}
	req.Stream = out
	ride.serve(req, func(res live.Result) { out.end(res, req.Tail) })
}

// end sends what is known at the end.
func (e *eventWriter) end(res live.Result, tail bool) {
	if serviceErrorOf(res) != nil {
		write(e.w, res, tail, e.version)
		return
	}
	if !e.begun {
		e.Begin(res.ContentType)
		if res.Outcome == results.OutcomeServed {
			e.Write(res.Payload)
		}
	}
	last := complete{ErrorCode: errorCode(res)}
	if last.ErrorCode != "" {
		last.ErrorDetails = string(res.Payload)
	}
	if tail {
		last.LogResult = base64.StdEncoding.EncodeToString(res.Tail)
	}
	b, err := json.Marshal(last)
	if err != nil {
		panic(err) // strings always marshal
	}
	e.w.Write(appendEvent(nil, "InvokeComplete", "application/json", b))
	http.NewResponseController(e.w).Flush()
}
