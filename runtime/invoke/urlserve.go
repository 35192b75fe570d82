package invoke

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// httpResponse is the type of a response that begins with its own status and
// headers (AWS documentation: "Response streaming", function URLs).
const httpResponse = "application/vnd.awslambda.http-integration-response"

// preludeEnd parts those from the body: eight NUL bytes.
var preludeEnd = make([]byte, 8)

// serve answers a request to a function URL.
func (u *functionURL) serve(s *Service, w http.ResponseWriter, r *http.Request, path string) {
	if u.shown.AuthType == "AWS_IAM" && r.Header.Get("Authorization") == "" {
		u.refuse(w, http.StatusForbidden, "AccessDeniedException", "Forbidden")
		return
	}
	if u.shown.Cors.answer(w.Header(), r) {
		w.WriteHeader(http.StatusOK)
		return
	}
	ride, no := s.find(target{u.function, u.qualifier})
	if no != nil {
		u.refuse(w, no.status, no.name, "Internal Server Error")
		return
	}
	body, over, err := readBody(r)
	if err != nil || over {
		ride.deployment.leave()
		if over {
			u.refuse(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "Request Entity Too Large")
			return
		}
		u.refuse(w, http.StatusBadRequest, "InvalidRequestContentException", "Bad Request")
		return
	}
	req := live.Request{ID: newID(), ContentType: "application/json", TraceID: r.Header.Get("X-Amzn-Trace-Id")}
	req.Payload = u.event(r, path, body, req.ID)
	w.Header()["X-Amzn-Requestid"] = []string{req.ID}
	if u.shown.InvokeMode == "RESPONSE_STREAM" {
		out := &urlWriter{w: w}
		req.Stream = out
		ride.serve(req, func(res live.Result) { u.end(out, res) })
		return
	}
	ride.serve(req, func(res live.Result) {
		w.Header()[results.EvidenceHeader] = []string{res.Evidence.String()}
		switch {
		case res.Outcome != results.OutcomeServed:
			u.fail(w, res)
		default:
			u.respond(w, res)
		}
		http.NewResponseController(w).Flush()
	})
}

// refuse answers for the function URL, not for its function.
func (u *functionURL) refuse(w http.ResponseWriter, status int, kind, message string) {
	b, _ := json.Marshal(map[string]string{"Message": message})
	h := w.Header()
	h["X-Amzn-Errortype"], h["Content-Type"] = []string{kind}, contentJSON
	w.WriteHeader(status)
	w.Write(b)
}

