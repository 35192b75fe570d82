package invoke

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// operation is one call of the control API.
type operation struct {
	name   string // in AWS's API reference
	method string
	path   string // {} stands for a parameter
	do     func(*Service, *call) (int, any, error)
}

// call is one request to the control API.
type call struct {
	request    *http.Request
	operation  string
	parameters []string // of the path, unescaped
	body       []byte
}

// operations are those that are built, as the API reference has their paths.
var operations = []operation{
	{"CreateFunction", "POST", "/2015-03-31/functions", (*Service).createFunction},
	{"ListFunctions", "GET", "/2015-03-31/functions", (*Service).listFunctions},
	{"GetFunction", "GET", "/2015-03-31/functions/{}", (*Service).getFunction},
	{"DeleteFunction", "DELETE", "/2015-03-31/functions/{}", (*Service).deleteFunction},
	{"GetFunctionConfiguration", "GET", "/2015-03-31/functions/{}/configuration", (*Service).getConfiguration},
	{"UpdateFunctionConfiguration", "PUT", "/2015-03-31/functions/{}/configuration", (*Service).updateConfiguration},
	{"UpdateFunctionCode", "PUT", "/2015-03-31/functions/{}/code", (*Service).updateCode},
	{"PublishVersion", "POST", "/2015-03-31/functions/{}/versions", (*Service).publishVersion},
	{"ListVersionsByFunction", "GET", "/2015-03-31/functions/{}/versions", (*Service).listVersions},
	{"CreateAlias", "POST", "/2015-03-31/functions/{}/aliases", (*Service).createAlias},
	{"ListAliases", "GET", "/2015-03-31/functions/{}/aliases", (*Service).listAliases},
	{"GetAlias", "GET", "/2015-03-31/functions/{}/aliases/{}", (*Service).getAlias},
	{"UpdateAlias", "PUT", "/2015-03-31/functions/{}/aliases/{}", (*Service).updateAlias},
	{"DeleteAlias", "DELETE", "/2015-03-31/functions/{}/aliases/{}", (*Service).deleteAlias},
	{"PutFunctionConcurrency", "PUT", "/2017-10-31/functions/{}/concurrency", (*Service).putConcurrency},
	{"DeleteFunctionConcurrency", "DELETE", "/2017-10-31/functions/{}/concurrency", (*Service).deleteConcurrency},
	{"GetFunctionConcurrency", "GET", "/2019-09-30/functions/{}/concurrency", (*Service).getConcurrency},
	{"PutProvisionedConcurrencyConfig", "PUT", "/2019-09-30/functions/{}/provisioned-concurrency", (*Service).putProvisioned},
	{"GetProvisionedConcurrencyConfig", "GET", "/2019-09-30/functions/{}/provisioned-concurrency", (*Service).getProvisioned},
	{"DeleteProvisionedConcurrencyConfig", "DELETE", "/2019-09-30/functions/{}/provisioned-concurrency", (*Service).deleteProvisioned},
	{"PutFunctionEventInvokeConfig", "PUT", "/2019-09-25/functions/{}/event-invoke-config", (*Service).putEventConfig},
	{"UpdateFunctionEventInvokeConfig", "POST", "/2019-09-25/functions/{}/event-invoke-config", (*Service).updateEventConfig},
	{"GetFunctionEventInvokeConfig", "GET", "/2019-09-25/functions/{}/event-invoke-config", (*Service).getEventConfig},
	{"DeleteFunctionEventInvokeConfig", "DELETE", "/2019-09-25/functions/{}/event-invoke-config", (*Service).deleteEventConfig},
	{"ListFunctionEventInvokeConfigs", "GET", "/2019-09-25/functions/{}/event-invoke-config/list", (*Service).listEventConfigs},
	{"CreateFunctionUrlConfig", "POST", "/2021-10-31/functions/{}/url", (*Service).createURL},
	{"GetFunctionUrlConfig", "GET", "/2021-10-31/functions/{}/url", (*Service).getURL},
	{"UpdateFunctionUrlConfig", "PUT", "/2021-10-31/functions/{}/url", (*Service).updateURL},
	{"DeleteFunctionUrlConfig", "DELETE", "/2021-10-31/functions/{}/url", (*Service).deleteURL},
	{"ListFunctionUrlConfigs", "GET", "/2021-10-31/functions/{}/urls", (*Service).listURLs},
	{"CreateEventSourceMapping", "POST", "/2015-03-31/event-source-mappings", (*Service).createMapping},
	{"ListEventSourceMappings", "GET", "/2015-03-31/event-source-mappings", (*Service).listMappings},
	{"GetEventSourceMapping", "GET", "/2015-03-31/event-source-mappings/{}", (*Service).getMapping},
	{"UpdateEventSourceMapping", "PUT", "/2015-03-31/event-source-mappings/{}", (*Service).updateMapping},
	{"DeleteEventSourceMapping", "DELETE", "/2015-03-31/event-source-mappings/{}", (*Service).deleteMapping},
	{"AddPermission", "POST", "/2015-03-31/functions/{}/policy", (*Service).addPermission},
	{"GetPolicy", "GET", "/2015-03-31/functions/{}/policy", (*Service).getPolicy},
	{"RemovePermission", "DELETE", "/2015-03-31/functions/{}/policy/{}", (*Service).removePermission},
	{"TagResource", "POST", "/2017-03-31/tags/{}", (*Service).tagResource},
	{"UntagResource", "DELETE", "/2017-03-31/tags/{}", (*Service).untagResource},
	{"ListTags", "GET", "/2017-03-31/tags/{}", (*Service).listTags},
	{"GetAccountSettings", "GET", "/2016-08-19/account-settings", (*Service).accountSettings},
}

