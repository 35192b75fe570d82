package invoke

import (
	"net/http"
	"strings"

	"coldstorm/results"
	"coldstorm/runtime/live"
)

// kind is what the caller of an invocation asks for.
type kind string

const (
	kindSync  kind = "RequestResponse"
	kindAsync kind = "Event"
	kindDry   kind = "DryRun"
)

// invoke answers POST /2015-03-31/functions/{name}/invocations.
func (s *Service) invoke(w http.ResponseWriter, r *http.Request, name string) {
	t, no := parseTarget(name, qualifierOf(r))
	if no != nil {
		no.write(w)
		return
	}
	how := kindSync
	if k := r.Header.Get("X-Amz-Invocation-Type"); k != "" {
		how = kind(k)
	}
	if how != kindSync && how != kindAsync && how != kindDry {
		badParameter("Invalid invocation type: %s", how).write(w)
		return
	}
	ride, no := s.find(t)
	if no != nil {
		no.write(w)
		return
	}
	if how == kindDry {
		ride.deployment.leave()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	req, no := request(r)
	if no != nil {
		ride.deployment.leave()
		no.write(w)
		return
	}
	if how == kindAsync {
		ride.deployment.leave()
		s.enqueue(w, t, req)
		return
	}
	ride.serve(req, func(res live.Result) {
		write(w, res, req.Tail, ride.version)
		// The caller's now: what net/http had kept back would go when this returns,
		// after the environment was seen to.
		http.NewResponseController(w).Flush()
	})
}

func qualifierOf(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get("Qualifier")
}

// asyncName is the function that the path of the old InvokeAsync names.
func asyncName(path string) (string, bool) {
	return between(path, "/2014-11-13/functions/", "/invoke-async")
}

// invokeAsync answers POST /2014-11-13/functions/{name}/invoke-async/, which AWS
// deprecates in favour of invocation type Event.
func (s *Service) invokeAsync(w http.ResponseWriter, r *http.Request, name string) {
	r.Header.Set("X-Amz-Invocation-Type", string(kindAsync))
	s.invoke(w, r, name)
}

// between is the one segment of a path between a prefix and a suffix, with or
// without a slash at the end.
func between(path, prefix, suffix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, prefix)
	if !ok {
		return "", false
	}
	name, ok := strings.CutSuffix(strings.TrimSuffix(rest, "/"), suffix)
	return name, ok && name != "" && !strings.Contains(name, "/")
}

// errorCode is what kind of error a result is, in a stream's last event.
func errorCode(res live.Result) string {
	if res.Outcome == results.OutcomeServed {
		return ""
	}
	if res.ErrorType == "" {
		return unhandled
	}
	return res.ErrorType
}

// unhandled is the value of X-Amz-Function-Error: AWS says Handled only of
// errors of runtimes that are gone.
const unhandled = "Unhandled"