// fail says that the function did not answer: 429 of a throttle, else 502 (AWS
// documentation: "Monitoring function URLs").
func (u *functionURL) fail(w http.ResponseWriter, res live.Result) {
	h := w.Header()
	h[OutcomeHeader], h[results.ReasonHeader] = []string{string(res.Outcome)}, []string{res.Reason}
	if res.Outcome == results.OutcomeThrottled {
		u.refuse(w, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
		return
	}
	u.refuse(w, http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error")
}

// reply is what a function may answer with, in payload format 2.0.
type reply struct {
	StatusCode      *int           `json:"statusCode"`
	Headers         map[string]any `json:"headers"`
	Cookies         []string       `json:"cookies"`
	Body            *string        `json:"body"`
	IsBase64Encoded bool           `json:"isBase64Encoded"`
}

// respond sends a buffered answer: as its statusCode says, or, without one, as
// JSON.
func (u *functionURL) respond(w http.ResponseWriter, res live.Result) {
	if i := bytes.Index(res.Payload, preludeEnd); i >= 0 && res.ContentType == httpResponse {
		var head reply
		if json.Unmarshal(res.Payload[:i], &head) == nil {
			head.send(w, nil)
			w.Write(res.Payload[i+len(preludeEnd):])
			return
		}
	}
	var x reply
	if err := json.Unmarshal(res.Payload, &x); err != nil || x.StatusCode == nil {
		if !json.Valid(res.Payload) {
			u.refuse(w, http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error")
			return
		}
		body := res.Payload
		var text string
		if json.Unmarshal(body, &text) == nil {
			body = []byte(text)
		}
		w.Header()["Content-Type"] = contentJSON
		w.Write(body)
		return
	}
	var body []byte
	if x.Body != nil {
		body = []byte(*x.Body)
		if x.IsBase64Encoded {
			b, err := base64.StdEncoding.DecodeString(*x.Body)
			if err != nil {
				u.refuse(w, http.StatusBadGateway, "InternalServerErrorException", "Internal Server Error")
				return
			}
			body = b
		}
	}
	x.send(w, contentJSON)
	w.Write(body)
}

// send sends status, headers and cookies. otherwise is the type of a body whose
// headers have none.
func (x reply) send(w http.ResponseWriter, otherwise []string) {
	h := w.Header()
	for k, v := range x.Headers {
		switch v := v.(type) {
		case string:
			h.Set(k, v)
		case bool:
			h.Set(k, strconv.FormatBool(v))
		case float64:
			h.Set(k, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	for _, c := range x.Cookies {
		h.Add("Set-Cookie", c)
	}
	if h.Get("Content-Type") == "" && otherwise != nil {
		h["Content-Type"] = otherwise
	}
	h.Del("Content-Length") // the body's own counts
	h.Del("Transfer-Encoding")
	status := http.StatusOK
	if x.StatusCode != nil && *x.StatusCode >= 200 && *x.StatusCode <= 599 {
		status = *x.StatusCode
	}
	w.WriteHeader(status)
}

// urlWriter passes a streamed response on. One with a prelude says its own
// status and headers.
type urlWriter struct {
	w       http.ResponseWriter
	prelude []byte // until its end was seen
	inside  bool   // of the prelude
	begun   bool   // the status was sent
}

var _ live.Stream = (*urlWriter)(nil)

// maxPrelude bounds what a prelude may take.
const maxPrelude = 64 << 10

// Begin takes the function's type: a prelude's, or the body's own.
func (o *urlWriter) Begin(contentType string) {
	if contentType == httpResponse {
		o.inside = true
		return
	}
	if contentType != "" {
		o.w.Header()["Content-Type"] = []string{contentType}
	}
	o.begun = true
	o.w.WriteHeader(http.StatusOK)
}

// Write sends a piece of the response, at once.
func (o *urlWriter) Write(p []byte) (int, error) {
	n := len(p)
	if o.inside {
		o.prelude = append(o.prelude, p...)
		i := bytes.Index(o.prelude, preludeEnd)
		if i < 0 {
			if len(o.prelude) > maxPrelude {
				return 0, errPrelude
			}
			return n, nil
		}
		var head reply
		if err := json.Unmarshal(o.prelude[:i], &head); err != nil {
			return 0, errPrelude
		}
		p, o.inside = o.prelude[i+len(preludeEnd):], false
		o.prelude, o.begun = nil, true
		head.send(o.w, nil)
	}
	if _, err := o.w.Write(p); err != nil {
		return 0, err
	}
	return n, http.NewResponseController(o.w).Flush()
}

var errPrelude = &serviceError{http.StatusBadGateway, "InternalServerErrorException", user("the response's prelude is no JSON")}

// end ends a streamed answer. One that broke off is cut: its reader must not
// take it for whole.
func (u *functionURL) end(o *urlWriter, res live.Result) {
	switch {
	case !o.begun && (res.Outcome != results.OutcomeServed || o.inside):
		if res.Outcome == results.OutcomeServed {
			res.Outcome, res.Reason = results.OutcomeFailed, "BadPrelude"
		}
		u.fail(o.w, res)
	case !o.begun:
		u.respond(o.w, res)
	case res.Outcome != results.OutcomeServed:
		panic(http.ErrAbortHandler)
	}
}

// urlEvent is what the function is told of a request, in payload format 2.0
// (AWS documentation: "Invoking Lambda function URLs").
type urlEvent struct {
	Version         string            `json:"version"`
	RouteKey        string            `json:"routeKey"`
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies,omitempty"`
	Headers         map[string]string `json:"headers"`
	Query           map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext  urlContext        `json:"requestContext"`
	Body            string            `json:"body,omitempty"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

type urlContext struct {
	AccountID    string         `json:"accountId"`
	APIID        string         `json:"apiId"`
	Authorizer   map[string]any `json:"authorizer,omitempty"`
	DomainName   string         `json:"domainName"`
	DomainPrefix string         `json:"domainPrefix"`
	HTTP         urlHTTP        `json:"http"`
	RequestID    string         `json:"requestId"`
	RouteKey     string         `json:"routeKey"`
	Stage        string         `json:"stage"`
	Time         string         `json:"time"`
	TimeEpoch    int64          `json:"timeEpoch"` // milliseconds since 1970
}

type urlHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

func (u *functionURL) event(r *http.Request, path string, body []byte, id string) []byte {
	at := time.Now().UTC()
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	domain := u.id + urlHost + live.Region + ".on.aws"
	e := urlEvent{
		Version: "2.0", RouteKey: "$default", RawPath: path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{"host": r.Host}, Query: map[string]string{},
		RequestContext: urlContext{
			AccountID: "anonymous", APIID: u.id, DomainName: domain, DomainPrefix: u.id,
			HTTP:      urlHTTP{r.Method, path, r.Proto, ip, r.UserAgent()},
			RequestID: id, RouteKey: "$default", Stage: "$default",
			Time: at.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: at.UnixMilli(),
		},
	}
	if u.shown.AuthType == "AWS_IAM" {
		e.RequestContext.AccountID = live.Account
		e.RequestContext.Authorizer = map[string]any{"iam": map[string]any{
			"accessKey": "local", "accountId": live.Account, "callerId": "local", "userArn": "arn:aws:iam::" + live.Account + ":user/local", "userId": "local",
		}}
	}
	for k, v := range r.Header {
		if k = strings.ToLower(k); k == "cookie" {
			for _, line := range v {
				for c := range strings.SplitSeq(line, ";") {
					e.Cookies = append(e.Cookies, strings.TrimSpace(c))
				}
			}
			continue
		}
		e.Headers[k] = strings.Join(v, ",")
	}
	for k, v := range r.URL.Query() {
		e.Query[k] = strings.Join(v, ",")
	}
	if len(body) > 0 {
		if e.IsBase64Encoded = !isText(r.Header.Get("Content-Type"), body); e.IsBase64Encoded {
			e.Body = base64.StdEncoding.EncodeToString(body)
		} else {
			e.Body = string(body)
		}
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err) // texts always marshal
	}
	return b
}

// isText reports whether a body goes into an event as it is.
func isText(contentType string, body []byte) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(strings.ToLower(kind))
	texts := []string{"application/json", "application/xml", "application/javascript", "application/x-www-form-urlencoded"}
	return utf8.Valid(body) && (strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml") || slices.Contains(texts, kind))
}

// answer sets the headers that tell a browser what a page may do, and reports
// whether the request was a question about that alone.
func (c *Cors) answer(h http.Header, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if c == nil || origin == "" {
		return false
	}
	switch {
	case slices.Contains(c.AllowOrigins, "*") && !c.AllowCredentials:
		h.Set("Access-Control-Allow-Origin", "*")
	case slices.Contains(c.AllowOrigins, "*") || slices.Contains(c.AllowOrigins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
	default:
		return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	}
	if c.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(c.AllowMethods, ","))
	h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowHeaders, ","))
	h.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
	return true
}