// routes are the operations by the number of their path's segments.
var routes = func() map[int][]operation {
	m := map[int][]operation{}
	for _, o := range operations {
		n := strings.Count(o.path, "/")
		m[n] = append(m[n], o)
	}
	return m
}()

// route finds the operation of a request, and the parameters in its path. An
// unknown method of a known path and an unknown path are different errors.
func route(method, escaped string) (operation, []string, *serviceError) {
	path := strings.TrimSuffix(escaped, "/")
	segments := strings.Split(path, "/")
	known := false
	for _, o := range routes[len(segments)-1] {
		parameters, ok := match(o.path, segments)
		if !ok {
			continue
		}
		if o.method == method {
			return o, parameters, nil
		}
		known = true
	}
	if known {
		return operation{}, nil, &errMethod
	}
	return operation{}, nil, &errUnknown
}

func match(pattern string, segments []string) (parameters []string, ok bool) {
	i := 0
	for want := range strings.SplitSeq(pattern, "/") {
		got := segments[i]
		i++
		if want != "{}" {
			if got != want {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(got)
		if err != nil || value == "" {
			return nil, false
		}
		parameters = append(parameters, value)
	}
	return parameters, true
}

// ServeHTTP answers a request of any of the APIs.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := functionName(r.URL.Path); ok && r.Method == http.MethodPost {
		s.invoke(w, r, name)
		return
	}
	if u, path := s.urlOf(r); u != nil {
		u.serve(s, w, r, path)
		return
	}
	if name, ok := streamName(r.URL.Path); ok && r.Method == http.MethodPost {
		s.invokeStream(w, r, name)
		return
	}
	if name, ok := asyncName(r.URL.Path); ok && r.Method == http.MethodPost {
		s.invokeAsync(w, r, name)
		return
	}
	s.control(w, r)
}

func (s *Service) control(w http.ResponseWriter, r *http.Request) {
	w.Header()["X-Amzn-Requestid"] = []string{newID()}
	if r.Header.Get("Origin") != "" {
		errOrigin.write(w)
		return
	}
	o, parameters, no := route(r.Method, r.URL.EscapedPath())
	if no != nil {
		no.write(w)
		return
	}
	c := &call{request: r, operation: o.name, parameters: parameters}
	if no := c.read(w); no != nil {
		no.write(w)
		return
	}
	status, body, err := o.do(s, c)
	if err != nil {
		asServiceError(err).write(w)
		return
	}
	if body == nil {
		w.WriteHeader(status)
		return
	}
	b, err := json.Marshal(body)
	if err != nil {
		asServiceError(err).write(w)
		return
	}
	h := w.Header()
	h["Content-Type"] = contentJSON
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	w.Write(b)
}

// maxControl bounds a request of the control API in bytes: a zip of 50 MB in
// base64, with what surrounds it (AWS Lambda quotas).
const maxControl = 70167211

// maxPlain bounds a request that carries no code.
const maxPlain = 1 << 20

// read reads the body.
func (c *call) read(w http.ResponseWriter) *serviceError {
	limit := int64(maxPlain)
	if c.operation == "CreateFunction" || c.operation == "UpdateFunctionCode" {
		limit = maxControl
	}
	if c.request.ContentLength > limit {
		return tooLarge(c.operation, limit)
	}
	var err error
	c.body, err = io.ReadAll(http.MaxBytesReader(w, c.request.Body, limit))
	if err != nil {
		if isTooLarge(err) {
			return tooLarge(c.operation, limit)
		}
		return invalid("InvalidRequestContentException", "Could not read request body")
	}
	return nil
}

// decode takes the body's JSON. Keys that are not known are left out: there will
// be new ones.
func (c *call) decode(v any) error {
	if len(c.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, v); err != nil {
		return invalid("InvalidRequestContentException", "Could not parse request body into json: "+err.Error())
	}
	return nil
}

func (c *call) query(name string) string { return c.request.URL.Query().Get(name) }

// target is the function that the path names, with the query's qualifier.
func (c *call) target() (target, error) {
	t, no := parseTarget(c.parameters[0], c.query("Qualifier"))
	if no != nil {
		return t, no
	}
	return t, nil
}
